"""The process of the practice post office."""

import asyncio
import contextlib
import signal

from postroom.practice.control import control_serve
from postroom.practice.office import Office

At = tuple[str, int]


def run(*, listen: At, ingress: At, control: At, haste: float = 1.0, rate: float = 0.0) -> int:
    """Serve until SIGTERM or SIGINT. haste: factor on all pauses before somebody answers; rate: about so many letters
    a second, 0 = no bound. Raises OSError when a port is taken.
    """
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(listen, ingress, control, haste, rate))
    return 0


async def _run(listen: At, ingress: At, control: At, haste: float, rate: float) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    office = Office(ingress, haste=haste, rate=rate)
    questions = await control_serve(*control, {"summary": office.summary, "everything": office.everything})
    letters = await office.serve(*listen)
    async with questions, letters:
        await stop.wait()
        await office.mailer.close()
        for session in list(office.sessions):
            if session.transport is not None:
                session.transport.abort()
