from django.urls import path

from postroom.web.suppressions import views

urlpatterns = [
    path("", views.index, name="suppressed"),
    path("add/", views.add, name="suppressed_add"),
    path("covers/", views.covers, name="suppressed_covers"),
    path("lift/", views.lift, name="suppressed_lift"),
    path("undo/<int:step_id>/", views.undo, name="suppressed_undo"),
    path("import/", views.bring_in, name="suppressed_import"),
    path("export/", views.export, name="suppressed_export"),
]
