from django.urls import path

from postroom.web.sharing import views

urlpatterns = [
    path("<slug:noun>/<int:noun_id>/", views.sharing, name="sharing"),
    path("<slug:noun>/<int:noun_id>/person/", views.person, name="sharing_person"),
]
