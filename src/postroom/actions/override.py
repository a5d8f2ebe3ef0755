"""Fixing each recipient's own sender and addressee when a campaign is frozen (SA-08, SA-11)."""

import json
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.utils.translation import gettext

from postroom.actions.figures import figures_add
from postroom.errors import InputError
from postroom.mail.address import canonical, parse
from postroom.mail.fields import contact_values
from postroom.mail.override import FROM_ADDRESS, FROM_NAME, Effective, effective
from postroom.models.account import AccountKind
from postroom.models.campaign import Campaign
from postroom.models.domain import Domain
from postroom.queries.account import accounts_usable_by
from postroom.queries.override import overrides_of
from postroom.queries.viewer import Viewer

#: Recipients looked at with one statement, and written with one.
PORTION = 5000

_READ = """
SELECT d.id, k.email, k.name, k.surname, k.salutation, k.company, k.attributes
  FROM postroom_delivery d JOIN postroom_contact k ON k.id = d.contact_id
 WHERE d.campaign_id = %s AND d.position > %s AND d.position <= %s
"""
_WRITE = """
UPDATE postroom_delivery d
   SET address = CASE WHEN u.to_address = '' THEN d.address ELSE u.to_address END,
       primary_canonical = CASE WHEN u.to_address = '' OR u.to_canonical = d.canonical THEN NULL ELSE d.canonical END,
       canonical = CASE WHEN u.to_address = '' THEN d.canonical ELSE u.to_canonical END,
       name = CASE WHEN u.to_name = '' THEN d.name ELSE u.to_name END,
       fields = d.fields
           || CASE WHEN u.from_address = '' THEN '{}' ELSE jsonb_build_object(%s::text, u.from_address) END
           || CASE WHEN u.from_name = '' THEN '{}' ELSE jsonb_build_object(%s::text, u.from_name) END
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
       AS u(id, from_address, from_name, to_address, to_canonical, to_name)
 WHERE d.id = u.id
"""
# Two contacts behind one address: the first gets it. Both addresses of a row count.
_TWICE = """
WITH heard AS (
  SELECT d.id, d.position, a.address
    FROM postroom_delivery d, unnest(ARRAY[d.canonical, d.primary_canonical]) AS a(address)
   WHERE d.campaign_id = %(campaign)s AND d.state = 'queued' AND a.address IS NOT NULL),
firsts AS (SELECT address, min(position) AS position FROM heard GROUP BY address HAVING count(*) > 1)
UPDATE postroom_delivery d
   SET state = 'skipped', trouble = 'skipped', reason = 'duplicate_in_run', state_at = clock_timestamp()
 WHERE d.id IN (SELECT h.id FROM heard h JOIN firsts f USING (address) WHERE h.position > f.position)
"""


def overrides_fix(campaign: Campaign) -> None:
    """Write the effective sender and addressee of each frozen recipient; nothing to do for most accounts.

    campaign: with its account, its rows just frozen in this transaction. Counts fall-backs on the campaign.
    """
    assert campaign.account is not None, "a campaign that is frozen has an account"
    overrides = overrides_of(campaign.account)
    if not overrides.keys:
        return
    from_fallback = to_fallback = 0
    with connection.cursor() as cursor:
        for rows in _portions(cursor, campaign):
            found = [(number, effective(overrides, values)) for number, values in rows]
            from_fallback += sum(one.from_fallback for _, one in found)
            to_fallback += sum(one.to_fallback for _, one in found)
            cursor.execute(_WRITE, [FROM_ADDRESS, FROM_NAME, *_columns(found)])
        campaign.from_fallback, campaign.to_fallback = from_fallback, to_fallback
        campaign.save(update_fields=["from_fallback", "to_fallback"])
        cursor.execute(_TWICE, {"campaign": campaign.id})
        figures_add(campaign.id, {"skipped": cursor.rowcount})


def _portions(cursor: Any, campaign: Campaign) -> Iterator[list[tuple[int, dict[str, object]]]]:
    after = 0
    while True:
        cursor.execute(_READ, [campaign.id, after, after + PORTION])
        rows = cursor.fetchall()
        if not rows:
            return
        yield [(row[0], _values(*row[1:])) for row in rows]
        after += PORTION


def _values(
    email: str, name: str, surname: str, salutation: str, company: str, attributes: object
) -> dict[str, object]:
    return contact_values(
        email=email,
        name=name,
        surname=surname,
        salutation=salutation,
        company=company,
        attributes=attributes if isinstance(attributes, dict) else json.loads(str(attributes)),
    )


def _columns(found: list[tuple[int, Effective]]) -> list[list[Any]]:
    names = ("from_address", "from_name", "to_address", "to_canonical", "to_name")
    return [
        [number for number, _ in found],
        *([getattr(one, name) for _, one in found] for name in names),
    ]


def sender_checked(viewer: Viewer, campaign: Campaign, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a campaign with its own sender as it is stored. The address it has already is looked at when it
    starts: who edits the text need not be who chose the sender.

    Raises InputError: sender_name; sender_address (DOMAIN_UNVERIFIED).
    """
    values = dict(values)
    if values.get("sender_name"):
        name = str(values["sender_name"]).strip()
        if not name.isprintable() or "@" in name:
            raise InputError(gettext("A name cannot hold an address or a line break."), field="sender_name")
        values["sender_name"] = name
    typed = str(values.get("sender_address") or "").strip()
    if typed and typed != campaign.sender_address:
        values["sender_address"] = parse(typed).spec
        _sender_known(viewer, values["sender_address"])
    return values


def sender_demand(viewer: Viewer, campaign: Campaign) -> None:
    """Of a campaign that is to send: its own sender is one that the viewer may use, now and with its account. Through
    the firm's own server go proved domains alone (SA-03).

    Raises InputError sender_address (DOMAIN_UNVERIFIED).
    """
    if campaign.sender_address:
        platform = campaign.account is not None and campaign.account.kind == AccountKind.PLATFORM
        _sender_known(viewer, campaign.sender_address, proved_only=platform)


def _sender_known(viewer: Viewer, address: str, *, proved_only: bool = False) -> None:
    """An address of a domain the firm has proved, or of an account from which the viewer may send: nobody writes in
    the name of a colleague whose account is not theirs."""
    domain = canonical(address).rpartition("@")[2]
    if Domain.objects.filter(workspace=viewer.workspace, name=domain, proved_at__isnull=False).exists():
        return
    if not proved_only and accounts_usable_by(viewer).filter(address__iexact=address).exists():
        return
    raise InputError(
        gettext("The firm has not proved that %(domain)s is its own. Do that in Settings, Domains.")
        % {"domain": domain},
        field="sender_address",
        code="DOMAIN_UNVERIFIED",
    )
