"""The form of one person."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from postroom.actions.contact import ContactValues
from postroom.models.contact import AttributeKey, Contact

KINDS = (("other", _("Other")), ("employee", _("Employee")), ("contractor", _("Contractor")))
LANGUAGES = (("", _("Not known")), ("en", _("English")), ("pl", _("Polish")), ("bg", _("Bulgarian")))


class ContactForm(forms.Form):
    email = forms.CharField(
        label=_("E-mail address"), max_length=320, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(label=_("First name"), max_length=200, required=False)
    surname = forms.CharField(label=_("Surname"), max_length=200, required=False)
    salutation = forms.CharField(
        label=_("Salutation"),
        max_length=200,
        required=False,
        help_text=_("How a letter to them begins, as “Dear Ms Kowalska”."),
    )
    company = forms.CharField(label=_("Company"), max_length=200, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, keys: list[AttributeKey], **more: Any) -> None:
        super().__init__(*args, **more)
        self.keys = keys
        for key in keys:
            self.fields[f"attr_{key.key}"] = forms.CharField(
                label=key.label, max_length=10_000, required=False
            )
        language = (self.initial.get("language") or "") if self.initial else ""
        if language and language not in dict(LANGUAGES):
            self.fields["language"].choices = [*LANGUAGES, (language, language)]  # type: ignore[attr-defined]

    def values(self) -> ContactValues:
        given = self.cleaned_data
        return ContactValues(
            email=given["email"],
            name=given["name"],
            surname=given["surname"],
            salutation=given["salutation"],
            company=given["company"],
            kind=given["kind"] or "other",
            language=given["language"],
            attributes={key.key: given[f"attr_{key.key}"] for key in self.keys},
        )

    @property
    def attribute_fields(self) -> list[forms.BoundField]:
        return [self[f"attr_{key.key}"] for key in self.keys]


def initial_of(contact: Contact, keys: list[AttributeKey]) -> dict[str, Any]:
    names = ("email", "name", "surname", "salutation", "company", "kind", "language", "version")
    own = {name: getattr(contact, name) for name in names}
    return own | {f"attr_{key.key}": contact.attributes.get(key.key, "") for key in keys}
