"""Printing: from loaded rows to parcels for the wire."""

import asyncio
import logging

from postroom.actions.shard import Claim, Row
from postroom.daemons.bridge import Bridge
from postroom.daemons.delivery.signing import Press, SigningPress
from postroom.errors import PostroomError
from postroom.mail.address import parse
from postroom.queries.sending import (
    Sheet,
    account_addressing,
    account_signing,
    campaign_sheet,
    messages_raw,
    messages_receipts,
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
    """Single messages: the bytes are stored already."""

    resend_doubt = False

    def __init__(self, bridge: Bridge, account_id: int) -> None:
        self._bridge = bridge
        self._account_id = account_id
        self._raw: dict[int, bytes] = {}
        self._receipts: set[int] = set()

    async def fetch(self, rows: list[Row]) -> None:
        wanted = [row.message_id for row in rows if row.message_id is not None]
        self._raw = await self._bridge.call(messages_raw, wanted)
        self._receipts = await self._bridge.call(messages_receipts, wanted)
        self._addressing = await self._bridge.call(account_addressing, self._account_id)

    def parcel(self, row: Row) -> Parcel | str:
        raw = self._raw.get(row.message_id or 0)
        if raw is None:
            return "render_error"
        values, mail_from = self._addressing.values(row.id, address=row.address)
        is_receipt = row.message_id in self._receipts
        return Parcel(
            key=row.id,
            mail_from="" if is_receipt else mail_from,  # RFC 8098 section 3: nobody is told of its fate
            recipient=parse(row.address).spec,
            segments=(raw,),
            size=len(raw),
            envid="" if is_receipt else values.token,
            eight_bit=not raw.isascii(),
            smtputf8=not row.address.isascii(),
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
