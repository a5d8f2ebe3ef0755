"""One log for all parts: a JSON line a record on stderr; on a terminal a short line for people.

No body, password, token or link with a token is ever logged.
"""

import json
import logging
import sys
import time
from types import TracebackType

from postroom.conf import env

_QUIET = {
    "django.request": logging.ERROR,  # a 404 would name its path, and links carry tokens
    "procrastinate": logging.WARNING,
    "_granian": logging.WARNING,
    "asyncio": logging.WARNING,
}


class JsonLine(logging.Formatter):
    def __init__(self, part: str) -> None:
        super().__init__()
        self.part = part

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "part": self.part,
            "logger": record.name,
            "message": record.getMessage(),
        }
        data = getattr(record, "data", None)  # logger.info("...", extra={"data": {"account": 3}})
        if isinstance(data, dict):
            line.update(data)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class HumanLine(logging.Formatter):
    def __init__(self, part: str) -> None:
        super().__init__(f"%(asctime)s {part:<8} %(message)s", "%H:%M:%S")


def setup(part: str) -> None:
    """Send all records of this process to stderr, marked with `part` ("web", "delivery")."""
    level = env.choice("POSTROOM_LOG_LEVEL", "info", ("debug", "info", "warning", "error"))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(HumanLine(part) if sys.stderr.isatty() else JsonLine(part))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(True)
    sys.excepthook = _log_end


def _log_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("postroom").critical("Ended by an error nobody caught.", exc_info=(kind, error, trace))
