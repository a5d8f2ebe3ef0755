from django.urls import path

from postroom.web.audit import views

urlpatterns = [path("", views.index, name="audit")]
