"""Sending a signal to a group (EG-14), and putting it away."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.job import enqueue
from postroom.errors import InputError, NotAllowed, NotFound, TooMany
from postroom.models.signal import SIGNAL_MAX, Channel, Signal, SignalCopy
from postroom.queries.group import group_one
from postroom.queries.signal import may_signal, people_signalled
from postroom.queries.viewer import Viewer

#: Signals of one person in one minute.
A_MINUTE = 10


@transaction.atomic
def signal_send(*, viewer: Viewer, group_id: int, text: str) -> tuple[Signal, int]:
    """The signal, and how many people are told. Whether the group takes mail is another matter (EG-10).

    Raises NotFound, NotAllowed (SIGNALS_DISABLED, with nobody told), InputError, TooMany.
    """
    group = group_one(viewer, group_id)
    if group.signal_disabled:
        raise NotAllowed(_("This group takes no signals."), code="SIGNALS_DISABLED")
    if not may_signal(viewer, group):
        raise NotAllowed(_("You may not write to this group."))
    text = " ".join(text.replace("\0", " ").split())
    if not text or len(text) > SIGNAL_MAX:
        raise InputError(
            _("A signal is a text of at most %(n)s characters.") % {"n": SIGNAL_MAX}, field="text"
        )
    lately = Signal.objects.filter(user=viewer.user, sent_at__gt=timezone.now() - timedelta(minutes=1))
    if lately.count() >= A_MINUTE:
        raise TooMany()
    signal = Signal.objects.create(workspace=viewer.workspace, group=group, user=viewer.user, text=text)
    told = [one for one in people_signalled(group) if one != viewer.user.id]
    SignalCopy.objects.bulk_create(SignalCopy(signal=signal, user_id=one) for one in told)
    if Channel.objects.filter(workspace=viewer.workspace, user__in=told).exists():
        enqueue("signal_send", signal_id=signal.id)
    return signal, len(told)


def signal_seen(*, viewer: Viewer, copy_id: int) -> None:
    """Put away. Raises NotFound."""
    found = SignalCopy.objects.filter(id=copy_id, user=viewer.user, signal__workspace=viewer.workspace)
    if not found.exists():
        raise NotFound(_("This signal is not here any more."))
    found.filter(seen_at=None).update(seen_at=timezone.now())
