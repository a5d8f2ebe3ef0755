from django.urls import path

from postroom.web.messages import sent, views, writing

urlpatterns = [
    path("", views.index, name="messages"),
    path("<int:message_id>/", views.show, name="message"),
    path("<int:message_id>/mark/", views.mark, name="message_mark"),
    path("<int:message_id>/body/", views.body, name="message_body"),
    path("<int:message_id>/raw/", views.raw, name="message_raw"),
    path("write/", writing.write, name="message_write"),
    path("drafts/", sent.drafts, name="drafts"),
    path("drafts/<int:draft_id>/", writing.show, name="draft"),
    path("drafts/<int:draft_id>/save/", writing.save, name="draft_save"),
    path("drafts/<int:draft_id>/insert/", writing.insert, name="draft_insert"),
    path("drafts/<int:draft_id>/attach/", writing.attach, name="draft_attach"),
    path("drafts/<int:draft_id>/detach/<int:file_id>/", writing.detach, name="draft_detach"),
    path("drafts/<int:draft_id>/send/", writing.send, name="draft_send"),
    path("drafts/<int:draft_id>/unsend/", writing.unsend, name="draft_unsend"),
    path("drafts/<int:draft_id>/delete/", writing.delete, name="draft_delete"),
    path("drafts/<int:draft_id>/undelete/", writing.undelete, name="draft_undelete"),
    path("drafts/<int:draft_id>/body/", writing.body, name="draft_body"),
    path("drafts/<int:draft_id>/source/", writing.source, name="draft_source"),
    path("sent/", sent.sent, name="sent"),
    path("sent/<int:sent_id>/", sent.show, name="sent_message"),
    path("sent/<int:sent_id>/states/", sent.states, name="sent_states"),
    path("sent/<int:sent_id>/body/", sent.body, name="sent_body"),
    path("sent/<int:sent_id>/raw/", sent.raw, name="sent_raw"),
    path("unmatched/", views.unmatched, name="unmatched"),
    path("unmatched/<int:event_id>/", views.report, name="unmatched_report"),
    path("unmatched/<int:event_id>/again/", views.again, name="unmatched_again"),
    path("unmatched/<int:event_id>/body/", views.report_body, name="unmatched_body"),
    path("unmatched/<int:event_id>/raw/", views.report_raw, name="unmatched_raw"),
]
