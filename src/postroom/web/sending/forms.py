"""The forms of Settings > Sending."""

from django import forms
from django.utils.translation import gettext_lazy as _

_MOST = 2_000_000_000


class FirmForm(forms.Form):
    per_minute = forms.IntegerField(label=_("Messages a minute"), min_value=0, max_value=_MOST)
    per_hour = forms.IntegerField(label=_("Messages an hour"), min_value=0, max_value=_MOST)
    parallel_runs_each = forms.IntegerField(
        label=_("Campaigns of one person at the same time"), min_value=0, max_value=_MOST
    )


class SlotsForm(forms.Form):
    parallel_runs = forms.IntegerField(
        label=_("Campaigns at the same time"),
        min_value=0,
        max_value=_MOST,
        help_text=_("Of all firms together; 0 = as many as the memory allows."),
    )
