"""Lots of tokens: what is given back, and what has died."""

import asyncio

import pytest

from postroom.actions.limit import Lot
from postroom.daemons.delivery.station import Station
from postroom.mail.limit import Limits
from postroom.queries.sending import SendingAccount


class Bank:
    """Gives lots of ten, as the database does; each lives for `good_s`."""

    good_s = 60.0

    def __init__(self):
        self.given = 0

    async def call(self, function, **values):
        self.given += 10
        return Lot(10, None, self.good_s)


def station(bank):
    account = SendingAccount(1, 1, "a@example.net", {}, 1, Limits(windows=((60, 600),)), None)
    return Station(bank, "one", account, lambda: 1, None)  # nothing is sent: no journal


def test_tokens_nobody_used_are_used_by_the_next():
    async def run():
        bank = Bank()
        here = station(bank)
        lot = await here.tokens(10)
        here.tokens_back(lot, 4)
        assert (await here.tokens(10)).granted == 4
        assert bank.given == 10

    asyncio.run(run())


@pytest.mark.parametrize("wanted", [10, 3])
def test_tokens_of_a_lot_that_died_meanwhile_do_not_come_back_in_another_slice(wanted):
    async def run():
        bank = Bank()
        bank.good_s = 0.0
        here = station(bank)
        late = await here.tokens(wanted)
        bank.good_s = 60.0
        now = await here.tokens(4)
        here.tokens_back(late, wanted)
        assert now.granted + (await here.tokens(10)).granted == 10
        assert bank.given == 20

    asyncio.run(run())
