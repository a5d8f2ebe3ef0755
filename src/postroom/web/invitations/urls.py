from django.urls import path

from postroom.web.invitations import views

urlpatterns = [path("<str:secret>/", views.accept, name="invitation")]
