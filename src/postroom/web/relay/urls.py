from django.urls import path

from postroom.web.relay import views

urlpatterns = [
    path("", views.edit, name="relay"),
    path("check/", views.check, name="relay_check"),
]
