from django.urls import path

from postroom.web.suppressions import views

urlpatterns = [
    path("", views.index, name="suppressed"),
    path("add/", views.add, name="suppressed_add"),
    path("covers/", views.covers, name="suppressed_covers"),
    path("lift/", views.lift, name="suppressed_lift"),
    path("undo/<int:step_id>/", views.undo, name="suppressed_undo"),
    path("promote/", views.promote, name="suppressed_promote"),
    path("promote/undo/<int:step_id>/", views.promote_undo, name="suppressed_promote_undo"),
    path("policy/", views.policy, name="suppressed_policy"),
    path("import/", views.bring_in, name="suppressed_import"),
    path("imports/<int:import_id>/", views.import_show, name="suppressed_import_show"),
    path("imports/<int:import_id>/lines/", views.import_lines, name="suppressed_import_lines"),
    path("export/", views.export, name="suppressed_export"),
]
