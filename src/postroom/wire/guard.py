"""Which addresses may be connected to: users type hosts, and our network is not theirs to explore (CM-19)."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from postroom.errors import HostRefused, NameNotFound

#: RFC 6052: the well-known prefix carries an IPv4 address in its last 32 bits.
_NAT64 = IPv6Network("64:ff9b::/96")


def allowed(address: str, *, allow_private: bool) -> bool:
    """Whether a connection to this IP address may be made. False for what is no IP address."""
    try:
        ip = _plain(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if ip.is_multicast or ip.is_unspecified:
        return False
    return allow_private or ip.is_global


async def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The IP addresses of a host that may be connected to, in the resolver's order; never empty.

    Connect to what is returned and not to the name: a second resolution may answer otherwise (DNS rebinding).
    Raises NameNotFound, HostRefused.
    """
    _checked(host)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _unknown(host) from error
    return _choose(host, (str(sockaddr[0]) for *_, sockaddr in found), allow_private=allow_private)


def resolve_blocking(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The same for the blocking callers."""
    _checked(host)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _unknown(host) from error
    return _choose(host, (str(sockaddr[0]) for *_, sockaddr in found), allow_private=allow_private)


def _plain(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one that only carries it."""
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip.sixtofour or ip
    return ip


def _checked(host: str) -> None:
    if not host.strip() or not host.isprintable() or any(c in host for c in " /@"):
        raise _unknown(host)


def _choose(host: str, found: Iterable[str], *, allow_private: bool) -> list[str]:
    addresses: Sequence[str] = list(dict.fromkeys(found))
    good = [address for address in addresses if allowed(address, allow_private=allow_private)]
    if not addresses:
        raise _unknown(host)
    if not good:
        raise HostRefused(
            f"{host} is at {addresses[0]}, inside a private network, and connections there are not allowed. "
            "The administrator can allow private networks."
        )
    return good


def _unknown(host: str) -> NameNotFound:
    return NameNotFound(f"No server named {host!r} is known. Check the spelling.")
