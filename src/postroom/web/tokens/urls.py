from django.urls import path

from postroom.web.tokens import views

urlpatterns = [
    path("", views.index, name="tokens"),
    path("<int:token_id>/revoke/", views.revoke, name="token_revoke"),
]
