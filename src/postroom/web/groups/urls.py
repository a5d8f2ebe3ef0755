from django.urls import path

from postroom.web.groups import channels, members, postings, signals, views

urlpatterns = [
    path("", views.index, name="groups"),
    path("rows/", views.rows, name="group_rows"),
    path("new/", views.new, name="group_new"),
    path("undo/<int:step_id>/", views.undo, name="group_undo"),
    path("options-undo/<int:step_id>/", views.options_undo, name="group_options_undo"),
    path("members-undo/<int:step_id>/", members.undo, name="group_members_undo"),
    path("signals/", signals.waiting, name="signals"),
    path("signals/<int:copy_id>/seen/", signals.seen, name="signal_seen"),
    path("signals/places/", channels.channels, name="channels"),
    path("signals/places/push/", channels.push, name="channel_push"),
    path("signals/places/<int:channel_id>/drop/", channels.drop, name="channel_drop"),
    path("<int:group_id>/", members.members, name="group"),
    path("<int:group_id>/members/add/", members.add, name="group_members_add"),
    path("<int:group_id>/members/remove/", members.remove, name="group_members_remove"),
    path("<int:group_id>/members/<int:member_id>/pause/", members.pause, name="group_member_pause"),
    path("<int:group_id>/settings/", views.settings, name="group_settings"),
    path("<int:group_id>/settings/what/", views.what, name="group_what"),
    path("<int:group_id>/settings/recommended/", views.recommended, name="group_recommended"),
    path("<int:group_id>/delete/", views.delete, name="group_delete"),
    path("<int:group_id>/postings/", postings.postings, name="group_postings"),
    path("<int:group_id>/postings/<int:posting_id>/", postings.posting, name="group_posting"),
    path("<int:group_id>/postings/<int:posting_id>/body/", postings.body, name="group_posting_body"),
    path("<int:group_id>/postings/<int:posting_id>/raw/", postings.raw, name="group_posting_raw"),
    path("<int:group_id>/postings/<int:posting_id>/decide/", postings.decide, name="group_posting_decide"),
    path("<int:group_id>/held/<int:posting_id>/", postings.held, name="group_posting_held"),
    path("decide/<str:token>/", postings.summoned, name="moderation"),
    path("<int:group_id>/signal/", signals.send, name="group_signal"),
]
