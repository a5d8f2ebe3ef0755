from django.urls import path

from postroom.web.messages.signature import signature
from postroom.web.settings import views

urlpatterns = [
    path("", views.index, name="settings"),
    path("workspace/", views.workspace, name="settings_workspace"),
    path("signature/", signature, name="settings_signature"),
    path("profile/", views.profile, name="settings_profile"),
]
