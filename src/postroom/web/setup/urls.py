from django.urls import path

from postroom.web.setup import views

urlpatterns = [
    path("", views.setup, name="setup"),
    path("account/", views.account, name="setup_account"),
]
