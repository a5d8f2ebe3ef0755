from django.urls import path

from postroom.web.sending import views

urlpatterns = [
    path("", views.index, name="sending"),
    path("slots/", views.slots, name="sending_slots"),
]
