"""What a person should know before a campaign starts: who it reaches, how long it takes, what looks wrong."""

import hashlib
import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import cache
from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from postroom.errors import Conflict, PostroomError
from postroom.mail.fields import CONTACT_KEYS
from postroom.models.account import Account, AccountKind, AccountStatus, Collector
from postroom.models.campaign import Campaign
from postroom.models.delivery import CampaignFigures
from postroom.queries.content import campaign_compiled, instance_url
from postroom.queries.platform import platform_demand, platform_domain
from postroom.queries.preview import campaign_trial
from postroom.queries.suppression_check import blocked

#: Read requests to more people than this are warned of (RC-16).
READ_REQUESTS = 50
#: Share of the recipients that fails while too little was sent to know; what was sent before that says little.
USUAL_FAILURES, ENOUGH_SENT = 0.03, 200
#: Longer lists together than this are not counted anew at every look, but once in so many seconds.
LARGE, KEPT_S = 20_000, 60
#: So much returned mail deserves a look: it lies in somebody's mailbox.
MANY_RETURNS = 1000

_COLUMN = {
    "name": "k.name",
    "surname": "k.surname",
    "salutation": "k.salutation",
    "company": "k.company",
    "email": "k.email",
    "full_name": "trim(k.name || ' ' || k.surname)",
}


#: Entries for all mail or for one of the campaign's lists, as at dispatch.
_OF_LISTS = """(s.contact_list_id IS NULL OR s.contact_list_id IN (
    SELECT cl.contactlist_id FROM postroom_campaign_lists cl WHERE cl.campaign_id = %(campaign)s))"""


@dataclass(frozen=True, slots=True)
class Audience:
    """people: different contacts on the chosen lists; suppressed: of them; empty: field -> people without a value."""

    people: int = 0
    suppressed: int = 0
    empty: dict[str, int] = field(default_factory=dict)
    takes: timedelta | None = None
    uses_fields: bool = False

    @property
    def will_get(self) -> int:
        return self.people - self.suppressed


def audience_of(campaign: Campaign, user_id: int | None = None) -> Audience:
    """Counts of the lists of a draft without whom exclusion sets left out.

    Long lists (LARGE) are counted once in KEPT_S while lists, fields and sets stay the same: the editor saves as one
    types.

    user_id: who would start it; their own suppressions count too.
    """
    used, fallbacks = _used(campaign)
    values: dict[str, Any] = {
        "campaign": campaign.id,
        "workspace": campaign.workspace_id,
        "user": user_id or 0,
    }
    lists = dict(campaign.lists.filter(deleted_at=None).order_by("id").values_list("id", "size"))
    sums = []
    asked = [key for key in sorted(used) if not fallbacks.get(key)]
    for number, key in enumerate(asked):
        values[f"key{number}"] = key
        column = _COLUMN[key] if key in CONTACT_KEYS else f"coalesce(k.attributes ->> %(key{number})s, '')"
        sums.append(f"count(*) FILTER (WHERE {column} = '')")
    values["lists"] = list(lists)
    known = _known(campaign, lists, asked, values["user"]) if sum(lists.values()) > LARGE else ""
    found = cache.get(known) if known else None
    if found is None:
        found = _counted(sums, values)
        if known:
            cache.set(known, found, timeout=KEPT_S)
    people, suppressed, *empty = found
    counts = {key: n for key, n in zip(asked, empty, strict=True) if n}
    return Audience(people, suppressed, counts, _takes(campaign.account, people - suppressed), bool(used))


def _known(campaign: Campaign, lists: dict[int, int], asked: list[str], user_id: int) -> str:
    """The name under which counts of these lists, fields and exclusion steps are kept."""
    steps = list(campaign.exclusion_steps.order_by("id").values_list("id", flat=True))
    policy = campaign.workspace.suppression_policy
    told = repr((campaign.id, lists, asked, user_id, steps, policy))
    return f"audience-{hashlib.sha256(told.encode()).hexdigest()}"


def _counted(sums: list[str], values: dict[str, Any]) -> tuple[int, ...]:
    """People, suppressed of them, and a number for each of `sums`. The lists are named in the statement: the planner
    knows how long a list is only when it sees which.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT count(*), count(*) FILTER (WHERE {blocked("k", "%(user)s", _OF_LISTS)})
                  {"".join(", " + one for one in sums)}
                  FROM postroom_contact k
                 WHERE k.workspace_id = %(workspace)s AND k.id IN (
                   SELECT m.contact_id FROM postroom_listmember m
                    WHERE m.contact_list_id = ANY(%(lists)s::bigint[]))
                   AND NOT EXISTS (SELECT 1 FROM postroom_campaignomission o
                                    WHERE o.campaign_id = %(campaign)s AND o.contact_id = k.id)""",
            values,
        )
        return tuple(cursor.fetchone())


def _used(campaign: Campaign) -> tuple[frozenset[str], dict[str, bool]]:
    if campaign.account is None:
        return frozenset(), {}
    try:
        compiled = campaign_compiled(campaign, campaign.account)
    except PostroomError:
        return frozenset(), {}
    return compiled.fields, dict(compiled.has_fallback)


def _takes(account: Account | None, people: int) -> timedelta | None:
    """How long the account's own limits make it last; None without a limit."""
    if account is None:
        return None
    limits = ((account.per_minute, 60), (account.per_hour, 3600), (account.per_day, 86400))
    waits = [people / limit * seconds for limit, seconds in limits if limit]
    return timedelta(seconds=max(waits)) if waits else None


@dataclass(frozen=True, slots=True)
class Check:
    """kind: ok, wait (look at it) or bad (it cannot start). more: a second sentence; link: where to act."""

    kind: str
    text: str
    more: str = ""
    link: str = ""
    link_text: str = ""


def asks_many(campaign: Campaign, audience: Audience) -> bool:
    """Read receipts from so many people that somebody should say yes to it first (RC-16)."""
    return campaign.receipt_read and audience.will_get > READ_REQUESTS


def before_it_goes(campaign: Campaign, audience: Audience) -> list[Check]:
    """The list beside the editor: what is wrong first, then what is fine."""
    checks = [
        *_account_checks(campaign),
        *_returns_checks(campaign, audience),
        *_content_checks(campaign),
        *_audience_checks(campaign, audience),
        *_link_checks(campaign),
    ]
    order = {"bad": 0, "wait": 1, "ok": 2}
    return sorted(checks, key=lambda check: order[check.kind])


def _account_checks(campaign: Campaign) -> list[Check]:
    account = campaign.account
    if account is None or account.deleted_at is not None:
        return [Check("bad", _("No account is chosen."), _("Choose what it is sent from."))]
    link = f"/settings/accounts/{account.id}/"
    checks = _platform_checks(account)
    if account.status == AccountStatus.UNTESTED:
        checks.append(Check("bad", _("The account was never checked."), "", link, _("Check its settings")))
    elif account.status == AccountStatus.FAILING:
        checks.append(
            Check("bad", _("The account does not work."), account.status_reason, link, _("Mend it"))
        )
    read = (
        bool(account.workspace.bounce_host) or Collector.objects.filter(account=account, is_on=True).exists()
    )
    if read:
        checks.append(Check("ok", _("Returned mail of this account is being read")))
    elif account.kind != AccountKind.PLATFORM:
        checks.append(
            Check(
                "wait",
                _("Returned mail of this account is not being read."),
                _("Bounces and receipts will stay unseen."),
                link,
                _("Switch reading on"),
            )
        )
    return checks


def expected_returns(campaign: Campaign, people: int) -> int:
    """How many mails will come back at most, as far as one can tell: failures at the rate of what this firm sent so
    far (USUAL_FAILURES before it sent much), and a report of every delivery where those are asked for.
    """
    totals = CampaignFigures.objects.filter(campaign__workspace_id=campaign.workspace_id).aggregate(
        sent=Sum("accepted"), bounced=Sum("bounced")
    )
    sent, bounced = totals["sent"] or 0, totals["bounced"] or 0
    rate = bounced / sent if sent >= ENOUGH_SENT else USUAL_FAILURES
    reports = campaign.receipt_delivery and campaign.account and campaign.account.capabilities.get("dsn")
    return people if reports else min(people, math.ceil(people * rate))


def _returns_checks(campaign: Campaign, audience: Audience) -> list[Check]:
    """How much returned mail the account's own mailbox must hold (SA-17); a bounce host of ours counts it itself."""
    account = campaign.account
    if account is None or account.kind == AccountKind.PLATFORM or account.workspace.bounce_host:
        return []
    count = expected_returns(campaign, audience.will_get)
    if not count:
        return []
    text = ngettext(
        "About %(n)s mail will come back to %(address)s.",
        "Up to %(n)s mails will come back to %(address)s.",
        count,
    ) % {"n": count, "address": account.address}
    more = ""
    if account.reply_to_address:
        more = _("Answers of people go to %(address)s.") % {"address": account.reply_to_address}
    return [Check("wait" if count >= MANY_RETURNS else "ok", text, more)]


def _platform_checks(account: Account) -> list[Check]:
    """Of an account on the firm's own server: whether it may send (SA-03, SA-13), and what DNS says of its domain."""
    try:
        platform_demand(account)
    except Conflict as error:
        return [Check("bad", error.message)]
    domain, states, returns = platform_domain(account)
    checks = []
    if not returns:
        checks.append(
            Check(
                "wait",
                _("Returned mail of this account goes nowhere."),
                _("Set a bounce host under Settings, Domains."),
            )
        )
    amiss = ", ".join(one.what.upper() for one in states if one.state != "ok")
    if amiss:
        text = _("Not in order for %(domain)s: %(records)s.") % {"domain": domain, "records": amiss}
        checks.append(Check("wait", text, _("Readers' servers may take it for spam. See Settings, Domains.")))
    elif states:
        checks.append(Check("ok", _("SPF, DKIM and DMARC of %(domain)s are in order") % {"domain": domain}))
    return checks


def _content_checks(campaign: Campaign) -> list[Check]:
    empty = []
    if not campaign.subject.strip():
        empty.append(Check("bad", _("The subject is empty.")))
    if not campaign.html.strip() and not campaign.text.strip():
        empty.append(Check("bad", _("The message is empty.")))
    if empty or campaign.account is None:
        return empty
    try:
        campaign_trial(campaign)
        campaign_compiled(campaign, campaign.account)  # also where nobody is on the lists yet
    except PostroomError as error:
        return [Check("bad", error.message)]
    return []


def _audience_checks(campaign: Campaign, audience: Audience) -> list[Check]:
    if audience.people == 0:
        return [Check("bad", _("There is nobody to send to."), _("Choose a list with people in it."))]
    checks = []
    for key, count in audience.empty.items():
        text = ngettext(
            "%(n)s person has no value for %(field)s.", "%(n)s people have no value for %(field)s.", count
        ) % {"n": count, "field": key}
        skipped = campaign.on_missing == "skip"
        checks.append(
            Check(
                "wait", text, _("They will be skipped.") if skipped else _("The place stays empty for them.")
            )
        )
    if not audience.empty and audience.uses_fields:
        checks.append(Check("ok", _("Every field has a value or a replacement")))
    if audience.suppressed:
        text = ngettext(
            "%(n)s person is suppressed and gets nothing.",
            "%(n)s people are suppressed and get nothing.",
            audience.suppressed,
        ) % {"n": audience.suppressed}
        checks.append(Check("wait", text, "", "/contacts/suppressed/", _("See them")))
    if asks_many(campaign, audience):
        text = ngettext(
            "%(n)s reader will be asked for a receipt.",
            "%(n)s readers will be asked for a receipt.",
            audience.will_get,
        ) % {"n": audience.will_get}
        checks.append(Check("wait", text, _("Many people dislike being asked; use it sparingly.")))
    return checks


def _link_checks(campaign: Campaign) -> list[Check]:
    from django.conf import settings

    parts = urlsplit(instance_url())
    if settings.POSTROOM_DEMO or "links.unsubscribe" not in campaign.html + campaign.text:
        return []
    if parts.scheme != "https" or parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return [
            Check(
                "wait",
                _("Links in this message lead to %(url)s.") % {"url": instance_url()},
                _("People outside cannot open that. Ask the administrator to set the public https address."),
            )
        ]
    return []
