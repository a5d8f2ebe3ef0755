from django.urls import path

from postroom.web.profiles import views

urlpatterns = [
    path("", views.index, name="profiles"),
    path("new/", views.new, name="profile_new"),
    path("<int:profile_id>/", views.edit, name="profile_edit"),
    path("<int:profile_id>/delete/", views.delete, name="profile_delete"),
]
