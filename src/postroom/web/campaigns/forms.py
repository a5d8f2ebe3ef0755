"""The forms of a draft."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from postroom.models.campaign import Campaign
from postroom.models.template import Template
from postroom.web.typed import numbers


class NewForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("Only you and your colleagues see it.")
    )
    template = forms.TypedChoiceField(label=_("Start from"), coerce=int, required=False, empty_value=None)

    def __init__(self, *args: Any, templates: Sequence[Template], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["template"].choices = [  # type: ignore[attr-defined]
            ("", _("An empty message")),
            *((template.id, template.name) for template in templates),
        ]


class CampaignForm(forms.Form):
    """All a draft consists of; nothing is required, a draft may be half done."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(label=_("Name"), max_length=120)
    account = forms.TypedChoiceField(label=_("From"), coerce=int, required=False, empty_value=None)
    sender_name = forms.CharField(label=_("Sender's name"), max_length=200, required=False)
    sender_address = forms.CharField(label=_("Sender's address"), max_length=254, required=False)
    lists = forms.TypedMultipleChoiceField(label=_("To"), coerce=int, required=False)
    mailing = forms.TypedChoiceField(
        label=_("One mailing with"), coerce=int, required=False, empty_value=None
    )
    type = forms.TypedChoiceField(label=_("Message type"), coerce=int, required=False, empty_value=None)
    subject = forms.CharField(label=_("Subject"), required=False, max_length=2000)
    html = forms.CharField(
        label=_("Message"), required=False, strip=False, max_length=2_000_000, widget=forms.Textarea
    )
    text = forms.CharField(
        label=_("Plain text"), required=False, strip=False, max_length=2_000_000, widget=forms.Textarea
    )
    receipt_delivery = forms.BooleanField(label=_("Delivery"), required=False)
    receipt_read = forms.BooleanField(label=_("Reading"), required=False)
    unsubscribe_header = forms.BooleanField(label=_("Let people leave with one click"), required=False)
    on_missing = forms.ChoiceField(
        label=_("Field without a value"),
        choices=[("skip", _("Skip the person")), ("empty", _("Leave the place empty"))],
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What exists and is visible is checked by the action, which answers 404 for anything else.
        for name in ("account", "lists", "mailing", "type"):
            self.fields[name].valid_value = lambda value: True  # type: ignore[attr-defined]

    @classmethod
    def of(cls, campaign: Campaign) -> "CampaignForm":
        """The form as the draft stands."""
        names = ("version", "name", "subject", "html", "text", "receipt_delivery", "receipt_read")
        more = ("unsubscribe_header", "on_missing", "sender_name", "sender_address")
        initial = {name: getattr(campaign, name) for name in (*names, *more)}
        others = {
            "account": campaign.account_id or "",
            "mailing": campaign.mailing_id or 0,
            "type": campaign.type_id or 0,
        }
        return cls(initial={**initial, **others})

    def chosen_lists(self) -> set[int]:
        """Ids of the ticked lists as they were sent, right or wrong."""
        return set(numbers(str(text) for text in self["lists"].value() or ()))

    def content(self) -> dict[str, Any]:
        """The values `campaign_edit` takes."""
        bodies = ("name", "subject", "html", "text", "sender_name", "sender_address")
        names = (*bodies, "receipt_delivery", "receipt_read", "unsubscribe_header")
        values = {name: self.cleaned_data[name] for name in names}
        return {**values, "on_missing": self.cleaned_data["on_missing"] or "skip"}
