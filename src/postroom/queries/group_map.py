"""What a mail server in front is told: which addresses are ours, and that they go to the ingress.

The same answers as files (`postroom group export --postfix`) and live (POSTROOM_SOCKETMAP).
"""

import re
from collections.abc import Iterator

from django.conf import settings

from postroom.mail.envelope import BOUNCE_PREFIX, DECISION_PREFIX, UNSUBSCRIBE_PREFIX
from postroom.queries.group_route import Way, group_addresses, return_hosts, route_of

#: Names of the maps: `socketmap:unix:/run/postroom/map.sock:transport`.
TRANSPORT, RECIPIENT = "transport", "recipient"
#: A mail server asks for addresses that it will take; what is refused later is known here still.
_OURS = (Way.TOKEN, Way.GROUP, Way.STUCK, Way.DISABLED)


def next_hop() -> str:
    """Where the ingress listens, in the words of transport(5); "" = nowhere."""
    for kind, at in (("lmtp", settings.POSTROOM_INGRESS_LMTP), ("smtp", settings.POSTROOM_INGRESS_LISTEN)):
        if at is not None:
            host, port = at
            if host.startswith("/"):
                return f"{kind}:unix:{host}"
            return f"lmtp:inet:[{host}]:{port}" if kind == "lmtp" else f"smtp:[{host}]:{port}"
    return ""


def map_answer(name: str, key: str) -> str | None:
    """One live question. Postfix asks for full addresses first, then for parts of them: those are unknown here."""
    if "@" not in key or key.startswith("@") or route_of(key).way not in _OURS:
        return None
    if name == TRANSPORT:
        return next_hop() or None
    return "OK" if name == RECIPIENT else None


def transport_lines() -> Iterator[str]:
    """transport(5): each group's address; the return hosts are in it as whole domains."""
    hop = next_hop()
    yield from (f"{host} {hop}" for host in return_hosts())
    yield from (f"{address} {hop}" for address in group_addresses())


def recipient_lines() -> Iterator[str]:
    """regexp_table(5) for relay_recipient_maps: return paths by their form, groups by name."""
    ways = f"[{BOUNCE_PREFIX[0]}{DECISION_PREFIX[0]}{UNSUBSCRIBE_PREFIX[0]}]"
    for host in return_hosts():
        yield f"/^{ways}-[ab][a-z2-7]{{19}}@{re.escape(host)}$/ ok"
    for address in group_addresses():
        yield f"/^{re.escape(address).replace('/', '[/]')}$/ ok"
