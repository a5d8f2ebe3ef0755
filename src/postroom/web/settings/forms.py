"""The forms of the workspace and of one's own profile."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from postroom.queries.account import accounts_visible_to
from postroom.queries.profile import places_for
from postroom.queries.viewer import Viewer, administers
from postroom.web.setup.forms import LANGUAGES, clean_url
from postroom.web.zones import zone_choices


class ProfileForm(forms.Form):
    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, widget=forms.RadioSelect)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)
    theme = forms.ChoiceField(
        label=_("Light or dark"),
        choices=[("auto", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))],
        widget=forms.RadioSelect,
    )
    single_keys = forms.BooleanField(
        label=_("Single keys work: c writes, g c opens the campaigns, ? shows all"), required=False
    )
    place = forms.ChoiceField(
        label=_("New lists and templates are for"),
        required=False,
        help_text=_("Your working location. What is there already stays as it is."),
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = self.fields["place"]
        assert isinstance(place, forms.ChoiceField)
        place.choices = [
            ("", _("As the workspace says")),
            ("private", _("Only me")),
            *places_for(viewer),
            ("workspace", _("Everybody in the workspace")),
        ]


class WorkspaceForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=_("Name of the firm"), max_length=120)
    language = forms.ChoiceField(label=_("Language of new people"), choices=LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)
    default_visibility = forms.ChoiceField(
        label=_("New lists and templates are for"),
        choices=[("workspace", _("Everybody")), ("private", _("Only who makes them"))],
        required=False,
        widget=forms.RadioSelect,
        help_text=_("Each person may choose another place for their own in My profile."),
    )
    notice_account = forms.ChoiceField(
        label=_("Account for notices"),
        required=False,
        help_text=_(
            "Password resets and warnings go out through it. Without one, the owner hands over one-time links."
        ),
    )
    bounce_host = forms.CharField(
        label=_("Bounce domain"),
        required=False,
        max_length=253,
        help_text=_(
            "A name whose mail comes to this program, like returns.firm.example. Empty: returned mail goes to the "
            "account's own mailbox."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "off", "spellcheck": "false"}),
    )
    allow_clear_text_login = forms.BooleanField(
        label=_("Passwords may go to mail servers without encryption"),
        required=False,
        help_text=_("Only for a server on the same machine or a wire that nobody else can reach."),
    )
    confirm_members = forms.BooleanField(
        label=_("Outsiders whom somebody adds to a group are asked first"),
        required=False,
        help_text=_("They get a mail with a link, and the group's mail once they have said yes on its page."),
    )
    blocked_files = forms.CharField(
        label=_("Files that are attached to no message"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_("Endings with blanks between them, like exe js; what runs when it is opened."),
    )
    url = forms.CharField(
        label=_("Address of this program"),
        max_length=200,
        help_text=_(
            "What people type to open it. Links in mail begin with it; one-click unsubscribing needs https."
        ),
    )
    allow_private_hosts = forms.BooleanField(
        label=_("Mail servers inside private networks may be connected to"),
        required=False,
        help_text=_(
            "Needed when the mail server has an address like 192.168.1.10 or stands on this machine."
        ),
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["notice_account"]
        assert isinstance(chosen, forms.ChoiceField)
        accounts = [(str(a.id), f"{a.name} · {a.address}") for a in accounts_visible_to(viewer)]
        chosen.choices = [("", _("None")), *accounts]
        if not administers(viewer):
            del self.fields["url"], self.fields["allow_private_hosts"]

    def clean_blocked_files(self) -> list[str]:
        words = self.cleaned_data["blocked_files"].replace(",", " ").replace(";", " ").lower().split()
        endings = list(dict.fromkeys(word.lstrip("*.") for word in words))
        if any(not one.replace("_", "").replace("-", "").isalnum() or len(one) > 20 for one in endings):
            raise forms.ValidationError(_("An ending has letters and figures, at most 20 of them."))
        return endings

    def clean_url(self) -> str:
        return clean_url(self.cleaned_data["url"])
