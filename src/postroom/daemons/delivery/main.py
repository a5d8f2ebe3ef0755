"""`postroom delivery`: one delivery process."""

import asyncio
import gc
import signal

import uvloop

from postroom.daemons.delivery.worker import DeliveryWorker

#: Objects that come to live before the collector looks at the young ones. A mini-batch makes some thousands, all freed
#: by their counts; with Python's 700 a sixth of all work was looking at them.
YOUNG = 50_000


async def _main() -> int:
    worker = DeliveryWorker()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, worker.stop)
    await worker.run()
    return 0


def run() -> int:
    """Deliver until SIGTERM or SIGINT; Django is set up by the caller."""
    gc.collect()
    gc.freeze()  # the program itself is not looked at again
    gc.set_threshold(YOUNG, 20, 20)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_main())
