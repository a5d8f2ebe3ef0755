from django.urls import path

from postroom.web.archive import views

urlpatterns = [
    path("", views.index, name="archive"),
    path("messages/<int:sent_id>/", views.message, name="archive_message"),
    path("messages/<int:sent_id>/body/", views.message_body, name="archive_message_body"),
    path("messages/<int:sent_id>/raw/", views.message_raw, name="archive_message_raw"),
    path("messages/<int:sent_id>/files/<int:number>/", views.message_file_, name="archive_message_file"),
    path("campaigns/<int:campaign_id>/", views.campaign, name="archive_campaign"),
    path("campaigns/<int:campaign_id>/body/", views.campaign_body, name="archive_campaign_body"),
    path("campaigns/<int:campaign_id>/raw/", views.campaign_raw, name="archive_campaign_raw"),
]
