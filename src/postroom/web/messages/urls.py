from django.urls import path

from postroom.web.messages import views

urlpatterns = [
    path("", views.index, name="messages"),
    path("<int:message_id>/", views.show, name="message"),
    path("<int:message_id>/mark/", views.mark, name="message_mark"),
    path("<int:message_id>/body/", views.body, name="message_body"),
    path("<int:message_id>/raw/", views.raw, name="message_raw"),
    path("unmatched/", views.unmatched, name="unmatched"),
    path("unmatched/<int:event_id>/", views.report, name="unmatched_report"),
    path("unmatched/<int:event_id>/again/", views.again, name="unmatched_again"),
    path("unmatched/<int:event_id>/body/", views.report_body, name="unmatched_body"),
    path("unmatched/<int:event_id>/raw/", views.report_raw, name="unmatched_raw"),
]
