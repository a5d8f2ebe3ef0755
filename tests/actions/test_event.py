"""What came back finds its message, and only what we signed changes anything."""

import pytest

from postroom.actions.event import event_store_smtp, events_process, ingress_accepts
from postroom.actions.message_send import Letter, message_send
from postroom.models.delivery import Delivery
from postroom.models.event import Event, EventReport
from postroom.models.message import Message
from postroom.models.suppression import Suppression
from postroom.models.workspace import Workspace
from postroom.queries.campaign import figures_of
from postroom.queries.content import addressing_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(settings):
    """A campaign of three whose messages were all accepted."""
    from postroom.actions.campaign_start import campaign_freeze, campaign_start

    cast = make_cast(bounce_host="bounces.alderpike.example")
    people = make_list(cast.alice, ["ann@example.net", "bob@example.net", "cid@example.net"])
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25), people)
    campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
    campaign_freeze(campaign_id=campaign.id)
    Delivery.objects.filter(campaign=campaign).update(state="accepted", attempts=1)
    return campaign


def path_of(delivery, prefix="b-"):
    token = addressing_of(delivery.campaign.account).token(delivery.id)
    return f"{prefix}{token}@bounces.alderpike.example"


def dsn(recipient, action="failed", status="5.1.1", words="550 5.1.1 User unknown", extra=""):
    return (
        "From: MAILER-DAEMON@mx.example.net\r\nTo: x\r\nSubject: Undelivered\r\nAuto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.example.net\r\n{extra}\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {words}\r\n\r\n--b--\r\n"
    ).encode()


def take(raw, to, sender=""):
    event_id = event_store_smtp(envelope_from=sender, envelope_to=to, raw=raw, source="smtp")
    events_process([event_id])
    return Event.objects.get(id=event_id)


def figures(campaign):
    return figures_of([campaign])[campaign.id].counts


def row(campaign, address):
    return Delivery.objects.get(campaign=campaign, address=address)


def test_a_signed_failure_is_shown_counted_and_suppresses_an_address_that_is_gone(sent):
    ann = row(sent, "ann@example.net")
    event = take(dsn("ann@example.net"), path_of(ann))
    ann.refresh_from_db()
    assert (event.kind, event.strength) == ("failure", "signed")
    assert (ann.state, ann.arrival, ann.bounce_class) == ("accepted", "bounced", "address_gone")
    assert figures(sent)["bounced"] == 1
    entry = Suppression.objects.get(value="ann@example.net")
    assert (entry.source, entry.event_id) == ("bounce", event.id)


def test_the_same_report_twice_counts_once(sent):
    ann = row(sent, "ann@example.net")
    for _ in range(2):
        take(dsn("ann@example.net"), path_of(ann))
    assert figures(sent)["bounced"] == 1
    assert EventReport.objects.filter(delivery=ann).count() == 2


def test_a_full_mailbox_comes_back_but_stays_in_use(sent):
    ann = row(sent, "ann@example.net")
    take(dsn("ann@example.net", status="5.2.2", words="552 5.2.2 Mailbox full"), path_of(ann))
    ann.refresh_from_db()
    assert (ann.arrival, ann.bounce_class) == ("bounced", "mailbox_state")
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("action", "arrival"),
    [("delivered", "delivered"), ("relayed", "relayed"), ("expanded", "expanded"), ("delayed", "delayed")],
)
def test_the_other_actions_are_kept_apart(sent, action, arrival):
    bob = row(sent, "bob@example.net")
    take(dsn("bob@example.net", action, "2.0.0" if action != "delayed" else "4.4.1", "250 ok"), path_of(bob))
    bob.refresh_from_db()
    assert bob.arrival == arrival
    assert figures(sent)[arrival] == 1
    assert figures(sent)["bounced"] == 0


def test_a_later_weaker_report_takes_nothing_back(sent):
    bob = row(sent, "bob@example.net")
    take(dsn("bob@example.net", "delivered", "2.0.0", "250 ok"), path_of(bob))
    take(dsn("bob@example.net", "delayed", "4.4.1", "452 later"), path_of(bob))
    bob.refresh_from_db()
    assert bob.arrival == "delivered"
    assert figures(sent)["delayed"] == 0


def test_a_signed_report_settles_doubt(sent):
    from postroom.actions.figures import figures_add

    Delivery.objects.filter(campaign=sent).update(state="uncertain", trouble="uncertain")
    figures_add(sent.id, {"uncertain": 3})
    ann, bob = row(sent, "ann@example.net"), row(sent, "bob@example.net")
    take(dsn("ann@example.net", "delivered", "2.0.0", "250 ok"), path_of(ann))
    take(dsn("bob@example.net"), path_of(bob))
    states = {d.address[:3]: d.state for d in Delivery.objects.filter(campaign=sent)}
    assert states == {"ann": "accepted", "bob": "failed", "cid": "uncertain"}
    assert (figures(sent)["uncertain"], figures(sent)["accepted"], figures(sent)["failed"]) == (1, 1, 1)


def test_a_forged_report_changes_and_counts_nothing(sent):
    ann = row(sent, "ann@example.net")
    token = path_of(ann)
    forged = token.replace(token[6], "a" if token[6] != "a" else "b", 1)
    assert not ingress_accepts(forged)
    before = figures(sent)
    event = take(dsn("ann@example.net"), forged)
    ann.refresh_from_db()
    assert ann.arrival == "unknown"
    assert event.strength in ("none", "likely")
    assert figures(sent) == before
    assert not Suppression.objects.exists()


def test_a_report_without_any_trace_is_only_probably_about_somebody(sent):
    from django.utils import timezone

    Delivery.objects.filter(campaign=sent).update(state_at=timezone.now())
    event = Event.objects.get(
        id=event_store_smtp(
            envelope_from="",
            envelope_to="post@alderpike.example",
            raw=dsn("ann@example.net"),
            source="smtp",
        )
    )
    Event.objects.filter(id=event.id).update(workspace_id=sent.workspace_id)
    events_process([event.id])
    event.refresh_from_db()
    assert event.strength == "likely"
    assert row(sent, "ann@example.net").arrival == "unknown"
    assert not Suppression.objects.exists()


def test_words_from_the_null_path_that_nobody_knows_are_a_failure_without_a_reason(sent):
    ann = row(sent, "ann@example.net")
    take(b"From: robot@x.example\r\nSubject: zzz\r\n\r\nqqq qqq\r\n", path_of(ann))
    ann.refresh_from_db()
    assert ann.arrival == "bounced"
    assert not Suppression.objects.exists()


def test_a_persons_answer_is_kept_as_a_message_and_marks_the_row(sent):
    ann = row(sent, "ann@example.net")
    raw = b"From: Ann <ann@example.net>\r\nSubject: Re: Prices\r\nMessage-ID: <1@x>\r\n\r\nThank you!\r\n"
    take(raw, path_of(ann), sender="ann@example.net")
    ann.refresh_from_db()
    message = Message.objects.get(direction="in")
    assert message.delivery_id == ann.id
    assert ann.replied_at is not None or message.purpose == "reply"
    assert ann.arrival == "unknown"


def test_a_mail_to_the_unsubscribe_address_unsubscribes(sent):
    ann = row(sent, "ann@example.net")
    raw = b"From: ann@example.net\r\nSubject: unsubscribe\r\n\r\n\r\n"
    take(raw, path_of(ann, "u-"), sender="ann@example.net")
    ann.refresh_from_db()
    assert ann.unsubscribed_at is not None
    assert Suppression.objects.get(value="ann@example.net").source == "unsubscribe"
    assert figures(sent)["unsubscribed"] == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"User unknown", b"User\0unknown"),
        (b"User unknown", b"User \xff\xed\xa0\x80"),
        (b"rfc822; ann@example.net", b"rfc822; ann@example.net\0"),
        (b"Subject: Undelivered", b"Subject: =?utf-8?b?AAA=?= \xff\0"),
        (b"MAILER-DAEMON@", b"\0\xed\xb0\x80@"),
    ],
)
def test_bytes_that_no_database_takes_do_not_cost_the_report(sent, old, new):
    ann = row(sent, "ann@example.net")
    event = take(dsn("ann@example.net").replace(old, new), path_of(ann))
    ann.refresh_from_db()
    assert (event.error, event.kind, ann.arrival) == ("", "failure", "bounced")


def take_elsewhere(raw, to, workspace, sender=""):
    """Read in the mailbox of another firm."""
    event_id = event_store_smtp(envelope_from=sender, envelope_to=to, raw=raw, source="smtp")
    Event.objects.filter(id=event_id).update(workspace=workspace)
    events_process([event_id])
    return Event.objects.get(id=event_id)


def test_in_a_mailbox_that_two_firms_use_a_report_goes_to_whose_mail_it_speaks_of(sent):
    ann = row(sent, "ann@example.net")
    event = take_elsewhere(
        dsn("ann@example.net"), path_of(ann), Workspace.objects.create(name="Another firm")
    )
    report = EventReport.objects.get(delivery=ann)
    assert event.workspace_id == report.workspace_id == sent.workspace_id
    ann.refresh_from_db()
    assert ann.arrival == "bounced"


def test_a_letter_in_the_mailbox_of_another_firm_stays_there(sent):
    ann = row(sent, "ann@example.net")
    other = Workspace.objects.create(name="Another firm")
    raw = b"From: Ann <ann@example.net>\r\nSubject: Re: Prices\r\nMessage-ID: <1@x>\r\n\r\nThank you!\r\n"
    event = take_elsewhere(raw, path_of(ann), other, sender="ann@example.net")
    message = Message.objects.get(direction="in")
    assert (event.workspace_id, event.campaign_id) == (other.id, None)
    assert (message.workspace_id, message.campaign_id, message.delivery_id) == (other.id, None, None)
    ann.refresh_from_db()
    assert ann.replied_at is None


@pytest.mark.parametrize(
    "raw", [b"", b"\0\xff\xfe" * 500, b"Content-Type: multipart/report; boundary=\r\n\r\n--"]
)
def test_odd_bytes_are_kept_and_never_stop_the_reading(sent, raw):
    ann = row(sent, "ann@example.net")
    event = take(raw, path_of(ann))
    assert event.kind != ""
    assert event.error == ""


def test_of_a_message_to_several_a_report_speaks_only_of_whom_it_names():
    """They share a Message-ID: a report that came to no return path of ours tells the recipient by address only."""
    cast = make_cast(bounce_host="bounces.alderpike.example")
    account = make_account(cast.alice, port=25)
    letter = Letter(to="ann@example.net, bob@example.net", text="Hello", account_id=account.id, undo_s=0)
    message = message_send(viewer=cast.alice, letter=letter)
    Delivery.objects.filter(message=message).update(state="accepted", attempts=1, retry_at=None)
    ann, bob = Delivery.objects.filter(message=message).order_by("id")
    token = addressing_of(account).token(ann.id)
    named = f"X-Postroom-Id: {token}\r\n\r\n--b--"

    def returned(recipient):
        part = f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{named}"
        return dsn(recipient).decode().replace("--b--", part).encode()

    events = [
        event_store_smtp(
            envelope_from="", envelope_to="sales@alderpike.example", raw=returned(who), source="smtp"
        )
        for who in ("bob@example.net", "somebody@else.example")
    ]
    events_process(events)
    ann.refresh_from_db()
    bob.refresh_from_db()
    assert (ann.arrival, bob.arrival) == ("unknown", "bounced")
    assert EventReport.objects.get(recipient="bob@example.net").strength == "named"
    assert EventReport.objects.get(recipient="somebody@else.example").strength == "likely"
