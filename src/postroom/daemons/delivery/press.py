"""Printing: from loaded rows to parcels for the wire."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from postroom.actions.shard import Claim, Row
from postroom.daemons.bridge import Bridge
from postroom.daemons.delivery.signing import Press, SigningPress
from postroom.errors import PostroomError
from postroom.mail.address import checked_spec
from postroom.mail.group_headers import copy_fields
from postroom.queries.content import Addressing
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

    def __init__(self, bridge: Bridge, addressing: Addressing) -> None:
        self._bridge = bridge
        self._addressing = addressing
        self._prints: dict[int, Print] = {}

    async def fetch(self, rows: list[Row]) -> None:
        wanted = {row.message_id for row in rows if row.message_id is not None}
        known = {id: self._prints[id] for id in wanted if id in self._prints}
        if len(known) < len(wanted):
            known |= await self._bridge.call(messages_printed, wanted - known.keys())
        self._prints = known

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
            recipient=checked_spec(row.address),
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
    """What was read within the last second: at full speed several shards of one account begin in each."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._known: dict[object, Any] = {}

    async def press(self, claim: Claim, *, eight_bit: bool) -> Press:
        """What prints the rows of this shard. Raises BadTemplate, NotFound (a missing attachment)."""
        press: Press
        if claim.campaign_id is None:
            addressing = await self._once(("account", claim.account_id), account_addressing, claim.account_id)
            press = MessagePress(self._bridge, addressing)
        else:
            key = "campaign", claim.campaign_id, eight_bit
            sheet = await self._once(key, campaign_sheet, claim.campaign_id, eight_bit=eight_bit)
            press = CampaignPress(sheet)
        keys = await self._once(("keys", claim.account_id), account_signing, claim.account_id)
        return SigningPress(press, keys) if keys else press

    async def _once(self, key: object, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if key not in self._known:
            self._known[key] = await self._bridge.call(function, *args, **kwargs)
            asyncio.get_running_loop().call_later(SHEET_S, self._known.pop, key, None)
        return self._known[key]
