from django.urls import path

from postroom.web.types import views

urlpatterns = [
    path("", views.index, name="types"),
    path("new/", views.new, name="type_new"),
    path("<int:type_id>/", views.rename, name="type"),
    path("<int:type_id>/delete/", views.delete, name="type_delete"),
    path("undo/<int:step_id>/", views.undo, name="type_undo"),
]
