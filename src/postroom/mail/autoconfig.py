"""Reading a provider's autoconfig document: config-v1.1.xml, as Thunderbird and many others use it.

The document comes from a stranger: no DTD, bounded, and of it only host, port, kind of encryption and login are taken.
"""

from xml.etree import ElementTree

from postroom.mail.providers import Place

#: Octets of a document that are looked at.
DOCUMENT_MAX = 65_536
_SECURITY = {"SSL": "tls", "STARTTLS": "starttls"}


def autoconfig_read(document: bytes, address: str) -> dict[str, tuple[Place, str]]:
    """{"imap" | "smtp": (place, login)}: of each side the first encrypted server that takes a password.

    {} for rubbish.
    """
    if len(document) > DOCUMENT_MAX or b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        return {}
    try:
        root = ElementTree.fromstring(document)
    except (ElementTree.ParseError, ValueError, LookupError):
        return {}
    found: dict[str, tuple[Place, str]] = {}
    for tag, side in (("incomingServer", "imap"), ("outgoingServer", "smtp")):
        for server in root.iter(tag):
            if server.get("type") == side and side not in found:
                place = _place(server)
                if place is not None:
                    found[side] = (place, _filled(_text(server, "username"), address) or address)
    return found


def _place(server: ElementTree.Element) -> Place | None:
    host, port = _text(server, "hostname").lower(), _text(server, "port")
    security = _SECURITY.get(_text(server, "socketType").upper())
    kinds = {(kind.text or "").strip() for kind in server.iter("authentication")}
    takes_password = not kinds or kinds & {"password-cleartext", "plain", "password-encrypted", "secure"}
    good = host and len(host) <= 253 and host.isascii() and host.isprintable() and not set(host) & set(" /@%")
    if not good or security is None or not takes_password:
        return None
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        return None
    return Place(host, int(port), security)


def _text(server: ElementTree.Element, name: str) -> str:
    return (server.findtext(name) or "").strip()[:300]


def _filled(pattern: str, address: str) -> str:
    local, _, domain = address.rpartition("@")
    for mark, value in (("%EMAILADDRESS%", address), ("%EMAILLOCALPART%", local), ("%EMAILDOMAIN%", domain)):
        pattern = pattern.replace(mark, value)
    return pattern if pattern.isprintable() else ""
