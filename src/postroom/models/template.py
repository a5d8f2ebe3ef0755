"""Reusable subjects and bodies."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.models.profile import Shared


def _everyone() -> list[str]:
    return ["view", "use"]


class Template(Shared):
    NOUN = "template"
    everyone = ArrayField(models.CharField(max_length=6), default=_everyone)

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


class TemplateVersion(models.Model):
    """How a template read before and after each save; who saved it (CM-14)."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    subject = models.TextField(blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    saved_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "version"], name="template_version_once")]


class TemplateDefault(models.Model):
    """The default template of a profile: at most one (CM-11)."""

    profile = models.OneToOneField("Profile", primary_key=True, on_delete=models.CASCADE)
    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="default_of")
    set_at = models.DateTimeField(auto_now=True)


class TemplateFile(models.Model):
    """A file that a template brings into a message it is put into (CM-44)."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="files")
    blob = models.ForeignKey("Blob", on_delete=models.PROTECT)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
