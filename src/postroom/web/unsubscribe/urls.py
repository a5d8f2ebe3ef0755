from django.urls import path

from postroom.web.unsubscribe import views

urlpatterns = [path("<str:token>", views.page, name="unsubscribe"), path("<str:token>/", views.page)]
