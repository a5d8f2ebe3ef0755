from django.urls import path

from postroom.web.domains import views

urlpatterns = [
    path("", views.index, name="domains"),
    path("new/", views.new, name="domain_new"),
    path("<int:domain_id>/", views.show, name="domain"),
    path("<int:domain_id>/checks/", views.checks, name="domain_checks"),
    path("<int:domain_id>/check/", views.check, name="domain_check"),
    path("<int:domain_id>/word/", views.word, name="domain_word"),
    path("<int:domain_id>/delete/", views.delete, name="domain_delete"),
    path("<int:domain_id>/keys/", views.key_new, name="domain_key_new"),
    path("<int:domain_id>/keys/<int:key_id>/use/", views.key_word, name="domain_key_use"),
    path("<int:domain_id>/keys/<int:key_id>/drop/", views.key_away, name="domain_key_drop"),
    path("<int:domain_id>/bounce-host/", views.bounce_host, name="domain_bounce_host"),
    path("<int:domain_id>/addresses/", views.addresses, name="domain_addresses"),
    path(
        "<int:domain_id>/addresses/<int:address_id>/delete/",
        views.address_delete,
        name="domain_address_delete",
    ),
]
