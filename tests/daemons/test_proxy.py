"""An account behind a proxy: a real SOCKS5 proxy of Debian before a real Postfix and Dovecot."""

import pytest

from postroom.actions.account_probe import probe_ask
from postroom.models.account import Account
from postroom.models.delivery import Delivery
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.rooted import Daemon, free_ports, listens
from postroom.testing.run import running, until
from postroom.testing.servers import ACCOUNT, PASSWORD, member
from tests.daemons.sync import syncing, wait_for
from tests.daemons.test_delivery import finished, quick_env, send
from tests.daemons.test_probes import ended, right, viewer

__all__ = ["quick_env", "right", "viewer"]
pytestmark = pytest.mark.django_db(transaction=True)

#: Where the proxy calls from: no connection of ours comes from there.
PROXY_IP = "127.0.0.2"


@pytest.fixture
def proxy(office):
    (port,) = free_ports(1)
    command = ("/usr/bin/microsocks", "-i", "127.0.0.1", "-p", str(port), "-b", PROXY_IP)
    daemon = Daemon(office.place, f"microsocks-{port}", *command, "-u", "office", "-P", "through the proxy")
    daemon.wait_for(lambda: listens(port))
    values = {
        "proxy_kind": "socks5",
        "proxy_host": "127.0.0.1",
        "proxy_port": port,
        "proxy_login": "office",
        "proxy_password": "through the proxy",
    }
    yield daemon, values
    daemon.stop()


def heard(office):
    """Every line of Postfix about a connection, so far."""
    return [line for line in office.postfix.words().splitlines() if " connect from " in line]


def stages(side):
    return [(stage["name"], stage["state"]) for stage in side["stages"]]


@pytest.mark.req("SA-25")
def test_a_check_and_a_campaign_go_through_the_proxy_and_never_past_it(
    office, viewer, right, proxy, quick_env, settings
):
    daemon, values = proxy
    before = len(heard(office))
    with syncing():
        result = ended(probe_ask(viewer=viewer, values=right | values))
    assert (result["smtp"]["ok"], result["imap"]["ok"]) == (True, True), result
    assert stages(result["smtp"])[0] == ("proxy", "ok")
    assert "dns" not in dict(stages(result["smtp"]))
    assert wait_for(lambda: len(heard(office)) > before)
    assert all(f"[{PROXY_IP}]" in line for line in heard(office)[before:])

    cast = make_cast()
    account = make_account(
        cast.alice,
        port=office.ports["submission"],
        address=ACCOUNT,
        smtp_host="localhost",
        smtp_security="starttls",
        smtp_authenticate=True,
        smtp_login=ACCOUNT,
        smtp_password=PASSWORD,
        **values,
    )
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, [member(33)]))
    send(campaign, cast.alice, settings)
    before = len(heard(office))
    with running("delivery", env=quick_env):
        until(finished(campaign), wait_s=60)
        assert Delivery.objects.get(campaign=campaign).state == "accepted"
        assert wait_for(lambda: office.dovecot.mails(member(33)))
        assert any(f"[{PROXY_IP}]" in line for line in heard(office)[before:])

        daemon.stop()
        before = len(heard(office))
        again = make_campaign(cast.alice, account, make_list(cast.alice, [member(34)], name="Later"))
        send(again, cast.alice, settings)
        until(lambda: Account.objects.get(id=account.id).paused_until, wait_s=60)
    account.refresh_from_db()
    assert "proxy" in account.status_reason
    assert Delivery.objects.get(campaign=again).state == "queued"
    assert len(heard(office)) == before, "nobody came by another way"


@pytest.mark.req("SA-25")
def test_a_proxy_that_is_down_or_refuses_us_fails_at_its_own_stage(office, viewer, right, proxy):
    daemon, values = proxy
    with syncing():
        refused = ended(probe_ask(viewer=viewer, values=right | values | {"proxy_password": "wrong"}))
        daemon.stop()
        before = len(heard(office))
        down = ended(probe_ask(viewer=viewer, values=right | values))
    for side in ("smtp", "imap"):
        assert stages(refused[side])[0] == ("proxy", "failed")
        assert refused[side]["code"] == "proxy_login_refused"
        assert stages(down[side])[0] == ("proxy", "failed")
        assert down[side]["code"] == "proxy_unreachable"
    assert len(heard(office)) == before
    assert "through the proxy" not in str(refused) + str(down)
