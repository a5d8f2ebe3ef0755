from django.urls import path

from postroom.web.mail_templates import files, history, views

urlpatterns = [
    path("", views.index, name="templates"),
    path("new/", views.new, name="template_new"),
    path("preview/", views.preview, name="template_preview"),
    path("frame/", views.frame, name="template_frame"),
    path("undo/<int:step_id>/", views.undo, name="template_undo"),
    path("<int:template_id>/", views.edit, name="template"),
    path("<int:template_id>/copy/", views.copy, name="template_copy"),
    path("<int:template_id>/default/", views.default, name="template_default"),
    path("<int:template_id>/files/", files.attach, name="template_attach"),
    path("<int:template_id>/files/<int:file_id>/", files.show, name="template_file"),
    path("<int:template_id>/files/<int:file_id>/detach/", files.detach, name="template_detach"),
    path("files/undo/<int:step_id>/", files.undo, name="template_file_undo"),
    path("<int:template_id>/history/", history.index, name="template_history"),
    path("<int:template_id>/history/<int:number>/restore/", history.restore, name="template_restore"),
    path("<int:template_id>/delete/", views.delete, name="template_delete"),
]
