from django.urls import path

from postroom.web.webhooks import views

urlpatterns = [
    path("", views.index, name="webhooks"),
    path("new/", views.new, name="webhook_new"),
    path("<int:webhook_id>/", views.show, name="webhook"),
    path("<int:webhook_id>/edit/", views.edit, name="webhook_edit"),
    path("<int:webhook_id>/secret/", views.secret, name="webhook_secret"),
    path("<int:webhook_id>/test/", views.test, name="webhook_test"),
    path("<int:webhook_id>/delete/", views.delete, name="webhook_delete"),
    path("<int:webhook_id>/calls/<int:call_id>/again/", views.again, name="webhook_again"),
]
