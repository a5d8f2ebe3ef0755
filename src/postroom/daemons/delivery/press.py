"""Printing: from loaded rows to parcels for the wire."""

import asyncio
import logging

from postroom.actions.shard import Claim, Row
from postroom.daemons.bridge import Bridge
from postroom.daemons.delivery.signing import Press, SigningPress
from postroom.errors import PostroomError
from postroom.mail.address import parse
from postroom.mail.group_headers import copy_fields
from postroom.queries.sending import (
    Print,
    Sheet,
    account_addressing,
    account_signing,
    campaign_sheet,
    messages_printed,
)
from postroom.wire.courier import Parcel

log = logging.getLogger("postroom.delivery")

#: A campaign is read and compiled again after this time, as an account is.
SHEET_S = 1.0
NOTIFY = "SUCCESS,FAILURE,DELAY"


class CampaignPress:
    """Fills a campaign's compiled message in for each recipient."""

    def __init__(self, sheet: Sheet) -> None:
        self.resend_doubt = sheet.resend_doubt
        self._compiled = sheet.compiled
        self._values = sheet.addressing.values
        self._notify = NOTIFY if sheet.receipt_delivery else ""

    async def fetch(self, rows: list[Row]) -> None:
        """All is at hand."""

    def parcel(self, row: Row) -> Parcel | str:
        """The parcel, or the reason why this row is skipped."""
        try:
            values, mail_from = self._values(row.id, address=row.address, name=row.name, fields=row.fields)
            rendered = self._compiled.render(values)
        except PostroomError as error:
            return "invalid_syntax" if error.code == "BAD_ADDRESS" else "render_error"
        return Parcel(
            key=row.id,
            mail_from=mail_from,
            recipient=row.address,
            segments=rendered.segments,
            size=rendered.size,
            envid=values.token,
            notify=self._notify,
            eight_bit=rendered.eight_bit,
            smtputf8=not row.address.isascii(),
            stuffed=rendered.stuffed,
        )


class MessagePress:
    """Single messages, and the copies of postings: the bytes are stored already."""

    resend_doubt = False

    def __init__(self, bridge: Bridge, account_id: int) -> None:
        self._bridge = bridge
        self._account_id = account_id
        self._prints: dict[int, Print] = {}

    async def fetch(self, rows: list[Row]) -> None:
        wanted = {row.message_id for row in rows if row.message_id is not None}
        known = {id: self._prints[id] for id in wanted if id in self._prints}
        if len(known) < len(wanted):
            known |= await self._bridge.call(messages_printed, wanted - known.keys())
        self._prints = known
        self._addressing = await self._bridge.call(account_addressing, self._account_id)

    def parcel(self, row: Row) -> Parcel | str:
        found = self._prints.get(row.message_id or 0)
        if found is None:
            return "render_error"
        values, mail_from = self._addressing.values(row.id, address=row.address)
        copy, segments = found.copy, found.copy.segments
        if found.is_posting:
            leave = copy.leave and bool(row.fields.get("x"))
            own = copy_fields(values.token, values.unsubscribe_address if leave else "")
            segments = (own, *segments)
        return Parcel(
            key=row.id,
            mail_from="" if found.null_path else mail_from,
            recipient=parse(row.address).spec,
            segments=segments,
            size=sum(map(len, segments)),
            envid="" if found.null_path else values.token,
            notify=copy.notify,
            orcpt=copy.orcpt,
            ret=copy.ret or "HDRS",
            eight_bit=found.eight_bit,
            smtputf8=not row.address.isascii(),
            stuffed=copy.stuffed,
            signed=found.is_posting,
        )


class Sheets:
    """Campaigns compiled within the last second: at full speed several shards of one begin in each."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._known: dict[tuple[int, bool], CampaignPress] = {}

    async def press(self, campaign_id: int, *, eight_bit: bool) -> CampaignPress:
        """Raises BadTemplate, NotFound (a missing attachment)."""
        key = campaign_id, eight_bit
        press = self._known.get(key)
        if press is None:
            press = CampaignPress(await self._bridge.call(campaign_sheet, campaign_id, eight_bit=eight_bit))
            self._known[key] = press
            asyncio.get_running_loop().call_later(SHEET_S, self._known.pop, key, None)
        return press


async def press_for(bridge: Bridge, claim: Claim, sheets: Sheets, *, eight_bit: bool) -> Press:
    """What prints the rows of this shard. Raises BadTemplate, NotFound (a missing attachment)."""
    press: Press
    if claim.campaign_id is None:
        press = MessagePress(bridge, claim.account_id)
    else:
        press = await sheets.press(claim.campaign_id, eight_bit=eight_bit)
    keys = await bridge.call(account_signing, claim.account_id)
    return SigningPress(press, keys) if keys else press
