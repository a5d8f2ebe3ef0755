"""Running `postroom` as people do: as a process of its own, on a data folder and ports of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

from postroom.testing.rooted import free_ports
from tests.host import tools

COMMAND = (sys.executable, "-m", "postroom.cli.main")


def environment(data: Path, **more):
    """A clean one: settings of the test run itself must not leak in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POSTROOM_")}
    return {
        **kept,
        "PYTHONPATH": str(tools.SOURCE),
        "POSTROOM_DATA": str(data),
        "POSTROOM_DELIVERY_PROCESSES": "1",
        **more,
    }


def postroom(*arguments, env, timeout=300):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], env=env, capture_output=True, text=True, timeout=timeout, cwd="/"
    )


class Serve:
    """`postroom serve` in the background; what it says on stdout in `said`, its log in `log`."""

    def __init__(self, data: Path, **more):
        self.port, self.ingress = free_ports(2)
        self.data = data
        self.env = environment(
            data,
            POSTROOM_LISTEN=f"127.0.0.1:{self.port}",
            POSTROOM_INGRESS_LISTEN=f"127.0.0.1:{self.ingress}",
            **more,
        )
        self.said: list[str] = []
        self.logged: list[str] = []
        self.process = subprocess.Popen(
            [*COMMAND, "serve"],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
        )
        for pipe, lines in ((self.process.stdout, self.said), (self.process.stderr, self.logged)):
            threading.Thread(target=lambda pipe=pipe, lines=lines: lines.extend(pipe), daemon=True).start()

    def said_of(self, word):
        """The line on stdout with `word`, waited for: seven processes start, perhaps on a busy machine."""
        came = tools.until(lambda: self._line(word) or self.process.poll() is not None, 240)
        assert came, "".join(self.logged)
        assert self._line(word), "".join(self.logged)
        return self._line(word)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _line(self, word):
        return next((line.strip() for line in list(self.said) if word in line), "")

    def get(self, path="/"):
        """Status and Location of a page, redirects not followed; 0 while nobody answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=10) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as error:
            with contextlib.closing(error):
                return error.code, error.headers.get("Location", "")
        except OSError:
            return 0, ""

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        code = self.process.wait(60)
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()
        return code


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None
