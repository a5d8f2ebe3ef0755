from django.urls import path

from postroom.web.exclusions import applying, views

urlpatterns = [
    path("", views.index, name="exclusions"),
    path("new/", views.new, name="exclusion_new"),
    path("<int:exclusion_id>/", views.show, name="exclusion"),
    path("<int:exclusion_id>/add/", views.add, name="exclusion_add"),
    path("<int:exclusion_id>/remove/", views.remove, name="exclusion_remove"),
    path("<int:exclusion_id>/change/", views.change, name="exclusion_change"),
    path("<int:exclusion_id>/read/", views.read, name="exclusion_read"),
    path("<int:exclusion_id>/delete/", views.delete, name="exclusion_delete"),
    path("<int:exclusion_id>/restore/", views.restore, name="exclusion_restore"),
    path("<int:exclusion_id>/export/", views.export, name="exclusion_export"),
    path("campaign/<int:campaign_id>/", applying.choose, name="exclusion_apply"),
    path("campaign/<int:campaign_id>/undo/", applying.undo, name="exclusion_undo"),
]
