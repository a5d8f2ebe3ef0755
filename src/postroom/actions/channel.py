"""Where else people are told of signals: their browsers, chats and other services; and the telling, claimed once."""

import hashlib
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.conf import keys
from postroom.errors import Conflict, InputError, NotAllowed, NotFound
from postroom.mail.page_address import page_address
from postroom.mail.webpush import browser_key, decoded, own_key, public_text
from postroom.models.signal import Channel, ChannelKind, Signal, SignalCopy, SignalSend
from postroom.queries.viewer import Viewer

#: Of one person.
MOST = 20
#: Refusals in a row after which a channel is left alone until its owner looks.
GIVE_UP = 10


def push_public() -> str:
    """What a browser must know to subscribe."""
    return public_text(own_key(keys.current().secret_key.encode()))


def push_add(*, viewer: Viewer, endpoint: str, p256dh: str, auth: str, title: str = "") -> Channel:
    """A browser that asked for notices. Raises InputError, Conflict TOO_MANY_CHANNELS."""
    page_address(endpoint)
    browser_key(p256dh)
    if len(decoded(auth)) != 16:
        raise InputError(_("This is no key of a browser."), field="auth")
    address = json.dumps({"endpoint": endpoint, "p256dh": p256dh, "auth": auth})
    return _keep(viewer, ChannelKind.PUSH, address, title or urlsplit(endpoint).hostname or "", endpoint)


def channel_add(*, viewer: Viewer, kind: str, address: str, title: str = "") -> Channel:
    """A webhook, a chat's incoming webhook, or (administrators: it may reach any host) an apprise address.

    Raises InputError, NotAllowed, Conflict TOO_MANY_CHANNELS.
    """
    address = address.strip()
    if kind == ChannelKind.APPRISE:
        if not viewer.manages:
            raise NotAllowed(_("Only owners and administrators use addresses of other services."))
        if "://" not in address or len(address) > 2000 or not address.isprintable():
            raise InputError(_("Write it like tgram://token/chat."), field="address")
    elif kind in (ChannelKind.WEBHOOK, ChannelKind.CHAT):
        if page_address(address).scheme != "https" and not _plain_allowed():
            raise InputError(_("The address must begin with https://."), field="address")
    else:
        raise InputError(_("Choose what kind of place it is."), field="kind")
    return _keep(viewer, kind, address, title or urlsplit(address).hostname or kind, address)


def _plain_allowed() -> bool:
    from postroom.queries.user import private_hosts_allowed

    return private_hosts_allowed()


@transaction.atomic
def _keep(viewer: Viewer, kind: str, address: str, title: str, mark: str) -> Channel:
    digest = hashlib.sha256(f"{kind} {mark}".encode()).hexdigest()
    mine = Channel.objects.filter(user=viewer.user)
    if mine.count() >= MOST and not mine.filter(mark=digest).exists():
        raise Conflict(_("That is enough: take one away first."), code="TOO_MANY_CHANNELS")
    values = {
        "kind": kind,
        "address": address,
        "title": title.replace("\0", "")[:120],
        "failures": 0,
        "words": "",
    }
    found, _made = Channel.objects.update_or_create(
        user=viewer.user, mark=digest, defaults={**values, "workspace": viewer.workspace}
    )
    return found


def channel_drop(*, viewer: Viewer, channel_id: int) -> None:
    """Raises NotFound."""
    gone, _each = Channel.objects.filter(user=viewer.user, id=channel_id).delete()
    if not gone:
        raise NotFound(_("This place is not here any more."))


@dataclass(frozen=True, slots=True)
class Telling:
    """One signal through one channel. address: as Channel.address says for its kind."""

    channel_id: int
    kind: str
    address: str
    text: str
    group: str
    sender: str


@transaction.atomic
def signal_tellings(signal_id: int) -> list[Telling]:
    """What is to be told, each claimed: whoever asks a second time gets nothing."""
    signal = Signal.objects.select_related("group", "user").filter(id=signal_id).first()
    if signal is None or signal.group.signal_disabled or signal.group.deleted_at:
        return []
    told = SignalCopy.objects.filter(signal=signal).values("user_id")
    channels = Channel.objects.filter(
        workspace_id=signal.workspace_id, user__in=told, failures__lt=GIVE_UP, user__is_active=True
    )
    found = list(channels.exclude(id__in=SignalSend.objects.filter(signal=signal).values("channel_id")))
    SignalSend.objects.bulk_create(
        [SignalSend(signal=signal, channel=one) for one in found], ignore_conflicts=True
    )
    group = signal.group.real_name or signal.group.address
    sender = str(signal.user) if signal.user else ""
    return [Telling(one.id, one.kind, one.address, signal.text, group, sender) for one in found]


def channel_told(channel_id: int, *, ok: bool, words: str = "", gone: bool = False) -> None:
    """How it went. gone: the browser has unsubscribed (RFC 8030 section 7.3), so it is forgotten."""
    found = Channel.objects.filter(id=channel_id)
    if gone:
        found.delete()
        return
    for one in found:
        one.failures = 0 if ok else one.failures + 1
        one.words, one.used_at = ("" if ok else words[:500]), timezone.now()
        one.save(update_fields=["failures", "words", "used_at"])
