"""Every report that a real Postfix writes is recognised as what it is."""

import smtplib
import subprocess

import pytest

from postroom.mail.recognise import Kind, recognise
from postroom.mail.report import BounceClass
from postroom.testing.servers import ACCOUNT, PASSWORD, full, member

EVERYTHING = "SUCCESS,FAILURE,DELAY"


def send(office, recipient, envid, notify=EVERYTHING):
    raw = (
        f"From: News <{ACCOUNT}>\r\nTo: {recipient}\r\nSubject: Offer\r\nMessage-ID: <{envid}.c@office.example>\r\n"
        f"X-Postroom-Id: {envid}\r\n\r\nGood day.\r\n"
    )
    office.submit(ACCOUNT, recipient, raw.encode(), envid=envid, notify=notify)


def reports(office, envid, count=1):
    """The mails about `envid` that came back, recognised, in the order of their kinds."""

    def about(mails):
        found = [recognise(raw) for raw in mails]
        return [one for one in found if envid in one.envelope_ids]

    mails = office.wait_for_mails(ACCOUNT, lambda mails: len(about(mails)) >= count)
    found = about(mails)
    assert len(found) == count, office.postfix.words()[-3000:]
    return found


def only(office, envid):
    (found,) = reports(office, envid)
    (report,) = found.reports
    assert report.envelope_id == envid
    assert f"{envid}.c@office.example" in found.returned_message_ids
    assert envid in found.x_ids
    return found.kind, report


@pytest.mark.req("RC-07")
@pytest.mark.req("RC-12")
def test_a_delivered_mail_is_reported_as_delivered(office):
    send(office, member(1), "delivered1")
    kind, report = only(office, "delivered1")
    assert kind == Kind.DELIVERED
    assert (report.recipient, report.action, report.bounce_class) == (
        member(1),
        "delivered",
        BounceClass.NONE,
    )


@pytest.mark.req("RC-07")
def test_a_server_without_dsn_makes_it_relayed(office):
    send(office, "anna@nodsn.example", "relayed1")
    kind, report = only(office, "relayed1")
    assert kind == Kind.RELAYED
    assert (report.recipient, report.action) == ("anna@nodsn.example", "relayed")


@pytest.mark.req("RC-07")
def test_an_alias_with_two_members_is_expanded(office):
    send(office, "team1@alias.example", "expanded1")
    kind, report = only(office, "expanded1")
    assert kind == Kind.EXPANDED
    assert (report.recipient, report.action) == ("team1@alias.example", "expanded")


@pytest.mark.parametrize("recipient", ["nobody@box.example", "nobody@gone.example"])
def test_an_unknown_user_means_the_address_is_gone(office, recipient):
    envid = f"unknown.{recipient.partition('@')[2]}"
    send(office, recipient, envid)
    kind, report = only(office, envid)
    assert kind == Kind.FAILURE
    assert (report.recipient, report.status, report.smtp_code) == (recipient, "5.1.1", "550")
    assert report.bounce_class == BounceClass.ADDRESS_GONE
    assert report.permanent


def test_a_full_mailbox_is_the_state_of_a_mailbox(office):
    send(office, full(1), "full1")
    kind, report = only(office, "full1")
    assert kind == Kind.FAILURE
    assert (report.recipient, report.status) == (full(1), "5.2.2")
    assert report.bounce_class == BounceClass.MAILBOX_STATE
    assert "Quota exceeded" in report.words
    assert not report.permanent


def test_a_greylisted_mail_is_delayed_and_then_delivered(office):
    send(office, "member2@later.example", "later1")
    found = reports(office, "later1", count=2)
    assert [one.kind for one in found] == [Kind.DELAYED, Kind.DELIVERED]
    assert found[0].reports[0].recipient == "member2@later.example"


def test_nothing_comes_back_when_nothing_was_asked_and_nothing_failed(office):
    send(office, member(3), "silent1", notify="FAILURE")
    send(office, member(3), "silent2")
    reports(office, "silent2")
    assert not [raw for raw in office.dovecot.mails(ACCOUNT) if b"silent1" in raw]


def test_a_greylisting_door_refuses_once_and_then_takes_it(office):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(office, "member4@grey.example", "grey1")
    assert refused.value.recipients["member4@grey.example"][0] == 451
    send(office, "member4@grey.example", "grey1")
    kind, _ = only(office, "grey1")
    assert kind == Kind.DELIVERED


def test_swaks_can_send_through_the_submission_port_too(office):
    """Another client's words: swaks, out of the same root."""
    done = subprocess.run(
        [
            *("chroot", str(office.place.root), "/usr/bin/swaks", "--server", "127.0.0.1"),
            *("--port", str(office.ports["plain"]), "--auth", "PLAIN", "--auth-user", ACCOUNT),
            *("--auth-password", PASSWORD, "--from", ACCOUNT, "--to", member(5), "--helo", "office.example"),
            *("--header", "Subject: by swaks", "--body", "Hello", "--suppress-data"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C", "HOSTNAME": "localhost"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    mails = office.wait_for_mails(member(5), lambda mails: any(b"by swaks" in raw for raw in mails))
    assert any(b"by swaks" in raw for raw in mails)
