from django.urls import path

from postroom.web.people import views

urlpatterns = [
    path("", views.index, name="people"),
    path("invite/", views.invite, name="people_invite"),
    path("invitations/<int:invitation_id>/again/", views.again, name="invitation_again"),
    path("invitations/<int:invitation_id>/revoke/", views.revoke, name="invitation_revoke"),
    path("<int:user_id>/", views.person, name="person_in_office"),
    path("<int:user_id>/switch/", views.switch, name="person_switch"),
    path("<int:user_id>/remove/", views.remove, name="person_remove"),
]
