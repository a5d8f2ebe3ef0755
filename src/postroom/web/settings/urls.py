from django.urls import path

from postroom.web.conversations import pictures
from postroom.web.messages.signature import signature
from postroom.web.settings import views

urlpatterns = [
    path("", views.index, name="settings"),
    path("workspace/", views.workspace, name="settings_workspace"),
    path("signature/", signature, name="settings_signature"),
    path("pictures/", pictures.index, name="pictures"),
    path("pictures/<int:trust_id>/off/", pictures.off, name="pictures_off"),
    path("pictures/undo/<int:step_id>/", pictures.undo, name="pictures_undo"),
    path("profile/", views.profile, name="settings_profile"),
]
