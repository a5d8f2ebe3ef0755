from django.urls import path

from postroom.web.mail_templates import views

urlpatterns = [
    path("", views.index, name="templates"),
    path("new/", views.new, name="template_new"),
    path("preview/", views.preview, name="template_preview"),
    path("frame/", views.frame, name="template_frame"),
    path("undo/<int:step_id>/", views.undo, name="template_undo"),
    path("<int:template_id>/", views.edit, name="template"),
    path("<int:template_id>/copy/", views.copy, name="template_copy"),
    path("<int:template_id>/delete/", views.delete, name="template_delete"),
]
