"""The forms of who administers the installation: a further workspace, and what one may use."""

from django import forms
from django.utils.translation import gettext_lazy as _

from postroom.web.setup.forms import LANGUAGES
from postroom.web.zones import zone_choices

_MOST = 2_000_000_000


class NewWorkspaceForm(forms.Form):
    name = forms.CharField(label=_("Name of the firm"), max_length=120)
    language = forms.ChoiceField(label=_("Language of new people"), choices=LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)


class LimitsForm(forms.Form):
    seats = forms.IntegerField(
        label=_("Places"), min_value=0, max_value=_MOST, help_text=_("Active people and open invitations.")
    )
    parallel_runs = forms.IntegerField(
        label=_("Campaigns at the same time"),
        min_value=0,
        max_value=_MOST,
        help_text=_("One more waits in line and starts by itself."),
    )
    per_day = forms.IntegerField(
        label=_("Messages a day"), min_value=0, max_value=_MOST, help_text=_("Over all its accounts.")
    )
    approve_below = forms.IntegerField(
        label=_("Approved by themselves up to"),
        min_value=0,
        max_value=_MOST,
        help_text=_("Contacts. Marketing accounts of a firm with more wait for a word; 0: all wait."),
    )
