"""Check settings with a real Postfix: the test message to oneself, encryption before sign-in, authentication off."""

import email
import email.policy

import pytest

from postroom.actions.account import account_save
from postroom.actions.account_check import warnings_of
from postroom.actions.account_probe import probe_ask
from postroom.errors import Conflict, TooMany
from postroom.models.account import Probe
from postroom.models.suppression import Suppression
from postroom.testing.dns import name_server
from postroom.testing.peer import Peer
from postroom.testing.servers import ACCOUNT, PASSWORD, member
from postroom.web.accounts.advice import panel_of
from tests.daemons.sync import syncing, wait_for
from tests.daemons.test_probes import ended, right, viewer

__all__ = ["right", "viewer"]
pytestmark = pytest.mark.django_db(transaction=True)


def asked(viewer, values, **more):
    return ended(probe_ask(viewer=viewer, values=values | more, send_test=True))


@pytest.fixture
def me(viewer):
    """The viewer signs in with an address that has a mailbox."""
    viewer.user.email = member(31)
    viewer.user.name = "Zoë Office"
    viewer.user.save()
    return viewer


@pytest.mark.req("SA-27", "SA-21")
def test_the_test_message_goes_to_the_login_address_and_names_account_time_and_user(office, me, right):
    workspace = me.workspace
    Suppression.objects.create(workspace=workspace, form="address", value=member(31), source="manual")
    values = right | {"name": "Autumn news", "address": ACCOUNT, "display_name": "Alder & Pike"}
    with syncing():
        result = asked(me, values)
    smtp = result["smtp"]
    assert smtp["ok"] is True, smtp
    assert [stage["name"] for stage in smtp["stages"]][-2:] == ["ehlo", "letter"]
    assert "queued as" in smtp["stages"][-1]["detail"]
    [line] = [line for line in panel_of(result).sides[0].stages if line.word == "Test message to you"]
    assert line.detail.startswith("accepted by the server, queue id ")
    mails = wait_for(lambda: office.dovecot.mails(member(31)))
    mail = email.message_from_bytes(mails[-1], policy=email.policy.default)
    assert mail["To"] == member(31)
    assert mail["From"] == f"Alder & Pike <{ACCOUNT}>"
    assert "Autumn news" in mail["Subject"]
    text = mail.get_content()
    for part in ("Autumn news", ACCOUNT, f"Zoë Office <{member(31)}>", "Europe/Warsaw"):
        assert part in text
    assert PASSWORD not in text


@pytest.mark.req("SA-27")
def test_a_sixth_test_message_in_a_minute_is_refused_and_counted_for_oneself_only(me, right):
    values = right | {"address": ACCOUNT}
    for _ in range(5):
        probe_ask(viewer=me, values=values, send_test=True)
    with pytest.raises(TooMany) as caught:
        probe_ask(viewer=me, values=values, send_test=True)
    assert caught.value.code == "TOO_MANY_TESTS"
    probe_ask(viewer=me, values=values)
    assert Probe.objects.filter(letter_to=member(31)).count() == 5


@pytest.mark.req("SA-27")
def test_who_signs_in_without_an_address_gets_no_test_message(viewer, right):
    viewer.user.email = "alice"
    viewer.user.save()
    with pytest.raises(Conflict) as caught:
        probe_ask(viewer=viewer, values=right | {"address": ACCOUNT}, send_test=True)
    assert caught.value.code == "NO_LOGIN_ADDRESS"


@pytest.mark.req("SA-27", "SA-26")
def test_a_server_that_does_not_take_the_message_is_quoted(viewer, right):
    script = [
        "S: 220 mx.example ESMTP",
        *("C: EHLO*", "S: 250 mx.example", "C: NOOP", "S: 250 ok"),
        *(
            "C: MAIL FROM*",
            "S: 553 5.7.1 Sender address rejected: not owned by user",
            "C: QUIT",
            "S: 221 bye",
        ),
    ]
    with Peer(script) as peer, syncing():
        values = {"smtp_host": "127.0.0.1", "smtp_port": peer.port, "smtp_security": "none"}
        bare = {"smtp_authenticate": False, "imap_host": "", "address": ACCOUNT}
        result = asked(viewer, right | values | bare)
    assert (result["smtp"]["ok"], result["smtp"]["code"]) == (False, "letter_refused")
    assert "not owned by user" in result["smtp"]["words"]


@pytest.mark.req("SA-21")
def test_use_tls_means_that_starttls_stands_before_the_password(viewer, right):
    script = [
        "S: 220 mx.example ESMTP",
        *("C: EHLO*", "S: 250-mx.example", "S: 250-AUTH PLAIN", "S: 250 STARTTLS"),
        *("C: STARTTLS", "S: 220 go", "tls", "C: EHLO*", "S: 250-mx.example", "S: 250 AUTH PLAIN"),
        *("C: AUTH PLAIN*", "S: 235 in", "C: NOOP", "S: 250 ok", "C: QUIT", "S: 221 bye"),
    ]
    with Peer(script) as peer, syncing():
        values = {"smtp_host": "localhost", "smtp_port": peer.port, "imap_host": ""}
        result = ended(probe_ask(viewer=viewer, values=right | values))
        heard = [line.upper() for line in peer.heard[0]]
    assert result["smtp"]["ok"] is True, result["smtp"]
    assert [line.split()[0] for line in heard][:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


@pytest.mark.req("SA-23")
@pytest.mark.parametrize(
    ("offered", "authenticate", "ok", "code"),
    [("AUTH PLAIN", False, True, ""), ("SIZE 1000", True, False, "no_auth_offered")],
)
def test_authentication_off_signs_in_nowhere_and_on_needs_a_server_that_asks(
    viewer, right, offered, authenticate, ok, code
):
    script = [
        "S: 220 mx.example ESMTP",
        *("C: EHLO*", "S: 250-mx.example", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go", "tls"),
        *("C: EHLO*", "S: 250-mx.example", f"S: 250 {offered}"),
        *(["C: NOOP", "S: 250 ok", "C: QUIT", "S: 221 bye"] if ok else ["silent"]),
    ]
    with Peer(script) as peer, syncing():
        values = {"smtp_host": "localhost", "smtp_port": peer.port, "imap_host": ""}
        values["smtp_authenticate"] = authenticate
        result = ended(probe_ask(viewer=viewer, values=right | values))
        heard = str(peer.heard).upper()
    assert (result["smtp"]["ok"], result["smtp"]["code"]) == (ok, code)
    assert "AUTH" not in heard


@pytest.mark.req("SA-09", "SA-15")
def test_a_domain_to_which_no_mail_goes_is_warned_of(office, viewer, right, settings):
    address = "news@nomail.example"
    with name_server() as server:
        server.records["nomail.example", "MX"] = ["0 ."]
        settings.POSTROOM_DNS = [server.address]
        with syncing():
            probe = probe_ask(viewer=viewer, values=right | {"address": address})
            found = ended(probe)["mx"]
    assert (found["domain"], found["state"]) == ("nomail.example", "wrong")
    account = account_save(viewer=viewer, values=right | {"name": "News", "address": address})
    assert account.status == "ok"
    assert {"code": "NO_MX", "field": "address"} in warnings_of(account)
    account = account_save(
        viewer=viewer, values={"address": "news@other.example"}, account_id=account.id, version=1
    )
    assert warnings_of(account) == [], "of that address nothing is known yet"
