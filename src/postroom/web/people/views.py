"""Settings > People: who works here, who is invited, what they may do."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.invitation import (
    Invited,
    invitation_add,
    invitation_is_theirs,
    invitation_resend,
    invitation_revoke,
)
from postroom.actions.member import member_change, member_remove, member_switch
from postroom.errors import Conflict, InputError, NotAllowed, NotFound
from postroom.models.profile import Right
from postroom.queries.member import MemberRow, invitations_shown, member_rows, seats_taken
from postroom.queries.user import notices_go_out
from postroom.queries.viewer import can, demand
from postroom.web.forms import add_error
from postroom.web.people.forms import InviteForm, MemberForm
from postroom.web.rights_words import ROLES, role_word
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    return _page(request)


def _page(
    request: ViewerRequest,
    status: int = 200,
    form: InviteForm | None = None,
    invited: Invited | None = None,
) -> HttpResponse:
    viewer = request.viewer
    demand(viewer, Right.USERS_MANAGE)
    if form is None:
        form = InviteForm(viewer=viewer)
        standard = [row.profile.id for row in form.rows if row.profile.is_default]
        form.initial = {"role": "member", "profiles": standard}
    rows = [(row, role_word(row.role)) for row in member_rows(viewer)]
    names = {row.profile.id: row.profile.name for row in form.rows}
    open_ones = [
        (
            one,
            role_word(one.role),
            [names[n] for n in one.profile_ids if n in names],
            invitation_is_theirs(viewer, one),
        )
        for one in invitations_shown(viewer)
    ]
    values = {
        "rows": rows,
        "invitations": open_ones,
        "now": timezone.now(),
        "form": form,
        "roles": ROLES,
        "invited": invited,
        "seats": viewer.workspace.seats,
        "taken": seats_taken(viewer.workspace),
        "notices": notices_go_out(),
    }
    return render(request, "people/index.html", values, status=status)


@require_POST
def invite(request: ViewerRequest) -> HttpResponse:
    demand(request.viewer, Right.USERS_MANAGE)
    form = InviteForm(request.POST, viewer=request.viewer)
    if form.is_valid():
        values = form.cleaned_data
        try:
            made = invitation_add(
                viewer=request.viewer,
                email=values["email"],
                role=values["role"],
                profile_ids=values["profiles"],
            )
        except (InputError, Conflict) as error:
            add_error(form, error, "email" if isinstance(error, InputError) else "")
            return _page(request, 409 if isinstance(error, Conflict) else 422, form)
        return _sent(request, made)
    return _page(request, 422, form)


@require_POST
def again(request: ViewerRequest, invitation_id: int) -> HttpResponse:
    return _sent(request, invitation_resend(viewer=request.viewer, invitation_id=invitation_id))


def _sent(request: ViewerRequest, made: Invited) -> HttpResponse:
    """A link to hand over is shown on this answer only: it is stored nowhere."""
    if not made.mailed:
        return _page(request, 200, None, made)
    toast(request, _("The invitation to %(email)s goes out now.") % {"email": made.invitation.email})
    return redirect("people")


@require_POST
def revoke(request: ViewerRequest, invitation_id: int) -> HttpResponse:
    gone = invitation_revoke(viewer=request.viewer, invitation_id=invitation_id)
    toast(request, _("The invitation to %(email)s is taken back.") % {"email": gone.email})
    return redirect("people")


def person(request: ViewerRequest, user_id: int) -> HttpResponse:
    row = _row(request, user_id)
    viewer = request.viewer
    if request.method == "POST":
        form = MemberForm(request.POST, viewer=viewer)
        if form.is_valid():
            values = form.cleaned_data
            try:
                member_change(
                    viewer=viewer,
                    user_id=user_id,
                    role=values["role"],
                    profile_ids=values["profiles"],
                    primary_id=int(values["primary"]),
                )
            except (InputError, Conflict, NotAllowed) as error:
                form.add_error("role" if error.code == "LAST_OWNER" else None, said(error))
                status = {InputError: 422, NotAllowed: 403}.get(type(error), 409)
                return _person_page(request, row, form, status)
            toast(request, _("What %(name)s may do is saved.") % {"name": row.user})
            return redirect("people")
        return _person_page(request, row, form, 422)
    first = {"role": row.role, "profiles": list(row.profiles), "primary": row.primary}
    return _person_page(request, row, MemberForm(initial=first, viewer=viewer))


def _row(request: ViewerRequest, user_id: int) -> MemberRow:
    demand(request.viewer, Right.USERS_MANAGE)
    found = next((row for row in member_rows(request.viewer) if row.user.id == user_id), None)
    if found is None:
        raise NotFound(_("There is no such person in this workspace."))
    return found


def _person_page(
    request: ViewerRequest, row: MemberRow, form: MemberForm, status: int = 200, **more: Any
) -> HttpResponse:
    others = [one.user for one in member_rows(request.viewer) if one.is_active and one.user != row.user]
    values = {
        "row": row,
        "form": form,
        "roles": ROLES,
        "others": others if can(request.viewer, Right.ACCOUNTS_MANAGE) else [],
        "is_me": row.user == request.viewer.user,
        **more,
    }
    return render(request, "people/person.html", values, status=status)


@require_POST
def switch(request: ViewerRequest, user_id: int) -> HttpResponse:
    row, on = _row(request, user_id), request.POST.get("on") == "1"
    member_switch(viewer=request.viewer, user_id=user_id, on=on, accounts_to=_new_owner(request))
    words = _("%(name)s can work here again.") if on else _("%(name)s is switched off. Nothing is deleted.")
    toast(request, words % {"name": row.user})
    return redirect("people")


@require_POST
def remove(request: ViewerRequest, user_id: int) -> HttpResponse:
    row = _row(request, user_id)
    member_remove(viewer=request.viewer, user_id=user_id, accounts_to=_new_owner(request))
    toast(request, _("%(name)s does not belong here any more. What they made stays.") % {"name": row.user})
    return redirect("people")


def _new_owner(request: ViewerRequest) -> int:
    chosen = request.POST.get("accounts_to", "")
    return number(chosen, 0)
