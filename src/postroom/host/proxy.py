"""Believing a reverse proxy: only when it calls from an address of POSTROOM_TRUSTED_PROXIES."""

from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from postroom.errors import HostError

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")


def behind(application: Wsgi, proxies: tuple[str, ...]) -> Wsgi:
    """`application` with the visitor's address and scheme as trusted proxies tell; from others nothing is believed.

    proxies: addresses or networks ("10.0.0.1", "10.0.0.0/8"). Raises HostError for anything else.
    """
    try:
        networks = [ip_network(proxy) for proxy in proxies]
    except ValueError as error:
        raise HostError(f"POSTROOM_TRUSTED_PROXIES cannot be used: {error}.") from error

    def trusted(address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in networks)
        except ValueError:
            return False

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        told = {name: environ.pop(name) for name in _FORWARDED if name in environ}
        if trusted(environ.get("REMOTE_ADDR", "")):
            hops = [hop.strip() for hop in told.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
            while hops and trusted(hops[-1]):
                hops.pop()
            if hops:
                environ["REMOTE_ADDR"] = hops[-1]
            if told.get("HTTP_X_FORWARDED_PROTO", "").strip().lower() in {"http", "https"}:
                environ["wsgi.url_scheme"] = told["HTTP_X_FORWARDED_PROTO"].strip().lower()
        return application(environ, start_response)

    return call
