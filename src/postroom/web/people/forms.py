"""The forms of people: inviting one, and what one may do here."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from postroom.queries.profile import profile_rows
from postroom.queries.viewer import Viewer
from postroom.web.rights_words import ROLES


class RoleForm(forms.Form):
    """role: those that the viewer may give; profiles: all of the workspace."""

    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)
    profiles = forms.TypedMultipleChoiceField(
        label=_("Profiles"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = {"owner": viewer.role == "owner", "admin": viewer.manages, "member": True}
        roles, profiles = self.fields["role"], self.fields["profiles"]
        assert isinstance(roles, forms.ChoiceField)
        assert isinstance(profiles, forms.ChoiceField)
        roles.choices = [(value, word) for value, word, _means in ROLES if shown[value]]
        self.rows = profile_rows(viewer)
        profiles.choices = [(row.profile.id, row.profile.name) for row in self.rows]


class InviteForm(RoleForm):
    email = forms.CharField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )

    field_order = ("email", "role", "profiles")


class MemberForm(RoleForm):
    primary = forms.TypedChoiceField(
        label=_("First profile"),
        coerce=int,
        empty_value="0",
        required=False,
        help_text=_("Its default template is the one this person begins with."),
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, viewer=viewer, **kwargs)
        first = self.fields["primary"]
        assert isinstance(first, forms.ChoiceField)
        first.choices = [(0, _("None")), *((row.profile.id, row.profile.name) for row in self.rows)]
