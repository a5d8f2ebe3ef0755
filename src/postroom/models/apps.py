"""The Django app that holds every table."""

from django.apps import AppConfig


class ModelsConfig(AppConfig):
    name = "postroom.models"
    label = "postroom"
    default_auto_field = "django.db.models.BigAutoField"
