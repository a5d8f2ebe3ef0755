"""The form of a record: what it is, where it is kept, and its own fields as pairs of name and value."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from postroom.actions.record_keep import RecordValues
from postroom.models.record import Record

KINDS = (
    ("contractor", _("Contractor")),
    ("document", _("Document")),
    ("opportunity", _("Opportunity")),
    ("process", _("Process")),
    ("link", _("Link to another system")),
)
KINDS_MANY = (
    ("contractor", _("Contractors"), "building"),
    ("document", _("Documents"), "file-text"),
    ("opportunity", _("Opportunities"), "target-arrow"),
    ("process", _("Processes"), "route"),
    ("link", _("Links"), "link"),
)
#: Empty pairs the form offers beyond those that are filled in.
BLANK = 3


class RecordForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200)
    kind = forms.ChoiceField(label=_("What it is"), choices=KINDS)
    number = forms.CharField(
        label=_("Number"), max_length=60, required=False, help_text=_("Your own, as on the document.")
    )
    parent = forms.TypedChoiceField(
        label=_("Contractor"), coerce=int, empty_value=None, required=False, help_text=_("Whose it is.")
    )
    url = forms.CharField(
        label=_("Address"), max_length=500, required=False, help_text=_("Where it can be looked at.")
    )
    external_type = forms.CharField(
        label=_("Kind in the other system"), max_length=60, required=False, help_text=_("As “invoice”.")
    )
    external_id = forms.CharField(
        label=_("Id in the other system"),
        max_length=120,
        required=False,
        help_text=_("Programs find the record by it."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, parents: list[Record], **more: Any) -> None:
        super().__init__(*args, **more)
        choices = [("", "–"), *((str(one.id), one.name) for one in parents)]
        self.fields["parent"].choices = choices  # type: ignore[attr-defined]

    def values(self, pairs: list[tuple[str, str]]) -> RecordValues:
        given = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        return RecordValues(
            parent_id=given.pop("parent"), fields={key: value for key, value in pairs if key}, **given
        )


def initial_of(record: Record) -> dict[str, Any]:
    names = ("name", "kind", "number", "url", "external_type", "external_id", "version")
    return {name: getattr(record, name) for name in names} | {"parent": record.parent_id}


def pairs_of(data: QueryDict) -> list[tuple[str, str]]:
    """(name, value) of each pair that was typed, at most a hundred or so; without those left empty."""
    keys, values = data.getlist("key")[:200], data.getlist("value")[:200]
    typed = [(key.strip(), value.strip()) for key, value in zip(keys, values, strict=False)]
    return [pair for pair in typed if any(pair)]
