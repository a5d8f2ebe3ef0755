"""`postroom delivery`: one delivery process."""

import asyncio
import signal

import uvloop

from postroom.conf.garbage import collect_rarely
from postroom.daemons.delivery.worker import DeliveryWorker


async def _main() -> int:
    worker = DeliveryWorker()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, worker.stop)
    await worker.run()
    return 0


def run() -> int:
    """Deliver until SIGTERM or SIGINT; Django is set up by the caller."""
    collect_rarely()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_main())
