from django.urls import path

from postroom.web.workspaces import views

urlpatterns = [
    path("", views.index, name="workspaces"),
    path("new/", views.new, name="workspace_new"),
    path("<int:workspace_id>/limits/", views.limits, name="workspace_limits"),
    path("<int:workspace_id>/go/", views.go, name="workspace_go"),
]
