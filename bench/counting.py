"""`python -m bench.counting`: the counting SMTP server as a process of its own.

Prints one JSON line with its ports when it is ready. The control port answers the words "summary", "everything" and
"reset", a line each, with one JSON object a line.
"""

import argparse
import asyncio
import json
import signal

from postroom.practice.control import control_serve
from postroom.testing.counting import CountingDesk, Manners


async def serve(args: argparse.Namespace) -> None:
    desk = CountingDesk(
        Manners(args.refuse, args.tempfail, args.once, args.drop, args.drop_data, args.delay, args.seed)
    )
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    letters = await desk.serve("127.0.0.1", args.port)
    words = {"summary": desk.summary, "everything": desk.everything, "reset": desk.reset}
    control = await control_serve("127.0.0.1", args.control, words)
    ports = {
        "port": letters.sockets[0].getsockname()[1],
        "control": control.sockets[0].getsockname()[1],
    }
    print(json.dumps(ports), flush=True)
    async with letters, control:
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--control", type=int, default=0)
    parser.add_argument("--refuse", default="", help="addresses matching this pattern get 550")
    parser.add_argument("--tempfail", default="", help="these get 451 every time")
    parser.add_argument("--once", default="", help="these get 451 the first time")
    parser.add_argument("--drop", type=float, default=0.0, help="share of messages taken without an answer")
    parser.add_argument("--drop-data", type=float, default=0.0, help="share of DATA commands cut off")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each final answer")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
