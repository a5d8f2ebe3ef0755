from django.urls import path

from postroom.web.lists import views

urlpatterns = [
    path("", views.index, name="lists"),
    path("new/", views.new, name="list_new"),
    path("undo/<int:step_id>/", views.undo, name="list_undo"),
    path("<int:list_id>/rename/", views.rename, name="list_rename"),
    path("<int:list_id>/delete/", views.delete, name="list_delete"),
    path("<int:list_id>/take-off/", views.take_off, name="list_take_off"),
    path("<int:list_id>/undo/<int:step_id>/", views.undo_take_off, name="list_undo_take_off"),
]
