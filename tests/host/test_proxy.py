import pytest

from postroom.errors import HostError
from postroom.host.proxy import behind


def seen(proxies, remote, **headers):
    told = {}

    def application(environ, start_response):
        told.update(environ)
        return []

    environ = {"REMOTE_ADDR": remote, "wsgi.url_scheme": "http", **headers}
    behind(application, proxies)(environ, lambda *_: None)
    return told["REMOTE_ADDR"], told["wsgi.url_scheme"]


FORWARDED = {"HTTP_X_FORWARDED_FOR": "198.51.100.7", "HTTP_X_FORWARDED_PROTO": "https"}


def test_a_trusted_proxy_tells_address_and_scheme():
    assert seen(("127.0.0.1",), "127.0.0.1", **FORWARDED) == ("198.51.100.7", "https")


def test_a_network_of_proxies_may_be_named():
    assert seen(("10.0.0.0/8",), "10.2.3.4", **FORWARDED) == ("198.51.100.7", "https")


def test_a_stranger_is_not_believed():
    assert seen(("127.0.0.1",), "203.0.113.9", **FORWARDED) == ("203.0.113.9", "http")


def test_without_trusted_proxies_nobody_is_believed():
    assert seen((), "127.0.0.1", **FORWARDED) == ("127.0.0.1", "http")


def test_what_the_visitor_wrote_before_the_proxy_is_not_believed():
    told = {"HTTP_X_FORWARDED_FOR": "10.0.0.99, 198.51.100.7, 127.0.0.1"}
    assert seen(("127.0.0.1",), "127.0.0.1", **told) == ("198.51.100.7", "http")


def test_a_wrong_name_is_told():
    with pytest.raises(HostError, match="POSTROOM_TRUSTED_PROXIES"):
        behind(lambda environ, start: [], ("proxy.example.org",))
