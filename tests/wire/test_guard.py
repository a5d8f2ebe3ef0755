"""Where connections may go."""

import asyncio

import pytest

from postroom.errors import HostRefused, NameNotFound
from postroom.wire import guard

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
]
NEVER = ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "no address", ""]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_networks_need_leave(address: str) -> None:
    assert not guard.allowed(address, allow_private=False)
    assert guard.allowed(address, allow_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_connected_to(address: str) -> None:
    assert not guard.allowed(address, allow_private=True)


@pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe", "64:ff9b::909:909"])
def test_public_addresses_are_fine(address: str) -> None:
    assert guard.allowed(address, allow_private=False)


@pytest.mark.req("CM-19")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "::ffff:127.0.0.1"]
)
def test_spellings_of_loopback_are_refused(host: str) -> None:
    for resolve in (guard.resolve_blocking, lambda *a, **k: asyncio.run(guard.resolve(*a, **k))):
        with pytest.raises((HostRefused, NameNotFound)):
            resolve(host, 25, allow_private=False)


@pytest.mark.parametrize("host", ["", " ", "a b", "a/b", "x@y", "a\r\nb", "a" * 300, "..", "a..b"])
def test_what_is_no_name_is_not_found(host: str) -> None:
    with pytest.raises(NameNotFound):
        guard.resolve_blocking(host, 25, allow_private=True)
    with pytest.raises(NameNotFound):
        asyncio.run(guard.resolve(host, 25, allow_private=True))


def test_the_checked_address_is_what_comes_back() -> None:
    assert guard.resolve_blocking("127.0.0.1", 25, allow_private=True) == ["127.0.0.1"]
