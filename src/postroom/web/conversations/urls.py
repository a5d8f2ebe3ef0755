from django.urls import path

from postroom.web.conversations import acts, mails, views

urlpatterns = [
    path("", views.inbox, name="messages"),
    path("shelf/", views.shelf_block, name="shelf"),
    path("c/<int:conversation_id>/", views.show, name="conversation"),
    path("c/<int:conversation_id>/flow/", views.flow, name="conversation_flow"),
    path("c/<int:conversation_id>/here/", acts.here, name="conversation_here"),
    path("c/<int:conversation_id>/seen/", acts.seen, name="conversation_seen"),
    path("c/<int:conversation_id>/state/", acts.state, name="conversation_state"),
    path("c/<int:conversation_id>/give/", acts.give, name="conversation_give"),
    path("c/<int:conversation_id>/type/", acts.kind, name="conversation_type"),
    path("c/<int:conversation_id>/note/", acts.note, name="conversation_note"),
    path("c/<int:conversation_id>/merge/", acts.merge, name="conversation_merge"),
    path("notes/<int:note_id>/delete/", acts.note_off, name="note_delete"),
    path("notes/<int:note_id>/undelete/", acts.note_back, name="note_undelete"),
    path("m/<int:message_id>/", views.entry, name="mail_entry"),
    path("m/<int:message_id>/page/", mails.page, name="mail_page"),
    path("m/<int:message_id>/pictures/", mails.pictures, name="mail_pictures"),
    path("m/<int:message_id>/file/<int:number>/", mails.file, name="mail_file"),
    path("m/<int:message_id>/raw/", mails.raw, name="mail_raw"),
    path("m/<int:message_id>/split/", acts.split, name="mail_split"),
    path("m/<int:message_id>/receipt/", mails.receipt, name="mail_receipt"),
    path("m/<int:message_id>/receipt/again/", mails.receipt_again, name="mail_receipt_again"),
    path("split/<int:step_id>/undo/", acts.split_undo, name="split_undo"),
    path("merge/<int:step_id>/undo/", acts.merge_undo, name="merge_undo"),
]
