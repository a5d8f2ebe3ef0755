"""Settings: whose pictures from elsewhere are fetched without asking."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.picture import pictures_put_back, pictures_untrust
from postroom.queries.picture import pictures_trusted_by
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    return render(request, "conversations/pictures.html", {"rows": pictures_trusted_by(request.viewer)})


@require_POST
def off(request: ViewerRequest, trust_id: int) -> HttpResponse:
    """mail: the message from whose page somebody comes."""
    address, step = pictures_untrust(viewer=request.viewer, trust_id=trust_id)
    words = _("Pictures from %(who)s are no longer fetched.") % {"who": address}
    toast(request, words, undo=reverse("pictures_undo", args=[step]))
    mail = number(request.GET.get("mail", ""), None)
    return redirect("mail_entry", mail) if mail else redirect("pictures")


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    back = pictures_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, _("Pictures from %(who)s are fetched again.") % {"who": back.address})
    return redirect("pictures")
