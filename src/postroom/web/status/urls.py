from django.urls import path

from postroom.web.status import log, views

urlpatterns = [
    path("", views.index, name="status"),
    path("live/", views.live, name="status_live"),
    path("now/", views.all_now, name="status_all_now"),
    path("switch/", views.switch_many, name="status_switch_many"),
    path("<int:account_id>/switch/", views.switch, name="status_switch"),
    path("<int:account_id>/now/", views.now, name="status_now"),
    path("log/", log.index, name="log"),
    path("log/lines/", log.newest, name="log_lines"),
    path("log/export/", log.export, name="log_export"),
    path("log/import/", log.take_in, name="log_import"),
    path("log/days/", log.days, name="log_days"),
]
