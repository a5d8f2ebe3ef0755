"""The forms of the first visit."""

from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from postroom.web.zones import zone_choices

LANGUAGES = [("en", "English"), ("pl", "Polski"), ("bg", "Български")]


def clean_url(value: str) -> str:
    """http(s)://host[:port] without a path. Raises ValidationError."""
    parts = urlsplit(value.strip())
    try:
        fits = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query and parts.port != 0
        )
    except ValueError:
        fits = False
    if not fits or parts.path.strip("/"):
        raise ValidationError(_("Give it like https://post.example.org, without anything behind the name."))
    return value.strip().rstrip("/")


class SetupForm(forms.Form):
    """The wizard's two steps in one form; the browser shows one after the other."""

    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.CharField(
        label=_("Your e-mail address"),
        max_length=254,
        help_text=_("You sign in with it."),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 8 characters. A short sentence is easy to remember and hard to guess."),
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "minlength": "8"}, render_value=False
        ),
    )
    workspace_name = forms.CharField(
        label=_("Name of the firm"),
        max_length=120,
        help_text=_("Colleagues see it in the top corner."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, widget=forms.RadioSelect)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)
    url = forms.CharField(
        label=_("Address of this program"),
        max_length=200,
        help_text=_(
            "What people type to open it. Links in your mail begin with it, so that readers can unsubscribe."
        ),
    )
    private = forms.ChoiceField(
        label=_("Is your mail server inside your own network?"),
        choices=[
            ("no", _("No, it is at a provider or has a public address")),
            ("yes", _("Yes, it has a private address like 192.168.1.10 or stands on this machine")),
        ],
        widget=forms.RadioSelect,
    )

    def clean_url(self) -> str:
        return clean_url(self.cleaned_data["url"])
