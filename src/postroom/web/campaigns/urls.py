from django.urls import path

from postroom.web.campaigns import editing, people, views

urlpatterns = [
    path("", views.index, name="campaigns"),
    path("new/", editing.new, name="campaign_new"),
    path("events/<int:event_id>/raw/", people.raw, name="campaign_raw"),
    path("<int:campaign_id>/", views.show, name="campaign"),
    path("<int:campaign_id>/progress/", views.progress, name="campaign_progress"),
    path("<int:campaign_id>/message/", views.message, name="campaign_message"),
    path("<int:campaign_id>/people/<int:delivery_id>/", people.detail, name="campaign_person"),
    path("<int:campaign_id>/decide/", people.decide, name="campaign_decide"),
    path("<int:campaign_id>/export.csv", people.export, name="campaign_export"),
    path("<int:campaign_id>/save/", editing.save, name="campaign_save"),
    path("<int:campaign_id>/lists/", editing.lists, name="campaign_lists"),
    path("<int:campaign_id>/aside/", editing.aside, name="campaign_aside"),
    path("<int:campaign_id>/body/", editing.body, name="campaign_body"),
    path("<int:campaign_id>/source/", editing.source, name="campaign_source"),
    path("<int:campaign_id>/attach/", editing.attach, name="campaign_attach"),
    path("<int:campaign_id>/detach/<int:attachment_id>/", editing.detach, name="campaign_detach"),
    path("<int:campaign_id>/test/", editing.test, name="campaign_test"),
    path("<int:campaign_id>/start/", editing.start, name="campaign_start"),
    path("<int:campaign_id>/act/<slug:verb>/", views.act, name="campaign_act"),
]
