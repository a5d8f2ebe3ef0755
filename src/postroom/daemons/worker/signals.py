"""Tells people of a signal through their other channels; many at a time, none of them holds up the others."""

import json
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor

from cryptography.hazmat.primitives.asymmetric import ec

from postroom.actions.channel import Telling, channel_told, signal_tellings
from postroom.conf import keys
from postroom.errors import PostroomError
from postroom.mail.webpush import authorization, own_key, sealed
from postroom.models.signal import ChannelKind
from postroom.queries.user import instance_url, private_hosts_allowed
from postroom.wire.http import http_post

log = logging.getLogger("postroom.signals")

_AT_ONCE = 8
_TIMEOUT_S = 10.0
#: How long a push service keeps a notice for a browser that is off.
_KEEP_S = 12 * 3600


def signal_tell(signal_id: int) -> None:
    """Every channel is tried once: a signal is about now, and a second one would be noise."""
    allow, url = private_hosts_allowed(), instance_url()

    def tell(one: Telling) -> tuple[Telling, bool, str, bool]:
        try:
            status, words = _told(one, url, allow)
        except PostroomError as error:
            return one, False, error.message, False
        except Exception as error:  # of another's package
            return one, False, type(error).__name__, False
        return one, 200 <= status < 300, f"{status} {words}", status in (404, 410)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for one, ok, words, gone in pool.map(tell, signal_tellings(signal_id)):
            channel_told(one.channel_id, ok=ok, words=words, gone=gone and one.kind == ChannelKind.PUSH)
            if not ok:
                log.warning("channel %s (%s) did not take a signal: %s", one.channel_id, one.kind, words)


def _told(one: Telling, url: str, allow: bool) -> tuple[int, str]:
    """Status and first words of the answer. Raises PostroomError."""
    if one.kind == ChannelKind.PUSH:
        return _push(one, url, allow)
    if one.kind == ChannelKind.APPRISE:
        return _apprise(one)
    line = f"{one.group}: {one.text}" + (f" ({one.sender})" if one.sender else "")
    body: dict[str, str] = {"text": line}
    if one.kind == ChannelKind.WEBHOOK:
        body = {"text": one.text, "group": one.group, "from": one.sender}
    return http_post(
        one.address,
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json"},
        allow_private=allow,
        timeout_s=_TIMEOUT_S,
    )


def _push(one: Telling, url: str, allow: bool) -> tuple[int, str]:
    to = json.loads(one.address)
    body = {"title": one.group, "body": one.text, "from": one.sender, "url": f"{url}/groups/"}
    payload = json.dumps(body, ensure_ascii=False).encode()
    subject = url if url.startswith("https://") else "mailto:postmaster@localhost"
    key = own_key(keys.current().secret_key.encode())
    return http_post(
        to["endpoint"],
        body=sealed(
            payload,
            to["p256dh"],
            to["auth"],
            once=ec.generate_private_key(ec.SECP256R1()),
            salt=os.urandom(16),
        ),
        headers={
            "Authorization": authorization(key, to["endpoint"], subject=subject, now=time.time()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(_KEEP_S),
            "Urgency": "high",
        },
        allow_private=allow,
        timeout_s=_TIMEOUT_S,
    )


def _apprise(one: Telling) -> tuple[int, str]:
    """Through the optional package; its addresses were typed by an administrator."""
    try:
        from apprise import Apprise
    except ImportError:
        return 501, "The package apprise is not installed: postroom[notify]."
    sender = Apprise()
    if not sender.add(one.address):
        return 400, "apprise does not know this kind of address."
    ok = sender.notify(body=one.text, title=one.group)
    return (200, "") if ok else (502, "The service did not take it.")
