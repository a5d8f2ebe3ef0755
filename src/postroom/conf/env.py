"""Settings come from the environment; these readers fail loudly, naming the variable.

Every reader notes the name in `KNOWN`, from which a test proves that docs/settings.md is complete. A secret
may also stand in the file named by NAME_FILE. An empty value counts as not set.
"""

import os
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from postroom.errors import HostError

#: Every variable that was asked for.
KNOWN: set[str] = set()

T = TypeVar("T")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def _read(name: str, default: T, parse: Callable[[str], T], want: str) -> T:
    KNOWN.add(name)
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        return parse(value)
    except ValueError as error:
        reason = f" ({error})" if str(error) else ""
        raise HostError(f"{name}={value!r} cannot be used: {want} is expected{reason}.") from error


def text(name: str, default: str = "") -> str:
    return _read(name, default, str, "text")


def secret(name: str, default: str = "") -> str:
    """The value of NAME, or the content of the file that NAME_FILE names, without the final line end."""
    KNOWN.update({name, f"{name}_FILE"})
    value, file = os.environ.get(name, "").strip(), os.environ.get(f"{name}_FILE", "").strip()
    if value and file:
        raise HostError(f"{name} and {name}_FILE are both set. Set one of them.")
    if not file:
        return value or default
    try:
        value = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise HostError(f"{name}_FILE={file!r} cannot be read: {error}.") from error
    if not value:
        raise HostError(f"{name}_FILE={file!r} is empty.")
    return value


def flag(name: str, default: bool = False) -> bool:
    def parse(value: str) -> bool:
        if value.lower() in _TRUE | _FALSE:
            return value.lower() in _TRUE
        raise ValueError

    return _read(name, default, parse, "yes or no")


def whole(name: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
    def parse(value: str) -> int:
        number = int(value) if value.lstrip("-").isascii() and value.lstrip("-").isdigit() else least - 1
        if not least <= number <= most:
            raise ValueError
        return number

    return _read(name, default, parse, f"a whole number from {least} to {most}")


def seconds(name: str, default: float, *, least: float = 0.001) -> float:
    """A time in seconds; fractions are allowed."""

    def parse(value: str) -> float:
        number = float(value)
        if not least <= number < 10**9:
            raise ValueError
        return number

    return _read(name, default, parse, f"a number of seconds, at least {least}")


def seconds_list(name: str, default: tuple[float, ...]) -> tuple[float, ...]:
    """Times in seconds, with commas between; never empty."""

    def parse(value: str) -> tuple[float, ...]:
        numbers = tuple(float(part) for part in value.split(","))
        if any(not 0 < number < 10**9 for number in numbers):
            raise ValueError
        return numbers

    return _read(name, default, parse, "numbers of seconds with commas between")


def names(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Words with commas between."""
    return _read(name, default, lambda v: tuple(p.strip() for p in v.split(",") if p.strip()), "a list")


def choice(name: str, default: str, words: tuple[str, ...]) -> str:
    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError
        return value.lower()

    return _read(name, default, parse, " or ".join(words))


def folder(name: str, default: Path) -> Path:
    """An absolute path; a relative one counts from the working folder."""
    return _read(name, default, Path, "a folder").expanduser().absolute()


def file(name: str) -> Path | None:
    return _read(name, None, lambda value: Path(value).expanduser().absolute(), "a file")


def listen(name: str, default: str) -> tuple[str, int] | None:
    """host:port to listen on; None for "off"."""

    def parse(value: str) -> tuple[str, int] | None:
        if value == "off":
            return None
        host, colon, port = value.rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError
        return host.strip("[]"), int(port)

    return _read(name, parse(default), parse, "HOST:PORT or off")


def servers(name: str) -> tuple[tuple[str, int], ...]:
    """IP addresses with or without a port (53), with commas between; () when not set."""

    def one(value: str) -> tuple[str, int]:
        if value.startswith("["):
            host, _, port = value[1:].partition("]")
        else:
            host, _, port = value.partition(":") if value.count(":") == 1 else (value, "", "")
        number = int(port.lstrip(":") or 53)
        if not 0 < number < 65536:
            raise ValueError
        return str(ip_address(host)), number

    return _read(name, (), lambda v: tuple(one(part.strip()) for part in v.split(",")), "IP addresses")


def listen_or_socket(name: str, default: str) -> tuple[str, int] | None:
    """The same, or the path of a Unix socket: then the path and port 0."""
    path = _read(name, "", lambda value: value if value.startswith("/") else "", "")
    return (path, 0) if path else listen(name, default)


def url(name: str, default: str, *, path: bool = False) -> str:
    """An http or https address, without the final slash; without a path unless one may stand behind it."""

    def parse(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError
        if parts.path.strip("/") and not path:
            raise ValueError("without a path")
        return value.rstrip("/")

    return _read(name, default, parse, "an address like https://post.example.org")
