"""Signing what the press printed, beside the event loop: a signature takes a third of a millisecond."""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from postroom.actions.shard import Row
from postroom.mail.dkim import DkimSigner, header_from_domain
from postroom.mail.dns_records import below
from postroom.queries.domain import SigningKey
from postroom.wire.courier import Parcel


class Press(Protocol):
    """Prints the rows of one shard: `fetch` what a batch needs, then a parcel a row, or the reason to skip it."""

    resend_doubt: bool

    async def fetch(self, rows: list[Row]) -> None: ...

    def parcel(self, row: Row) -> Parcel | str: ...


class SigningPress:
    """A press whose parcels carry the signature of their From: domain; without a key for it they go as they are."""

    def __init__(self, press: Press, keys: Sequence[SigningKey]) -> None:
        self.resend_doubt = press.resend_doubt
        self._press = press
        self._signers = {
            key.domain: DkimSigner(domain=key.domain, selector=key.selector, private_key=key.private_key)
            for key in keys
        }
        self._printed: dict[int, Parcel | str] = {}

    async def fetch(self, rows: list[Row]) -> None:
        await self._press.fetch(rows)
        self._printed = await asyncio.to_thread(self._print, rows)

    def parcel(self, row: Row) -> Parcel | str:
        return self._printed.pop(row.id)

    def _print(self, rows: list[Row]) -> dict[int, Parcel | str]:
        at = int(time.time())
        printed: dict[int, Parcel | str] = {}
        for row in rows:
            if not row.suppressed:
                parcel = self._press.parcel(row)
                if isinstance(parcel, Parcel):
                    self._sign(parcel, at)
                printed[row.id] = parcel
        return printed

    def _sign(self, parcel: Parcel, at: int) -> None:
        if parcel.signed:
            return
        signer = self._signers.get(below(header_from_domain(parcel.segments[0]), list(self._signers)))
        if signer is not None:
            field = signer.sign(parcel.segments, at=at)
            parcel.segments = (field, *parcel.segments)
            parcel.size += len(field)
