"""Whether the server that handed a mail over may send for its envelope sender. RFC 7208 sections 4 and 7."""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import quote

from postroom.mail.dns_records import Asking, Question
from postroom.mail.spf import Away, BadSpf, Walk, record_of, terms_of

_MACRO = re.compile(r"%(?:\{([slodiphcrtv])([0-9]{0,3})(r?)([.\-+,/_=]*)\}|([%_-]))", re.IGNORECASE)
_LITERAL = {"%": "%", "_": " ", "-": "%20"}


def spf_result(*, client: str, mail_from: str, helo: str) -> Asking[str]:
    """pass, fail, softfail, neutral, none, temperror or permerror (section 2.6).

    client: its IP address; mail_from: not the null path. A record that lets everybody send proves nothing: neutral.
    """
    domain = mail_from.rpartition("@")[2].lower()
    try:
        record = record_of((yield Question("TXT", domain)))
        if not record:
            return "none"
        if any(term.name == "all" and term.sign == "+" for term in terms_of(record)[0]):
            return "neutral"
        walk = Walk(
            client, lambda text, at: expanded(text, client=client, sender=mail_from, helo=helo, domain=at)
        )
        return (yield from walk.host(domain, record))
    except BadSpf:
        return "permerror"
    except Away:
        return "temperror"


def expanded(text: str, *, client: str, sender: str, helo: str, domain: str) -> str:
    """A domain with its macros filled in, at most 253 characters, cut at the left. Raises BadSpf."""
    local, _, host = sender.rpartition("@")
    ip = ip_address(client)
    six = isinstance(ip, IPv6Address)
    values = {
        "s": f"{local or 'postmaster'}@{host}",
        "l": local or "postmaster",
        "o": host,
        "d": domain,
        "i": ".".join(ip.exploded.replace(":", "")) if six else str(ip),
        "p": "unknown",
        "v": "ip6" if six else "in-addr",
        "h": helo,
    }

    def fill(found: re.Match[str]) -> str:
        if found[5]:
            return _LITERAL[found[5]]
        value = values.get(found[1].lower())
        if value is None or found[2] == "0":  # c, r, t stand in explanations only
            raise BadSpf("spf_syntax", text)
        labels = re.split(f"[{re.escape(found[4] or '.')}]", value)
        if found[3]:
            labels.reverse()
        value = ".".join(labels[-int(found[2]) :] if found[2] else labels)
        return quote(value, safe="") if found[1].isupper() else value

    if "%" in _MACRO.sub("", text):
        raise BadSpf("spf_syntax", text)
    whole = _MACRO.sub(fill, text)
    while len(whole) > 253 and "." in whole:
        whole = whole.partition(".")[2]
    return whole
