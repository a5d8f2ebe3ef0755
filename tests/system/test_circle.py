"""The full circle on real servers: a campaign goes out by SMTP, and everything that comes back is read over IMAP."""

import email
import email.policy
from collections import Counter
from email.message import EmailMessage

import pytest

from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.models.account import Collector
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery
from postroom.models.event import Event, EventReport
from postroom.models.message import Message
from postroom.models.suppression import Suppression
from postroom.queries.campaign import figures_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.run import running, until
from postroom.testing.servers import ACCOUNT, PASSWORD, full, member
from tests.daemons.sync import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {
    "POSTROOM_POLL_SECONDS": "0.1",
    "POSTROOM_LEASE_SECONDS": "4",
    "POSTROOM_LEASE_RENEW_SECONDS": "1",
    "POSTROOM_RETRY_SCHEDULE": "1,2,4",
}

DELIVERED = [member(number) for number in range(1, 29)]
UNKNOWN = [f"nobody{number}@box.example" for number in range(1, 6)]
GONE = [f"nobody{number}@gone.example" for number in range(1, 4)]
FULL = [full(number) for number in range(1, 6)]
RELAYED = [f"anna{number}@nodsn.example" for number in range(1, 6)]
EXPANDED = [f"team{number}@alias.example" for number in range(1, 5)]
#: Put off at our own RCPT, and by the next hop of the account's server.
GREY = [f"member{number}@grey.example" for number in range(31, 36)]
LATER = [f"member{number}@later.example" for number in range(36, 39)]
REFUSED = [f"nobody{number}@refused.example" for number in range(1, 3)]
EVERYBODY = DELIVERED + UNKNOWN + GONE + FULL + RELAYED + EXPANDED + GREY + LATER + REFUSED

READER, DELETER, LEAVER, WRITER, AWAY = DELIVERED[:5]


@pytest.fixture
def sent_from(office, child_env, trust, request, settings, tmp_path):
    """A campaign started from the account of the office, and the environment of the daemons."""

    def start(recipients, **more):
        office.dovecot.empty(ACCOUNT)
        cast = make_cast()
        account = make_account(
            cast.alice,
            address=ACCOUNT,
            smtp_host="localhost",
            port=office.ports["submission"],
            smtp_security="starttls",
            smtp_authenticate=True,
            smtp_login=ACCOUNT,
            smtp_password=PASSWORD,
            imap_host="localhost",
            imap_port=office.dovecot.imap,
            imap_security="starttls",
            imap_login=ACCOUNT,
            imap_password=PASSWORD,
            **more,
        )
        Collector.objects.create(account=account, interval_s=60)
        campaign = make_campaign(
            cast.alice,
            account,
            make_list(cast.alice, recipients),
            receipt_delivery=True,
            receipt_read=True,
        )
        campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
        campaign_freeze(campaign_id=campaign.id)
        env = {**child_env, **QUICK, "SSL_CERT_FILE": str(tmp_path / "authority.pem")}
        return campaign, env

    return start


def arrived(office, campaign, address):
    """The campaign's mail in a mailbox, parsed."""

    def ours(mails):
        parsed = [email.message_from_bytes(raw, policy=email.policy.default) for raw in mails]
        token = delivery(campaign, address)
        return [one for one in parsed if one["Message-ID"] and one["X-Postroom-Id"] in token]

    mails = office.wait_for_mails(address, lambda mails: bool(ours(mails)))
    (mail,) = ours(mails)
    return mail


def delivery(campaign, address):
    """The tokens of a recipient's row: what the mail in the mailbox must carry."""
    from postroom.conf import keys
    from postroom.mail.token import token_make

    row = Delivery.objects.get(campaign=campaign, address=address)
    return [token_make(row.id, key) for key in keys.current().token_keys]


def read_receipt(mail, reader, disposition="manual-action/MDN-sent-manually; displayed"):
    """RFC 8098, as a mail program writes it."""
    notice = EmailMessage()
    notice["From"], notice["To"] = reader, mail["Disposition-Notification-To"]
    notice["Subject"] = f"Read: {mail['Subject']}"
    notice["References"] = notice["In-Reply-To"] = mail["Message-ID"]
    notice.set_content("Your message was displayed. This is no guarantee that it was understood.")
    notice.make_mixed()
    fields = EmailMessage()
    fields["Reporting-UA"] = "desk; Mailer 1.0"
    fields["Final-Recipient"] = f"rfc822;{reader}"
    fields["Original-Message-ID"] = mail["Message-ID"]
    fields["Disposition"] = disposition
    part = EmailMessage()
    part["Content-Type"] = "message/disposition-notification"
    part.set_payload(fields.as_string())
    notice.attach(part)
    notice.set_type("multipart/report")
    notice.set_param("report-type", "disposition-notification")
    return notice


def letter(sender, subject, **headers):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ACCOUNT, subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Good day.")
    return mail


def answer(office, campaign):
    """What five of the recipients send back, each from the own mailbox."""

    def send(sender, mail, mail_from=None):
        raw = mail.as_bytes(policy=email.policy.SMTP)
        office.submit(sender if mail_from is None else mail_from, ACCOUNT, raw, login=sender)

    send(READER, read_receipt(arrived(office, campaign, READER), READER), mail_from="")
    unread = "automatic-action/MDN-sent-automatically; deleted"
    send(DELETER, read_receipt(arrived(office, campaign, DELETER), DELETER, unread), mail_from="")
    mailto = arrived(office, campaign, LEAVER)["List-Unsubscribe"].strip("<>")
    address, _, subject = mailto.removeprefix("mailto:").partition("?subject=")
    assert address == ACCOUNT
    send(LEAVER, letter(LEAVER, subject.replace("%20", " ")))
    question = arrived(office, campaign, WRITER)["Message-ID"]
    send(WRITER, letter(WRITER, "Re: Prices", In_Reply_To=question, References=question))
    vacation = arrived(office, campaign, AWAY)["Message-ID"]
    note = letter(AWAY, "Out of office", In_Reply_To=vacation, Auto_Submitted="auto-replied")
    send(AWAY, note, mail_from="")


def rows(campaign, addresses):
    """{(state, arrival, bounce class): how many} of these recipients."""
    found = Delivery.objects.filter(campaign=campaign, address__in=addresses)
    return Counter(found.values_list("state", "arrival", "bounce_class"))


def missing(campaign):
    """What has not come back yet."""
    row = {one.address: one for one in Delivery.objects.filter(campaign=campaign)}
    found = [
        f"{one.address}: {one.state} {one.arrival}"
        for one in row.values()
        if one.state != "failed" and one.arrival in ("unknown", "delayed")
    ]
    found += [f"receipt of {address}" for address in (READER, DELETER) if row[address].reading == "none"]
    found += ["request"] * (not row[LEAVER].unsubscribed_at) + ["reply"] * (not row[WRITER].replied_at)
    found += ["vacation note"] * (not EventReport.objects.filter(kind="auto_reply").exists())
    return found + ["the end"] * (Campaign.objects.get(id=campaign.id).state != "finished")


@pytest.mark.req("RC-02")
@pytest.mark.req("RC-07")
@pytest.mark.req("RC-12")
def test_every_one_of_sixty_recipients_ends_right(office, sent_from, tmp_path):
    assert len(EVERYBODY) == 60
    campaign, env = sent_from(EVERYBODY)
    with (
        running("delivery", env=env, log=tmp_path / "delivery.log"),
        running("sync", env=env, log=tmp_path / "sync.log"),
    ):
        until(lambda: Delivery.objects.filter(campaign=campaign, arrival="delivered").exists())
        answer(office, campaign)
        assert wait_for(lambda: not missing(campaign), timeout=60), missing(campaign)

    assert rows(campaign, DELIVERED + GREY + LATER) == {("accepted", "delivered", ""): 36}
    assert rows(campaign, RELAYED) == {("accepted", "relayed", ""): 5}
    assert rows(campaign, EXPANDED) == {("accepted", "expanded", ""): 4}
    assert rows(campaign, UNKNOWN + GONE) == {("accepted", "bounced", "address_gone"): 8}
    assert rows(campaign, FULL) == {("accepted", "bounced", "mailbox_state"): 5}
    assert rows(campaign, REFUSED) == {("failed", "unknown", "address_gone"): 2}

    # put off at our RCPT: the second try, with the words of the first kept
    for address in GREY:
        row = Delivery.objects.get(campaign=campaign, address=address)
        assert (row.attempts, row.tries[0]["code"]) == (2, 451)
        assert "Greylisted" in row.tries[0]["words"]
    assert {row.attempts for row in Delivery.objects.filter(address__in=DELIVERED + LATER)} == {1}

    readings = Counter(Delivery.objects.filter(campaign=campaign).values_list("address", "reading"))
    told = {address: reading for address, reading in readings if reading != "none"}
    assert told == {READER: "displayed", DELETER: "deleted_unread"}

    figures = figures_of([Campaign.objects.get(id=campaign.id)])[campaign.id]
    assert (figures.accepted, figures.failed, figures.queued) == (58, 2, 0)
    assert (figures.delivered, figures.relayed, figures.expanded, figures.bounced) == (36, 5, 4, 13)
    assert (figures.displayed, figures.deleted_unread, figures.unsubscribed) == (1, 1, 1)

    # gone is suppressed, full is not; who asked to be taken off is
    suppressed = dict(Suppression.objects.values_list("value", "source"))
    assert suppressed == {
        **dict.fromkeys(UNKNOWN + GONE + REFUSED, "bounce"),
        LEAVER: "unsubscribe",
    }

    assert not Event.objects.filter(strength="none").exists()
    assert not Event.objects.exclude(error="").exists()
    assert Message.objects.filter(direction="in", purpose="reply", delivery__address=WRITER).count() == 1
    collector = Collector.objects.get(account=campaign.account)
    assert (collector.error, collector.holder) == ("", "")
    # every report is there to be looked at, and the mailbox still has every mail
    seen = set(office.dovecot.mails(ACCOUNT))
    assert len(seen) >= Event.objects.count()

    mail = arrived(office, campaign, READER)
    assert mail["Disposition-Notification-To"] == ACCOUNT
    assert mail["Return-Path"] == f"<{ACCOUNT}>"
    assert "Return-Receipt-To" not in mail


@pytest.mark.req("RC-02")
def test_a_plus_tag_stands_in_return_path_and_receipt_address_alike(office, sent_from, tmp_path):
    """With the token in the envelope sender, reports find their message even without anything else of it."""
    reader = member(40)
    campaign, env = sent_from([reader, "nobody@box.example"], plus_tag=True)
    with running("delivery", env=env), running("sync", env=env, log=tmp_path / "sync.log"):
        mail = arrived(office, campaign, reader)
        token = mail["X-Postroom-Id"]
        tagged = ACCOUNT.replace("@", f"+{token}@")
        assert mail["Disposition-Notification-To"] == tagged
        assert mail["Return-Path"] == f"<{tagged}>"
        receipt = read_receipt(mail, reader).as_bytes(policy=email.policy.SMTP)
        office.submit("", tagged, receipt, login=reader)
        until(lambda: Delivery.objects.get(campaign=campaign, address=reader).reading == "displayed")
        until(lambda: Delivery.objects.filter(campaign=campaign, arrival="bounced").exists())
        until(lambda: Delivery.objects.filter(campaign=campaign, arrival="delivered").exists())
