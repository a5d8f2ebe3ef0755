from django.urls import path

from postroom.web.returns import views

urlpatterns = [
    path("", views.index, name="returns"),
    path("export/", views.export, name="returns_export"),
    path("synchronise/", views.synchronise, name="returns_synchronise"),
    path("boxes/", views.boxes, name="returns_boxes"),
]
