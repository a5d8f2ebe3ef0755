"""An address alone is enough: the sync daemon finds its servers by DNS, and a form is filled with them."""

import pytest

from postroom.models.account import Discovery
from postroom.testing.cast import make_cast
from postroom.testing.dns import name_server
from tests.daemons.sync import syncing, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def names(settings):
    with name_server() as server:
        settings.POSTROOM_DNS = [server.address]
        yield server


def searched(client, address):
    """Ask by the API, wait for the end; the answer."""
    made = client.post("/api/v1/accounts/find", {"address": address}, content_type="application/json")
    assert made.status_code == 202, made.content
    place = f"/api/v1/accounts/find/{made.json()['id']}"
    assert wait_for(lambda: client.get(place).json()["state"] == "done", 60)
    return client.get(place).json()


def test_srv_records_lead_to_a_filled_form(names, client):
    names.records["_submissions._tcp.firm.example", "SRV"] = ["0 0 465 out.firm.example."]
    names.records["_imaps._tcp.firm.example", "SRV"] = ["0 0 993 in.firm.example."]
    cast = make_cast()
    client.force_login(cast.bob.user)
    with syncing():
        found = searched(client, "Bob@firm.example")
    assert found["result"] == {
        "source": "srv",
        "name": "firm.example",
        "hint": "",
        "imap_host": "in.firm.example",
        "imap_port": 993,
        "imap_security": "tls",
        "imap_login": "Bob@firm.example",
        "smtp_host": "out.firm.example",
        "smtp_port": 465,
        "smtp_security": "tls",
        "smtp_login": "Bob@firm.example",
    }
    page = client.get(f"/settings/accounts/new/?found={found['id']}").content.decode()
    assert 'value="out.firm.example"' in page
    assert 'value="in.firm.example"' in page
    client.force_login(cast.alice.user)
    assert client.get(f"/api/v1/accounts/find/{found['id']}").status_code == 404
    client.force_login(cast.charlie.user)
    assert client.get(f"/settings/accounts/new/?found={found['id']}").status_code == 404


def test_mx_records_name_the_provider_and_its_limits_come_along(names, client):
    names.records["firm.example", "MX"] = ["10 aspmx.l.google.com."]
    client.force_login(make_cast().bob.user)
    with syncing():
        result = searched(client, "bob@firm.example")["result"]
    assert (result["source"], result["name"], result["hint"]) == ("mx", "Google Workspace", "app_password")
    assert result["per_day"] == 2000


def test_nothing_found_is_said_on_the_page_and_a_bad_address_at_once(names, client):
    client.force_login(make_cast().bob.user)
    wrong = client.post("/settings/accounts/find/", {"address": "no address"}, headers={"HX-Request": "true"})
    assert wrong.status_code == 422
    with syncing():
        answer = client.post("/settings/accounts/find/", {"address": "bob@nowhere.example"})
        assert "Looking for the servers" in answer.content.decode()
        made = Discovery.objects.get()
        assert wait_for(lambda: Discovery.objects.get(id=made.id).state == "done", 60)
    shown = client.get(f"/settings/accounts/find/{made.id}/").content.decode()
    assert "No servers were found" in shown
