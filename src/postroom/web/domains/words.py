"""What DNS says about a domain, in plain words: a card for each thing, with the records to publish."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import idna
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from postroom.models.domain import DkimKey, Domain
from postroom.queries.domain import Record, bounce_host_below, gone_at, records_of

#: State -> icon, colour, word.
LOOKS = {
    "ok": ("circle-check", "ok", gettext_lazy("In order")),
    "missing": ("alert-triangle", "wait", gettext_lazy("Missing")),
    "wrong": ("circle-x", "bad", gettext_lazy("Wrong")),
    "unreachable": ("help-hexagon", "doubt", gettext_lazy("DNS did not answer")),
    "": ("circle-dashed", "mute", gettext_lazy("Not looked at yet")),
}


@dataclass(frozen=True)
class Card:
    """what: what the record is for; said: what was found; found: what stands there; records: to publish."""

    key: str
    title: str
    what: str
    state: str
    said: str
    found: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    @property
    def icon(self) -> str:
        return LOOKS[self.state][0]

    @property
    def colour(self) -> str:
        return LOOKS[self.state][1]

    @property
    def word(self) -> str:
        return str(LOOKS[self.state][2])


def words_of(code: str, values: Mapping[str, str]) -> str:
    """The sentence of a code of mail/dns_records.py or mail/spf.py; "" when it says nothing more than its state."""
    texts = {
        "unreachable": _(
            "No usable answer came (%(reason)s). Nothing was concluded from it; try again later."
        ),
        "proof_ok": _("The record is there."),
        "proof_missing": _("There is no such record yet. New records can take an hour to be seen."),
        "proof_other": _("There is a record of this name, but with something else in it."),
        "proof_taken": _("The record is right, but another workspace here had proved the domain before."),
        "spf_ok": _("Mail sent from here (%(server)s) passes."),
        "spf_read": _("There is a record. Whether our server is in it cannot be seen from here."),
        "spf_missing": _("There is no SPF record, so receivers cannot tell your servers from others'."),
        "spf_several": _("There are several SPF records; receivers then heed none. Make one of them."),
        "spf_syntax": _("Receivers cannot read it: “%(about)s” is not understood."),
        "spf_open": _("It lets everybody send in your name: it ends in +all."),
        "spf_not_ours": _("Mail sent from here (%(server)s) does not pass: %(result)s."),
        "spf_lookups": _("It asks DNS more than ten times; receivers give up at “%(about)s”."),
        "spf_void": _("It leads to names that do not exist, at last “%(about)s”."),
        "spf_include": _("It includes “%(about)s”, which has no SPF record."),
        "dkim_ok": _("The key is published."),
        "dkim_missing": _("The key is not published yet."),
        "dkim_several": _("There are several records of this name; there may be one."),
        "dkim_syntax": _("The record is no DKIM key."),
        "dkim_revoked": _("The record says that the key is withdrawn: there is nothing behind p=."),
        "dkim_other": _("The record holds another key than ours."),
        "dkim_testing": _(
            "The record says that the domain only tests (t=y); receivers then ignore signatures."
        ),
        "dmarc_none": _("Receivers report what fails and deliver it all the same (p=none)."),
        "dmarc_quarantine": _(
            "Receivers treat as spam what is neither sent nor signed by you (p=quarantine)."
        ),
        "dmarc_reject": _("Receivers refuse what is neither sent nor signed by you (p=reject)."),
        "dmarc_missing": _("There is no DMARC record. Large providers ask for one from who sends much."),
        "dmarc_several": _("There are several DMARC records; receivers then heed none."),
        "dmarc_syntax": _("Receivers cannot read it. It begins with v=DMARC1; p=none, quarantine or reject."),
        "mx_ok": _("Mail to it goes to %(hosts)s."),
        "mx_implicit": _("It has no MX, but an address; most servers deliver there."),
        "mx_null": _("It says that it takes no mail: answers will come back to their senders."),
        "mx_missing": _("Nothing takes mail for it: answers will come back to their senders."),
    }
    values = {"reason": "", "server": "", "about": "", "result": "", "hosts": "", **values}
    return texts.get(code, "") % values


def _titles(domain: Domain) -> dict[str, tuple[str, str]]:
    host = domain.workspace.bounce_host
    return {
        "proof": (
            _("Proof"),
            _("Shows that the domain is yours: publish this record. It may stay there."),
        ),
        "spf": (_("SPF"), _("Says which servers may send mail of this domain.")),
        "dkim": (
            _("DKIM"),
            _("The key with which receivers check our signature: that the mail is from you and unchanged."),
        ),
        "dmarc": (
            _("DMARC"),
            _("Says what receivers do with mail that passes neither SPF nor DKIM. Begin with p=none."),
        ),
        "mx": (_("MX"), _("Where answers go. Postroom has no mailboxes: your mail server takes them.")),
        "bounce_mx": (
            _("MX of %(host)s") % {"host": host},
            _("Brings returned mail to this installation."),
        ),
        "bounce_spf": (_("SPF of %(host)s") % {"host": host}, _("Receivers look it up for the return path.")),
    }


def cards_of(domain: Domain, *, with_records: bool = True) -> list[Card]:
    """In the order to go through them."""
    records: dict[str, list[Record]] = {}
    for record in records_of(domain) if with_records else ():
        records.setdefault(record.purpose, []).append(record)
    cards = []
    for key, (title, what) in _titles(domain).items():
        if key == "dkim":
            cards.append(Card(key, title, what, _dkim_state(domain), ""))
            continue
        if key.startswith("bounce") and not bounce_host_below(domain):
            continue
        check: dict[str, Any] = domain.checks.get(key) or {}
        state, code = str(check.get("state", "")), str(check.get("code", ""))
        said = words_of(code, check.get("values") or {})
        publish = records.get(key, []) if state != "ok" or key == "proof" else []
        cards.append(Card(key, title, what, state, said, check.get("found") or [], publish))
    return cards


def _dkim_state(domain: Domain) -> str:
    keys = [key for key in domain.keys.all() if key.state == DkimKey.State.ACTIVE]
    if not keys:
        return "missing" if domain.checked_at else ""
    return str(keys[0].seen.get("state", "")) if keys[0].seen else "ok"


@dataclass(frozen=True)
class KeyRow:
    key: DkimKey
    said: str
    record: Record
    gone_at: Any


def key_rows(domain: Domain) -> list[KeyRow]:
    """Newest first; retired ones with the day from which their record may go."""
    by_selector = {
        record.name.split(".")[0]: record for record in records_of(domain) if record.purpose == "dkim"
    }
    rows = []
    for key in domain.keys.all():
        record = by_selector.get(key.selector) or Record(
            "dkim", "TXT", f"{key.selector}._domainkey.{domain.name}", ""
        )
        said = words_of(str(key.seen.get("code", "")), key.seen.get("values") or {}) if key.seen else ""
        rows.append(KeyRow(key, said, record, gone_at(key)))
    return rows


def shown_name(name: str) -> str:
    """As people write it: xn--pike-... in its own letters."""
    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name
