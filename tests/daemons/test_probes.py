"""A page asks for a test of account settings; the sync daemon does it against real servers and rude ones."""

import logging
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from postroom.actions.account import account_save
from postroom.actions.account_probe import probe_ask, probe_cancel
from postroom.models.account import Account, AccountStatus, Probe
from postroom.models.user import User
from postroom.models.workspace import Instance, Membership, Role, Workspace
from postroom.queries.viewer import viewer_of
from postroom.testing.peer import Peer
from postroom.testing.servers import ACCOUNT, PASSWORD
from postroom.web.accounts.advice import panel_of
from tests.daemons.sync import syncing, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def viewer(trust):
    Instance.objects.update_or_create(id=1, defaults={"allow_private_hosts": True})
    workspace = Workspace.objects.create(name="Office")
    user = User.objects.create(email="alice@office.example", name="Alice")
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    return viewer_of(user)


@pytest.fixture
def right(office):
    """Settings with which everything works."""
    return {
        "smtp_host": "localhost",
        "smtp_port": office.ports["submission"],
        "smtp_security": "starttls",
        "smtp_authenticate": True,
        "smtp_login": ACCOUNT,
        "smtp_password": PASSWORD,
        "imap_host": "localhost",
        "imap_port": office.dovecot.imaps,
        "imap_security": "tls",
        "imap_login": ACCOUNT,
        "imap_password": PASSWORD,
        "verify_certificate": True,
    }


def ended(probe, timeout=40.0):
    def done():
        probe.refresh_from_db()
        return probe.state == "done"

    assert wait_for(done, timeout), (probe.state, probe.result)
    assert probe.form == ""
    assert probe.ended_at is not None
    return probe.result


def outcome(viewer, values, account_id=0):
    probe = probe_ask(viewer=viewer, values=values, account_id=account_id)
    return ended(probe)


def codes(result):
    return result["smtp"]["code"], result["imap"]["code"]


@pytest.mark.req("CM-30")
@pytest.mark.req("CM-28", "SA-26")
def test_right_settings_pass_stage_by_stage_and_say_what_the_server_can(office, viewer, right):
    with syncing():
        result = outcome(viewer, right)
    smtp, imap = result["smtp"], result["imap"]
    assert (smtp["ok"], imap["ok"]) == (True, True)
    assert [stage["name"] for stage in smtp["stages"]] == ["dns", "tcp", "greeting", "tls", "login", "ehlo"]
    assert [stage["name"] for stage in imap["stages"]] == ["dns", "tcp", "tls", "greeting", "login", "inbox"]
    assert {stage["state"] for side in (smtp, imap) for stage in side["stages"]} == {"ok"}
    assert smtp["capabilities"]["dsn"] is True
    assert smtp["capabilities"]["8bitmime"] is True
    assert smtp["capabilities"]["smtputf8"] is True
    assert smtp["capabilities"]["size"] > 0
    assert set(smtp["capabilities"]["auth"]) >= {"PLAIN"}
    assert smtp["capabilities"]["tls"].startswith("TLSv1.")
    assert PASSWORD not in str(result)


def test_a_test_begins_within_half_a_second(viewer, right):
    with syncing():
        time.sleep(0.3)
        probe = probe_ask(viewer=viewer, values=right)

        def begun():
            probe.refresh_from_db()
            return probe.state != "waiting"

        assert wait_for(begun, timeout=2.0)  # 0.5 s promised; a busy machine gets more
        ended(probe)


@pytest.mark.req("CM-29")
def test_a_wrong_password_of_one_side_is_told_of_that_side_only(viewer, right):
    with syncing():
        result = outcome(viewer, right | {"smtp_password": "wrong password"})
    assert (result["imap"]["ok"], result["smtp"]["ok"]) == (True, False)
    assert result["smtp"]["code"] == "login_refused"
    states = {stage["name"]: stage["state"] for stage in result["smtp"]["stages"]}
    assert (states["tls"], states["login"], states["ehlo"]) == ("ok", "failed", "not_tried")
    assert "535" in result["smtp"]["words"]
    assert "wrong password" not in str(result)


@pytest.mark.req("CM-28", "SA-26")
def test_eight_broken_configurations_have_eight_different_messages(office, viewer, right):
    broken = {
        "name_not_found": {"smtp_host": "no-such-host.invalid"},
        "unreachable": {"smtp_port": 1},
        "tls_wrong_mode": {"smtp_security": "tls"},
        "starttls_not_offered": {"smtp_port": office.ports["plain"]},
        "certificate_host": {"smtp_port": office.ports["other_name"]},
        "certificate_expired": {"smtp_port": office.ports["expired"]},
        "certificate_self_signed": {"smtp_port": office.ports["self_signed"]},
        "login_refused": {"smtp_password": "wrong password"},
        "not_smtp": {"smtp_port": office.dovecot.imap},
    }
    with syncing():
        found = {code: outcome(viewer, right | change)["smtp"] for code, change in broken.items()}
    assert {code: side["code"] for code, side in found.items()} == {code: code for code in broken}
    assert len({side["message"] for side in found.values()}) == len(broken)
    assert all(side["message"] and side["ok"] is False for side in found.values())


@pytest.mark.req("CM-28")
def test_broken_reading_sides_have_different_messages_too(office, viewer, right):
    bare, self_signed = office.another_dovecot(""), office.another_dovecot("self_signed")
    starttls = {"imap_security": "starttls"}
    broken = {
        "name_not_found": {"imap_host": "no-such-host.invalid"},
        "unreachable": {"imap_port": 1},
        "tls_wrong_mode": {"imap_port": office.dovecot.imap},
        "starttls_not_offered": {"imap_port": bare.imap, **starttls},
        "certificate_self_signed": {"imap_port": self_signed.imaps},
        "login_refused": {"imap_password": "wrong password"},
        "not_imap": {"imap_port": office.ports["plain"], **starttls},
    }
    with syncing():
        found = {code: outcome(viewer, right | change)["imap"] for code, change in broken.items()}
    assert {code: side["code"] for code, side in found.items()} == {code: code for code in broken}
    assert len({side["message"] for side in found.values()}) == len(broken)


@pytest.mark.req("CM-25")
def test_a_self_signed_certificate_fails_when_verified_and_works_when_not(office, viewer, right):
    values = right | {"smtp_port": office.ports["self_signed"]}
    with syncing():
        strict = outcome(viewer, values)
        lenient = outcome(viewer, values | {"verify_certificate": False})
    assert codes(strict) == ("certificate_self_signed", "")
    assert (lenient["smtp"]["ok"], lenient["imap"]["ok"]) == (True, True)


@pytest.mark.req("CM-21")
def test_no_password_goes_over_the_wire_when_starttls_is_not_offered(viewer, right):
    smtp = ["S: 220 mx.example ESMTP", "C: EHLO*", "S: 250-mx.example", "S: 250 AUTH PLAIN LOGIN", "silent"]
    imap = [
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready",
        *("C: *CAPABILITY*", "S: * CAPABILITY IMAP4rev1 AUTH=PLAIN", "S: {tag} OK done", "silent"),
    ]
    with syncing(), Peer(smtp) as one, Peer(imap) as two:
        result = outcome(
            viewer,
            right
            | {"smtp_host": "127.0.0.1", "smtp_port": one.port}
            | {"imap_host": "127.0.0.1", "imap_port": two.port, "imap_security": "starttls"},
        )
    assert codes(result) == ("starttls_not_offered", "starttls_not_offered")
    said = str(one.heard + two.heard).upper()
    assert "AUTH PLAIN" not in said
    assert " LOGIN " not in said
    assert PASSWORD.upper() not in said


@pytest.mark.req("CM-21")
def test_without_encryption_no_password_is_sent_unless_the_workspace_allows_it(office, viewer, right):
    values = right | {"smtp_security": "none", "smtp_port": office.ports["plain"]}
    Workspace.objects.update(allow_clear_text_login=True)
    probe = probe_ask(viewer=viewer, values=values)
    Workspace.objects.update(allow_clear_text_login=False)
    with syncing():
        assert codes(ended(probe)) == ("clear_text_login", "")
        Workspace.objects.update(allow_clear_text_login=True)
        assert codes(outcome(viewer, values)) == ("", "")


@pytest.mark.req("CM-30")
def test_a_passed_test_of_a_stored_account_is_its_last_test(office, viewer, right):
    account = account_save(
        viewer=viewer,
        values=right | {"name": "News", "address": ACCOUNT, "display_name": "", "per_minute": 0},
    )
    assert account.status == AccountStatus.UNTESTED
    with syncing():
        outcome(viewer, {"smtp_password": "", "imap_password": ""}, account.id)
    account.refresh_from_db()
    assert account.status == AccountStatus.OK
    assert account.last_test["smtp"]["ok"] is True
    assert account.last_test["imap"]["ok"] is True
    assert account.capabilities["dsn"] is True


@pytest.mark.req("CM-28")
def test_a_test_of_changed_values_saves_nothing(office, viewer, right):
    account = account_save(viewer=viewer, values=right | {"name": "News", "address": ACCOUNT})
    with syncing():
        outcome(viewer, {"smtp_port": 1}, account.id)
    account.refresh_from_db()
    assert (account.smtp_port, account.last_test) == (office.ports["submission"], {})


def test_an_account_without_a_mailbox_is_tested_on_its_one_side(viewer, right):
    with syncing():
        result = outcome(viewer, right | {"imap_host": ""})
    assert (result["smtp"]["ok"], result["imap"]["ok"], result["imap"]["code"]) == (True, None, "not_set")


def test_the_smtp_side_can_sign_in_as_the_imap_side(viewer, right):
    with syncing():
        result = outcome(viewer, right | {"smtp_login": "", "smtp_password": "", "smtp_same_as_imap": True})
    assert (result["smtp"]["ok"], result["imap"]["ok"]) == (True, True)


def test_a_private_host_is_not_connected_to_where_it_is_not_allowed(office, viewer, right):
    probe = probe_ask(viewer=viewer, values=right)
    Instance.objects.update(allow_private_hosts=False)
    with syncing():
        assert codes(ended(probe)) == ("host_refused", "host_refused")


@pytest.mark.req("CM-28")
def test_a_cancelled_test_ends_at_once_and_keeps_no_secret(viewer, right):
    with syncing(), Peer(["silent"]) as peer:
        probe = probe_ask(viewer=viewer, values=right | {"smtp_host": "127.0.0.1", "smtp_port": peer.port})

        def waits_for_the_greeting():
            probe.refresh_from_db()
            return (probe.result.get("imap") or {}).get("ok") and "smtp" in probe.result

        assert wait_for(waits_for_the_greeting)
        assert probe.result["smtp"]["ok"] is None
        probe_cancel(viewer=viewer, probe_id=probe.id)
        # leaving the block checks that the client has gone, long before the 10 s of a stage are over
    probe.refresh_from_db()
    assert (probe.state, probe.form) == ("cancelled", "")


def test_tests_older_than_ten_minutes_are_gone_and_left_ones_end(viewer, right):
    old, left = (probe_ask(viewer=viewer, values=right) for _ in range(2))
    now = timezone.now()
    Probe.objects.filter(id=old.id).update(created_at=now - timedelta(minutes=11), state="waiting")
    Probe.objects.filter(id=left.id).update(created_at=now - timedelta(minutes=3), state="running")
    with syncing():
        assert wait_for(lambda: not Probe.objects.filter(id=old.id).exists())
    left.refresh_from_db()
    assert (left.state, left.form) == ("done", "")


def test_no_secret_is_logged(viewer, right, caplog):
    caplog.set_level(logging.DEBUG)
    with syncing():
        outcome(viewer, right)
        outcome(viewer, right | {"imap_password": "wrong password"})
    assert "probe" in caplog.text
    assert PASSWORD not in caplog.text
    assert "wrong password" not in caplog.text


def test_nothing_of_an_account_is_left_in_the_row_of_a_test(viewer, right):
    with syncing():
        outcome(viewer, right)
    assert not Account.objects.exists()
    assert Probe.objects.get().form == ""


def test_a_test_stored_with_another_key_ends_and_keeps_no_other(viewer, right):
    bad = probe_ask(viewer=viewer, values=right)
    Probe.objects.filter(id=bad.id).update(state="done")  # one person has one test at a time
    good = probe_ask(viewer=viewer, values=right)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE postroom_probe SET form = 'garbage', state = 'waiting' WHERE id = %s", [bad.id]
        )
    with syncing():
        assert codes(ended(good)) == ("", "")
    assert Probe.objects.get(id=bad.id).state == "done"


@pytest.mark.req("CM-03")
def test_a_legacy_account_is_checked_at_its_pop3_server_and_after_the_change_at_its_imap_server(
    office, viewer, right
):
    values = right | {"name": "Old", "address": ACCOUNT, "imap_port": office.dovecot.pop3s}
    account = account_save(viewer=viewer, values=values)
    Account.objects.update(protocol="pop3")
    with syncing():
        result = outcome(viewer, {}, account.id)
        reading = result["imap"]
        assert (reading["side"], reading["ok"]) == ("pop3", True), reading
        assert [stage["name"] for stage in reading["stages"]] == [
            *("dns", "tcp", "tls", "greeting", "login", "inbox")
        ]
        account.refresh_from_db()
        assert account.status == AccountStatus.OK
        assert "Reading, POP3" in [side.title for side in panel_of(account.last_test).sides]
        wrong = outcome(viewer, {"imap_port": office.dovecot.imaps}, account.id)["imap"]
        assert (wrong["ok"], wrong["code"]) == (False, "not_pop3")
        account_save(viewer=viewer, account_id=account.id, values={"protocol": "imap"})
        account.refresh_from_db()
        assert account.status == AccountStatus.UNTESTED
        right_again = outcome(viewer, {"imap_port": office.dovecot.imaps}, account.id)["imap"]
        assert (right_again["side"], right_again["ok"]) == ("imap", True)
