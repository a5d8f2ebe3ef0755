"""The fixture of the real mail servers, for tests/system and tests/daemons."""

import os

import pytest

from postroom.testing.certificates import trusted
from postroom.testing.rooted import NoRoot
from postroom.testing.servers import start_office


@pytest.fixture(scope="session")
def office():
    """Postfix and Dovecot, running; shared by all tests of a folder, so each uses mails of its own."""
    try:
        # a report of delay after a second instead of four hours
        running = start_office(delay_warning_time="1s")
    except NoRoot as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no real mail servers: {error}")
    yield running
    running.stop()


@pytest.fixture
def trust(tmp_path, monkeypatch):
    """Clients in this process trust the authority of the tests."""
    path = tmp_path / "authority.pem"
    path.write_bytes(trusted().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
