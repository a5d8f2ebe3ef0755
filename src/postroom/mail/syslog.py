"""Lines of a mail server's own log: what Postfix writes through syslog, in both ways of writing the time.

RFC 3164 section 4.1.2 (`Nov 22 02:28:18`, without year and zone), RFC 5424 section 6.2.3 (RFC 3339 times), and what
rsyslog makes of it. Postfix: a queue id is 6 or more hexadecimal digits, or 10 or more letters and digits without
vowels (enable_long_queue_ids).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

#: Lines beyond that are no lines of a log.
LINE_MAX = 20_000

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_LINE = re.compile(
    r"(?:<\d{1,3}>1? ?)?"
    r"(?:(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?P<clock>\d\d:\d\d:\d\d)"
    r"|(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?))"
    r" (?P<host>\S+) (?P<program>[\w./-]+?)(?:\[(?P<pid>\d+)\])?"
    r"(?:: | (?P<proc>\S+) \S+ (?:-|\[.*?\]) )(?P<text>.*)",
    re.DOTALL,
)
_QUEUE = re.compile(
    r"(?P<id>[0-9A-F]{6,16}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}|NOQUEUE): (?P<rest>.*)", re.DOTALL
)
_FIELD = re.compile(r"(?P<name>[a-z_-]+)=(?P<value><[^>]*>|[^,;\s]*)")
_SAID = re.compile(r"status=[a-z-]+ \((?P<said>.*)\)\s*\Z", re.DOTALL)
_REFUSED = re.compile(r"(?:milter-)?reject: \S+ from [^:]+: (?P<said>[45]\d\d .*?)(?:; from=|\Z)", re.DOTALL)
#: How other servers name a mail they took: Postfix, Exim, Sendmail and Exchange, qmail, our own.
_NAMED = re.compile(
    r"queued as (?P<a>[\w.-]{5,60})|\bid=(?P<b>[\w-]{6,60})|\bqp (?P<c>\d{3,20})"
    r"|\b(?P<d>[\w.@-]{6,60}) Message accepted",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SyslogLine:
    """A line of Postfix that speaks of a mail.

    queue_id: "" for a refusal before there was one. status: sent, deferred, bounced, expired, reject, or "" for a line
    that only names (message-id, from). dsn: "2.0.0" or "". said: the other server's words. delay_s: since it was
    queued, None when the line does not say.
    """

    at: datetime
    host: str
    program: str
    queue_id: str = ""
    message_id: str = ""
    recipient: str = ""
    sender: str | None = None
    relay: str = ""
    status: str = ""
    dsn: str = ""
    said: str = ""
    delay_s: float | None = None


@dataclass(frozen=True, slots=True)
class OtherLine:
    """A line of syslog that says nothing about a mail."""

    at: datetime


def queue_id(words: str) -> str:
    """The other server's own name for the mail, from its answer to the final dot; "" when it gives none."""
    found = _NAMED.search(words)
    return next((value for value in found.groups() if value), "").strip(".") if found else ""


def syslog_read(line: str, *, now: datetime, zone: tzinfo = UTC) -> SyslogLine | OtherLine | None:
    """One line; None when it is no line of a syslog.

    now: aware; a time without year is the last such day up to a day after it. zone: of times that name none.
    """
    found = _LINE.match(line.rstrip("\r\n")) if len(line) <= LINE_MAX else None
    at = _moment(found, now, zone) if found else None
    if found is None or at is None:
        return None
    program, text = found["program"], found["text"]
    if "postfix" not in program.lower():
        return OtherLine(at)
    queued = _QUEUE.match(text)
    if queued is None:
        return OtherLine(at)
    return _postfix(at, found["host"], program, queued["id"], queued["rest"]) or OtherLine(at)


def _postfix(at: datetime, host: str, program: str, queue: str, rest: str) -> SyslogLine | None:
    fields = {one["name"]: one["value"].strip("<>") for one in _FIELD.finditer(rest)}
    refused = _REFUSED.search(rest)
    if refused:
        said = refused["said"].strip()
        return SyslogLine(
            at=at,
            host=host,
            program=program,
            queue_id="" if queue == "NOQUEUE" else queue,
            recipient=fields.get("to", ""),
            sender=fields.get("from"),
            status="reject",
            dsn=_dsn(said[4:]),
            said=said,
        )
    if queue == "NOQUEUE" or not fields.keys() & {"message-id", "to", "from"}:
        return None
    said_found = _SAID.search(rest)
    status = fields.get("status", "")
    return SyslogLine(
        at=at,
        host=host,
        program=program,
        queue_id=queue,
        message_id=fields.get("message-id", ""),
        recipient=fields.get("to", ""),
        sender=fields.get("from"),
        relay=fields.get("relay", ""),
        status=status,
        dsn=fields.get("dsn", "") if status else "",
        said=said_found["said"] if said_found else "",
        delay_s=_seconds(fields.get("delay", "")),
    )


def _dsn(text: str) -> str:
    found = re.match(r"[245]\.\d{1,3}\.\d{1,3}(?= |\Z)", text)
    return found[0] if found else ""


def _seconds(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text) else None


def _moment(found: "re.Match[str]", now: datetime, zone: tzinfo) -> datetime | None:
    """Aware UTC; None for a day that the calendar does not have."""
    try:
        if found["iso"]:
            at = datetime.fromisoformat(_micro(found["iso"].replace(",", ".")))
            return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
        month = _MONTHS.get(found["month"])
        if month is None:
            return None
        hour, minute, second = (int(part) for part in found["clock"].split(":"))
        latest = now.astimezone(zone) + timedelta(days=1)
        for year in range(latest.year, latest.year - 5, -1):  # 29 February is not in every year
            try:
                at = datetime(year, month, int(found["day"]), hour, minute, second, tzinfo=zone)
            except ValueError:
                if max(hour - 23, minute - 59, second - 59) > 0 or not (month == 2 and found["day"] == "29"):
                    return None
                continue
            if at <= latest:
                return at.astimezone(UTC)
        return None
    except (ValueError, OverflowError):
        return None


def _micro(text: str) -> str:
    """At most six digits of a second: Python reads no more."""
    return re.sub(r"(\.\d{6})\d+", r"\1", text)
