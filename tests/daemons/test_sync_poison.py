"""Mails that a server does not hand out, or breaks down over: the others are taken all the same."""

import pytest
from django.utils import timezone

from postroom.models.account import Account, Collector
from postroom.models.event import Event, LogLine
from postroom.models.user import User
from postroom.models.workspace import Instance, Workspace
from postroom.testing.peer import Peer
from tests.daemons.sync import syncing, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

OPEN = [
    *(
        "S: * OK [CAPABILITY IMAP4rev1] ready",
        "C: * CAPABILITY",
        "S: * CAPABILITY IMAP4rev1",
        "S: {tag} OK done",
    ),
    *(
        "C: * LOGIN anna *",
        "S: {tag} OK in",
        "C: * CAPABILITY",
        "S: * CAPABILITY IMAP4rev1",
        "S: {tag} OK done",
    ),
    *(
        "C: * EXAMINE *",
        "S: * 3 EXISTS",
        "S: * OK [UIDVALIDITY 9] v",
        "S: * OK [UIDNEXT 4] n",
        "S: {tag} OK done",
    ),
]
BYE = ["C: * LOGOUT", "S: * BYE", "S: {tag} OK done"]


def search(*uids):
    sizes = [
        f'S: * {uid} FETCH (UID {uid} RFC822.SIZE 20 INTERNALDATE " 1-Feb-2026 10:00:00 +0000")'
        for uid in uids
    ]
    return [
        *("C: * UID SEARCH *", f"S: * SEARCH {' '.join(map(str, uids))}", "S: {tag} OK done"),
        *("C: * UID FETCH * (RFC822.SIZE INTERNALDATE FLAGS)", *sizes, "S: {tag} OK done"),
    ]


def handed_out(uid):
    return [
        f"C: * UID FETCH {uid} (BODY.PEEK[])",
        rf"S| * {uid} FETCH (UID {uid} BODY[] {{19}}\r\nSubject: n{uid}\r\n\r\nhi\r\n)\r\n",
        "S: {tag} OK done",
    ]


def make(port, **more):
    Instance.objects.update_or_create(id=1, defaults={"allow_private_hosts": True})
    account = Account.objects.create(
        workspace=Workspace.objects.create(name="Office"),
        owner=User.objects.create(email="owner@office.example"),
        name="a",
        address="anna@office.example",
        smtp_host="127.0.0.1",
        imap_host="127.0.0.1",
        imap_port=port,
        imap_security="none",
        imap_login="anna",
        imap_password="secret",
    )
    return Collector.objects.create(account=account, uidvalidity=9, use_idle=False, **more)


def subjects():
    return list(Event.objects.order_by("uid").values_list("subject", flat=True))


def test_a_mail_that_the_server_refuses_is_named_in_the_log_and_passed_over():
    batch = ["C: * UID FETCH 1,2,3 (BODY.PEEK[])", "S: {tag} NO [SERVERBUG] cannot read a mail"]
    refused = ["C: * UID FETCH 2 (BODY.PEEK[])", "S: {tag} NO [SERVERBUG] cannot read it"]
    script = [*OPEN, *search(1, 2, 3), *batch, *handed_out(1), *refused, *handed_out(3), *BYE]
    with Peer(script) as peer:
        collector = make(peer.port)
        with syncing():
            assert wait_for(lambda: Collector.objects.get(id=collector.id).last_ok_at)
    collector.refresh_from_db()
    assert (collector.last_uid, collector.last_new, collector.error) == (3, 2, "")
    assert subjects() == ["n1", "n3"]
    assert "Mail 2 of INBOX" in LogLine.objects.get(level="error").words


def test_a_mail_over_which_the_server_breaks_down_is_passed_over_in_the_end(settings):
    settings.POSTROOM_COLLECT_RETRY_SCHEDULE = (0.05,)
    settings.POSTROOM_POLL_SECONDS = 0.1
    together = [*OPEN, *search(1, 2, 3), "C: * UID FETCH 1,2,3 (BODY.PEEK[])", "close"]
    alone = [*OPEN, *search(1, 2, 3), *handed_out(1), "C: * UID FETCH 2 (BODY.PEEK[])", "close"]
    again = [*OPEN, *search(2, 3), "C: * UID FETCH 2 (BODY.PEEK[])", "close"]
    after = [*OPEN, *search(3), *handed_out(3), *BYE]
    rounds = [together, together, together, alone, again, again, again, after]
    with Peer([line for one in rounds for line in [*one, "=="]][:-1]) as peer:
        collector = make(peer.port)
        with syncing():
            assert wait_for(lambda: Collector.objects.get(id=collector.id).last_ok_at, timeout=30)
    assert subjects() == ["n1", "n3"]
    assert "Mail 2 of INBOX" in LogLine.objects.get(level="error").words


def test_a_failing_server_is_not_asked_again_before_its_time():
    with Peer(["S: * BYE too busy", "close"]) as peer:
        collector = make(peer.port)
        with syncing():
            assert wait_for(lambda: Collector.objects.get(id=collector.id).error_code)
    collector.refresh_from_db()
    assert collector.error_code == "NOT_TAKING"
    assert collector.failures == 1
    assert collector.next_run_at > timezone.now()
