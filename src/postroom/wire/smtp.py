"""The SMTP client: kept connections that pipeline across messages. RFC 5321, 2920, 3207, 3461, 4954, 6152, 6531.

How the engine uses it:

    courier = SmtpCourier(server, connections=8)
    left = await courier.run_batch(parcels, on_outcome, wait_s=1.0)
    ...
    await courier.close()

`run_batch` hands the parcels to the open connections (and opens more, up to `connections`, while there is work) and
calls `on_outcome(parcel, outcome)`, in the loop's thread, exactly once a parcel, as soon as it is known. It returns when
all are known, or after `wait_s`: then what has not begun is taken back (outcome UNSENT, so it can be written back as
queued), and what is on the wire stays there, at most one message a connection; its outcome comes later through the same
callback. The returned number counts those stragglers. `on_outcome` must not raise and should only note things down.

While the final dot of one message is being answered, a connection has already written MAIL, RCPT and DATA of the
next one, so a message costs one round trip, one write and one read. It looks ahead only while the server answers
within LOOK_AHEAD_S: a slow server would otherwise bind a second message to the connection.

Outcomes (DESIGN 4.5, 4.7): a reply decides (2yz, 4yz, 5yz); lost before the last byte of the final dot was handed to
the transport = DEFERRED; lost after it = UNCERTAIN; body never begun and RCPT never answered = UNSENT. 421 is DEFERRED
and account_wide. When no connection can be opened (name, port, TLS, login), every waiting parcel comes back UNSENT,
account_wide, with the stage and the server's words; run_batch never raises for what a server does.
"""

from collections.abc import AsyncIterator, Callable, Sequence

from postroom.errors import WireError
from postroom.mail.reply import Outcome, Stage
from postroom.wire.courier import Parcel
from postroom.wire.server import Security, Server

__all__ = ["Connection", "Security", "Server", "SmtpCourier"]

OnOutcome = Callable[[Parcel, Outcome], None]


class Connection:
    """One open, greeted, secured and authenticated session."""

    capabilities: "Capabilities"

    @classmethod
    async def open(
        cls, server: Server, *, on_stage: Callable[[Stage], None] | None = None
    ) -> "Connection": ...

    async def send(self, parcel: Parcel) -> Outcome: ...

    async def close(self) -> None: ...


class SmtpCourier:
    """A pool of connections to one server, for one account.

    connections:  how many at most (at least 1); opened one by one as there is work for them.
    idle_close_s: a connection without work that long is closed with QUIT.
    on_trouble:   told when a connection could not be opened (also while others go on working).
    """

    def __init__(
        self,
        server: Server,
        *,
        connections: int,
        idle_close_s: float = 30.0,
        on_trouble: Callable[[WireError], None] | None = None,
    ) -> None: ...

    open_connections: int  # connections ready to send or sending
    in_flight: int  # parcels begun and not yet known
    capabilities: "Capabilities | None"  # of the connection opened last

    async def run_batch(self, parcels: Sequence[Parcel], on_outcome: OnOutcome, *, wait_s: float) -> int: ...

    def recall(self) -> int:
        """Take back at once what has not begun (outcome UNSENT); how many."""

    async def ready(self) -> None:
        """Open one connection if none is; raises the WireError that prevents it."""

    def deliver(self, parcels: AsyncIterator[Parcel]) -> AsyncIterator[tuple[Parcel, Outcome]]: ...

    async def set_connections(self, connections: int) -> None: ...

    async def close(self, *, wait_s: float = 10.0) -> None:
        """Recall, wait for what is on the wire, QUIT; then cut."""
