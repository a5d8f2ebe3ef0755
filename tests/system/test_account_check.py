"""What an administrator sees of an account, through the API, on real servers: check, save, read."""

import pytest
from django.test import Client

from postroom.models.message import Message
from postroom.testing.cast import make_cast
from postroom.testing.run import running
from postroom.testing.servers import PASSWORD
from tests.daemons.sync import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

JSON = "application/json"


@pytest.fixture
def api(child_env):
    client = Client()
    client.force_login(make_cast().alice.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def env(child_env, trust, tmp_path):
    quick = {
        "POSTROOM_POLL_SECONDS": "0.2",
        "POSTROOM_LEASE_SECONDS": "4",
        "POSTROOM_LEASE_RENEW_SECONDS": "1",
    }
    return {**child_env, **quick, "SSL_CERT_FILE": str(tmp_path / "authority.pem")}


@pytest.fixture
def values(office):
    address = office.spare_mailbox()
    return {
        "name": "Office",
        "address": address,
        "smtp_host": "localhost",
        "smtp_port": office.ports["submission"],
        "smtp_security": "starttls",
        "smtp_login": address,
        "smtp_password": PASSWORD,
        "imap_host": "localhost",
        "imap_port": office.dovecot.imaps,
        "imap_security": "tls",
        "imap_login": address,
        "imap_password": PASSWORD,
    }


def check(api, values):
    asked = api.post("/api/v1/accounts/probe", values, content_type=JSON)
    assert asked.status_code == 202, asked.content

    def ended():
        answer = api.get(f"/api/v1/probes/{asked.json()['id']}").json()
        return answer if answer["state"] == "done" else None

    answer = wait_for(ended, timeout=45)
    assert answer
    assert PASSWORD not in str(answer)
    return answer


@pytest.mark.req("CM-29")
@pytest.mark.req("CM-30")
def test_a_check_is_green_only_when_both_sides_pass(api, env, values):
    with running("sync", env=env):
        good = check(api, values)
        bad = check(api, values | {"smtp_password": "wrong password"})
    assert (good["ok"], good["smtp"]["ok"], good["imap"]["ok"]) == (True, True, True)
    assert (bad["ok"], bad["smtp"]["ok"], bad["imap"]["ok"]) == (False, False, True)
    assert bad["smtp"]["code"] == "login_refused"


def test_an_account_that_passed_is_ok_when_saved_and_its_mailbox_is_read(office, api, env, values):
    with running("sync", env=env):
        check(api, values)
        made = api.post("/api/v1/accounts", values | {"collector_on": True}, content_type=JSON).json()
        assert made["status"] == "ok"
        assert made["last_test"]["smtp"]["ok"] is True
        raw = b"From: a@box.example\r\nSubject: Hello\r\n\r\nHi.\r\n"
        office.dovecot.put(values["address"], raw)

        def read():
            return Message.objects.filter(account_id=made["id"], subject="Hello").exists()

        assert wait_for(read)
        assert api.get(f"/api/v1/accounts/{made['id']}").json()["reading"] == "ok"
