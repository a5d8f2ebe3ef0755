from django.urls import path

from postroom.web.contacts import views

urlpatterns = [
    path("", views.index, name="contacts"),
    path("new/", views.new, name="contact_new"),
    path("pick/", views.pick, name="contacts_pick"),
    path("fill/", views.fill, name="contacts_fill"),
    path("do/", views.act, name="contacts_act"),
    path("fields/", views.field_new, name="contact_field_new"),
    path("export/", views.export, name="contacts_export"),
    path("undo/<int:step_id>/", views.undo, name="contacts_undo"),
    path("<int:contact_id>/", views.show, name="contact"),
]
