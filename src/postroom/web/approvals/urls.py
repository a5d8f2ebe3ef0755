from django.urls import path

from postroom.web.approvals import views

urlpatterns = [
    path("", views.index, name="approvals"),
    path("<int:account_id>/submit/", views.submit, name="approval_submit"),
    path("<int:account_id>/approve/", views.approve, name="approval_approve"),
    path("<int:account_id>/reject/", views.reject, name="approval_reject"),
    path("<int:account_id>/suspend/", views.suspend, name="approval_suspend"),
]
