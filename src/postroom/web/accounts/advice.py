"""What a check found, in sentences: which side stopped where, why, and what to do about it (CM-28, CM-29)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from postroom.web.templatetags.pr import short_date

Text = str | Promise

STAGES: dict[str, Text] = {
    "dns": gettext_lazy("Name found"),
    "proxy": gettext_lazy("Through the proxy"),
    "tcp": gettext_lazy("Connected"),
    "greeting": gettext_lazy("Greeted"),
    "tls": gettext_lazy("Encrypted"),
    "login": gettext_lazy("Signed in"),
    "ehlo": gettext_lazy("Ready to send"),
    "inbox": gettext_lazy("Inbox opened"),
    "letter": gettext_lazy("Test message to you"),
}
#: code -> (where it stopped, what to do)
ADVICE: dict[str, tuple[Text, Text]] = {
    "name_not_found": (
        gettext_lazy("Name not found"),
        gettext_lazy("No server of this name is known. Check the spelling."),
    ),
    "host_refused": (
        gettext_lazy("Not allowed"),
        gettext_lazy(
            "The server is inside a private network, and connections there are not allowed. "
            "The owner can allow them in Settings, Workspace."
        ),
    ),
    "unreachable": (
        gettext_lazy("No connection"),
        gettext_lazy("Nothing answers at this port. Check server and port; a firewall may be in the way."),
    ),
    "timeout": (
        gettext_lazy("No answer"),
        gettext_lazy("The server was silent for too long. Check the port; a firewall may be in the way."),
    ),
    "closed": (
        gettext_lazy("Hung up"),
        gettext_lazy(
            "The server closed the connection. Check port and encryption, or try again in a few minutes."
        ),
    ),
    "not_taking": (
        gettext_lazy("Turned away"),
        gettext_lazy(
            "The server takes no connections from here now. Its words say why; ask its administrator."
        ),
    ),
    "tls_wrong_mode": (
        gettext_lazy("Wrong encryption"),
        gettext_lazy(
            "The other kind of encryption is spoken at this port: switch between STARTTLS and TLS from start."
        ),
    ),
    "starttls_not_offered": (
        gettext_lazy("No encryption offered"),
        gettext_lazy("The server does not offer STARTTLS here. No password was sent. Try TLS from start."),
    ),
    "tls": (
        gettext_lazy("Stopped at encryption"),
        gettext_lazy("Server and Postroom could not agree on encryption. The server may be too old."),
    ),
    "tls_injection": (
        gettext_lazy("Stopped at encryption"),
        gettext_lazy(
            "Somebody mixed clear text into the encrypted beginning. Do not use this server from here."
        ),
    ),
    "certificate_host": (
        gettext_lazy("Certificate for another name"),
        gettext_lazy(
            "The certificate names another server. Use the name that stands in it, or ask the administrator."
        ),
    ),
    "certificate_expired": (
        gettext_lazy("Certificate expired"),
        gettext_lazy("The server's certificate is out of date. Its administrator must renew it."),
    ),
    "certificate_self_signed": (
        gettext_lazy("Certificate not vouched for"),
        gettext_lazy(
            "The server vouches for itself. If it is your own and you trust the way to it, "
            "switch the check of the certificate off."
        ),
    ),
    "certificate_unknown_issuer": (
        gettext_lazy("Unknown issuer"),
        gettext_lazy(
            "Who issued the certificate is not known here. The administrator can install the issuer's one."
        ),
    ),
    "certificate": (
        gettext_lazy("Certificate not trusted"),
        gettext_lazy("The server's certificate is not trusted. Its administrator can say why."),
    ),
    "not_smtp": (
        gettext_lazy("Not a sending server"),
        gettext_lazy("What answers there does not speak SMTP. Check server and port: usually 587 or 465."),
    ),
    "not_imap": (
        gettext_lazy("Not a reading server"),
        gettext_lazy("What answers there does not speak IMAP. Check server and port: usually 993 or 143."),
    ),
    "not_pop3": (
        gettext_lazy("Not a reading server"),
        gettext_lazy("What answers there does not speak POP3. Check server and port: usually 995 or 110."),
    ),
    "no_uidl": (
        gettext_lazy("Mails without lasting names"),
        gettext_lazy(
            "This server cannot say which mails were read already, so POP3 does not work with it. Change to IMAP."
        ),
    ),
    "no_auth_offered": (
        gettext_lazy("No sign-in offered"),
        gettext_lazy(
            "The server asks for no password here, or only behind encryption. Check port and encryption."
        ),
    ),
    "login_refused": (
        gettext_lazy("Stopped at sign-in"),
        gettext_lazy(
            "The server refused user or password. Type both again; some servers want the whole address as user."
        ),
    ),
    "inbox_missing": (
        gettext_lazy("Inbox not opened"),
        gettext_lazy("Signed in, but the folder could not be opened. Check the name of the folder."),
    ),
    "protocol": (
        gettext_lazy("Not understood"),
        gettext_lazy("The server answered with something unexpected. Check port and encryption."),
    ),
    "clear_text_login": (
        gettext_lazy("Password not sent"),
        gettext_lazy(
            "Without encryption the password could be read on its way. Choose STARTTLS or TLS from start."
        ),
    ),
    "letter_refused": (
        gettext_lazy("Test message refused"),
        gettext_lazy(
            "Everything else works, but the server does not take a message from this address to yours. "
            "Its words say why; often the address must belong to the user."
        ),
    ),
    "cancelled": (pgettext_lazy("check", "Cancelled"), gettext_lazy("The check was ended before its time.")),
}
#: How servers name a place in their queue: Postfix "queued as 4Xy", Exim "OK id=1t2", Exchange "[InternalId=42".
_QUEUE = re.compile(r"(?:queued as|\bid=|InternalId=|queue id)\W*([\w.-]{3,60})", re.IGNORECASE)
_GOOGLE = ("gmail.com", "googlemail.com", "google.com")
_MICROSOFT = ("office365.com", "outlook.com", "hotmail.com", "live.com")


@dataclass(frozen=True)
class StageLine:
    word: Text
    state: str
    detail: str


@dataclass(frozen=True)
class SidePanel:
    side: str
    title: str
    ok: bool | None
    stopped: Text
    advice: Text
    stages: list[StageLine]
    words: str
    can: list[tuple[bool, str]]


@dataclass(frozen=True)
class Panel:
    title: str
    sides: list[SidePanel]
    #: Sending accepts the password and reading refuses it: one password for both may be right.
    suggest_same: bool
    green: bool


def panel_of(result: Mapping[str, Any], smtp_host: str = "", imap_host: str = "") -> Panel | None:
    """None before anything was found out."""
    hosts = {"smtp": smtp_host, "imap": imap_host}
    sides = [
        _side(name, result[name], hosts[name])
        for name in ("smtp", "imap")
        if (result.get(name) or {}).get("stages")
    ]
    if not sides:
        return None
    known = {side.side: side for side in sides}
    smtp, imap = known.get("smtp"), known.get("imap")
    suggest = bool(smtp and imap and smtp.ok and (result["imap"] or {}).get("code") == "login_refused")
    return Panel(_title(smtp, imap), sides, suggest, bool(smtp and smtp.ok and (imap is None or imap.ok)))


def _told(side: Mapping[str, Any]) -> bool:
    return bool(side.get("stages")) or side.get("ok") is False


def _title(smtp: SidePanel | None, imap: SidePanel | None) -> str:
    found = (smtp.ok if smtp else None, imap.ok if imap else True)
    if None in found:
        return _("Checking…")
    return {
        (True, True): _("Everything works") if imap else _("Sending works"),
        (True, False): _("Sending works, reading does not"),
        (False, True): _("Reading works, sending does not") if imap else _("Sending does not work"),
        (False, False): _("Neither sending nor reading works"),
    }[found]  # type: ignore[index]


def _titles() -> dict[str, str]:
    return {"smtp": _("Sending, SMTP"), "imap": _("Reading, IMAP"), "pop3": _("Reading, POP3")}


def _side(name: str, side: Mapping[str, Any], host: str) -> SidePanel:
    code = str(side.get("code") or "")
    stopped, advice = ADVICE.get(code, (_("Stopped"), str(side.get("message") or "")))
    if code == "login_refused" and side.get("hint") == "app_password":
        advice = app_password(host, str(side.get("words") or ""))
    return SidePanel(
        side=name,
        title=_titles()[str(side.get("side") or name)],
        ok=side.get("ok"),
        stopped=stopped,
        advice=advice if code else "",
        stages=[_stage(stage, side.get("capabilities") or {}) for stage in side.get("stages", [])],
        words=str(side.get("words") or ""),
        can=_can(side) if name == "smtp" and side.get("ok") else [],
    )


def app_password(host: str, words: str) -> str:
    """Where the usual password is refused on purpose."""
    text = f"{host} {words}".lower()
    if any(name in text for name in _GOOGLE) or "application-specific" in text:
        return _(
            "Google refuses the usual password. Switch on 2-step verification in the Google account, "
            "make an app password there and type it here."
        )
    if any(name in text for name in _MICROSOFT) or "5.7.139" in text or "basic authentication" in text:
        return _(
            "Microsoft refuses the usual password. Where the organisation still allows it, an app password works; "
            "else the administrator must allow SMTP sign-in for this mailbox."
        )
    return _(
        "This server wants an app password instead of the usual one. Make one in the settings of the mailbox."
    )


def _stage(stage: Mapping[str, Any], found: Mapping[str, Any]) -> StageLine:
    name, state = str(stage["name"]), str(stage["state"])
    details = {"not_tried": _("not tried"), "running": _("trying…"), "failed": _("stopped here")}
    detail = details.get(state) or _("%(n)s ms") % {"n": stage.get("ms", 0)}
    if state == "ok" and name == "tls" and found.get("tls"):
        detail = str(found["tls"]).replace("TLSv", "TLS ")
        until = parse_date(str(found.get("certificate_valid_to") or "")[:10])
        if until:
            detail = _("%(tls)s, valid to %(day)s") % {"tls": detail, "day": short_date(until, "j M Y")}
    if state == "ok" and name == "letter":
        detail = accepted(str(stage.get("detail") or ""))
    if state == "ok" and name == "inbox" and "messages" in found:
        n = int(found["messages"])
        detail = ngettext("%(n)s message", "%(n)s messages", n) % {"n": n}
    return StageLine(STAGES.get(name, name), state, detail)


def accepted(words: str) -> str:
    """The server took a message: that, and its number in the server's queue where it told one. Not "delivered"."""
    queue = _QUEUE.search(words)
    if queue:
        return _("accepted by the server, queue id %(id)s") % {"id": queue[1]}
    return _("accepted by the server: %(words)s") % {"words": words}


def _can(side: Mapping[str, Any]) -> list[tuple[bool, str]]:
    found = side.get("capabilities") or {}
    size = found.get("size")
    lines = [(bool(found.get("dsn")), _("delivery reports"))]
    if size:
        lines.append((True, _("%(n)s MB") % {"n": max(1, int(size) // 1_000_000)}))
    if found.get("auth"):
        lines.append((True, _("sign-in by %(ways)s") % {"ways": ", ".join(found["auth"])}))
    lines.append((bool(found.get("8bitmime")), _("8-bit text")))
    lines.append((bool(found.get("smtputf8")), _("addresses with ż or ф")))
    return lines
