"""Reusable subjects and bodies."""

from django.db import models


class Template(models.Model):
    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    name = models.CharField(max_length=120)
    subject = models.TextField(blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    created_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
