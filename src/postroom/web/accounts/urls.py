from django.urls import path

from postroom.models.account import AccountKind
from postroom.web.accounts import checks, finding, views

urlpatterns = [
    path("", views.index, name="accounts"),
    path("new/", views.new, name="account_new"),
    path("new/marketing/", views.new, {"kind": AccountKind.PLATFORM}, name="account_new_marketing"),
    path("find/", finding.ask, name="account_find"),
    path("find/<int:discovery_id>/", finding.show, name="account_found"),
    path("check/", checks.ask, name="account_check"),
    path("check/<int:account_id>/", checks.ask, name="account_check_saved"),
    path("probes/<int:probe_id>/", checks.show, name="probe"),
    path("probes/<int:probe_id>/cancel/", checks.cancel, name="probe_cancel"),
    path("<int:account_id>/", views.edit, name="account_edit"),
    path("<int:account_id>/delete/", views.delete, name="account_delete"),
    path("<int:account_id>/resume/", views.resume, name="account_resume"),
    path("<int:account_id>/reading-off/", views.reading_off, name="account_reading_off"),
    path("<int:account_id>/to-imap/", views.to_imap, name="account_to_imap"),
    path("<int:account_id>/collect/", views.collect, name="account_collect"),
]
