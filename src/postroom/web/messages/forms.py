"""The form of a message being written."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from postroom.errors import InputError
from postroom.models.draft import Draft
from postroom.models.workspace import Workspace

_PEOPLE, _BODY = 100_000, 2_000_000


class DraftForm(forms.Form):
    """Nothing is required: a draft may be half done."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    to = forms.CharField(label=_("To"), required=False, max_length=_PEOPLE, widget=forms.Textarea)
    cc = forms.CharField(label=_("Cc"), required=False, max_length=_PEOPLE, widget=forms.Textarea)
    bcc = forms.CharField(label=_("Bcc"), required=False, max_length=_PEOPLE, widget=forms.Textarea)
    subject = forms.CharField(label=_("Subject"), required=False, max_length=2000)
    html = forms.CharField(
        label=_("Message"), required=False, strip=False, max_length=_BODY, widget=forms.Textarea
    )
    text = forms.CharField(
        label=_("Plain text"), required=False, strip=False, max_length=_BODY, widget=forms.Textarea
    )
    account = forms.IntegerField(label=_("Sender"), required=False)
    type = forms.IntegerField(label=_("Type"), required=False)

    @classmethod
    def of(cls, draft: Draft) -> "DraftForm":
        names = ("version", "to", "cc", "bcc", "subject", "html", "text")
        values = {name: getattr(draft, name) for name in names}
        return cls(initial={**values, "account": draft.account_id or "", "type": draft.type_id or ""})

    def values(self) -> dict[str, Any]:
        """What `draft_save` takes."""
        texts = {name: self.cleaned_data[name] for name in ("to", "cc", "bcc", "subject", "html", "text")}
        ids = {f"{name}_id": self.cleaned_data[name] or None for name in ("account", "type")}
        return {**texts, **ids, "version": self.cleaned_data["version"]}


def zone_of(workspace: Workspace) -> ZoneInfo:
    try:
        return ZoneInfo(workspace.time_zone)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def moment_typed(workspace: Workspace, text: str) -> datetime | None:
    """Day and time as a browser sends them ("2026-11-23T08:00"), in the zone of the workspace; aware UTC, "" = None.

    Raises InputError, also for a time that the clocks leave out that night.
    """
    if not text.strip():
        return None
    try:
        typed = datetime.fromisoformat(text.strip())
    except ValueError:
        typed = None
    if typed is None or typed.tzinfo is not None:
        raise InputError(gettext("Give a day and a time."), code="BAD_MOMENT", field="send_at")
    moment = typed.replace(tzinfo=zone_of(workspace)).astimezone(UTC)
    if moment.astimezone(zone_of(workspace)).replace(tzinfo=None) != typed:
        words = gettext("The clocks are put forward then: this time does not exist on that day.")
        raise InputError(words, code="BAD_MOMENT", field="send_at")
    return moment
