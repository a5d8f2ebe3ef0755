from django.urls import path

from postroom.web.imports import views

urlpatterns = [
    path("", views.index, name="imports"),
    path("new/", views.new, name="import_new"),
    path("<int:import_id>/", views.show, name="import"),
    path("<int:import_id>/live/", views.live, name="import_live"),
    path("<int:import_id>/run/", views.run_now, name="import_run"),
    path("<int:import_id>/undo/", views.undo, name="import_undo"),
    path("<int:import_id>/cancel/", views.cancel, name="import_cancel"),
    path("<int:import_id>/report/", views.report, name="import_report"),
]
