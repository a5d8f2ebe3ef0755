from django.urls import path

from postroom.web.records import views

urlpatterns = [
    path("", views.index, name="records"),
    path("new/", views.new, name="record_new"),
    path("undo/<int:step_id>/", views.undo, name="record_undo"),
    path("<int:record_id>/", views.show, name="record"),
    path("<int:record_id>/edit/", views.edit, name="record_edit"),
    path("<int:record_id>/delete/", views.delete, name="record_delete"),
    path("<int:record_id>/write/", views.write, name="record_write"),
    path("<int:record_id>/people/", views.people, name="record_people"),
    path("<int:record_id>/files/", views.attach, name="record_attach"),
    path("<int:record_id>/files/<int:file_id>/", views.file, name="record_file"),
    path("<int:record_id>/files/<int:file_id>/remove/", views.detach, name="record_detach"),
]
