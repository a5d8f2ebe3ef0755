from django.urls import path

from postroom.web.help import views

urlpatterns = [
    path("", views.index, name="help"),
    path("<slug:name>/", views.chapter, name="help_chapter"),
]
