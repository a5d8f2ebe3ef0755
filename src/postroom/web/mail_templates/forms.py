"""The form of one template."""

from django import forms
from django.utils.translation import gettext_lazy as _

from postroom.actions.template import TemplateValues


class TemplateForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    subject = forms.CharField(
        label=_("Subject"),
        max_length=1000,
        required=False,
        widget=forms.TextInput(attrs={"data-takes-fields": ""}),
    )
    html = forms.CharField(
        label=_("Text with layout (HTML)"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 18, "class": "pr-source", "data-takes-fields": "", "spellcheck": "false"}
        ),
    )
    text = forms.CharField(
        label=_("Plain text"),
        required=False,
        strip=False,
        help_text=_("For readers without HTML. Left empty, it is made from the text above."),
        widget=forms.Textarea(attrs={"rows": 10, "class": "pr-source is-text", "data-takes-fields": ""}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def values(self) -> TemplateValues:
        given = self.cleaned_data
        return TemplateValues(given["name"], given["subject"], _lines(given["html"]), _lines(given["text"]))


def _lines(text: str) -> str:
    """Browsers send CRLF; stored are line feeds."""
    return text.replace("\r\n", "\n")
