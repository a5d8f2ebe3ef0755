"""What the practice post office does with a letter, seen from both of its sides."""

import asyncio
import smtplib
import threading
import time
from collections import Counter
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from postroom.mail.recognise import recognise
from postroom.mail.reply import OutcomeKind, Reply, Stage
from postroom.practice.office import Office
from postroom.testing.receiving import KeepingDesk, in_thread, receiving, sessions_cut
from postroom.wire.courier import Parcel
from postroom.wire.server import Security, Server
from postroom.wire.smtp import SmtpCourier

FROM = "b-token@returns.example"
LETTER = (
    "From: Post <post@firm.pl>\r\nTo: {to}\r\nSubject: Hello\r\nMessage-ID: <tok.c@firm.pl>\r\n"
    "X-Postroom-Id: tok\r\nDisposition-Notification-To: <" + FROM + ">\r\n{more}\r\nA letter.\r\n.dot\r\n"
)


@contextmanager
def office(ingress_port: int):
    async def start():
        office = Office(("127.0.0.1", ingress_port), haste=0.0, connections=2)
        server = await office.serve("127.0.0.1", 0)

        async def end() -> None:
            await office.mailer.close()
            await sessions_cut(server, office.sessions)

        return (office, server.sockets[0].getsockname()[1]), end

    with in_thread(start) as found:
        yield found


def send(
    port: int, to: str, *, more: str = "", notify: str = "SUCCESS,FAILURE,DELAY", ret: str = "HDRS"
) -> int:
    """One try; the deciding reply, or 0 when the connection was lost."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            client.ehlo()
            client.sendmail(
                FROM,
                to,
                LETTER.format(to=to, more=more).encode(),
                mail_options=["ENVID=tok", f"RET={ret}"],
                rcpt_options=[f"NOTIFY={notify}", f"ORCPT=rfc822;{to.replace('+', '+2B')}"] if notify else [],
            )
            return 250
    except smtplib.SMTPRecipientsRefused as refused:
        return next(iter(refused.recipients.values()))[0]
    except smtplib.SMTPServerDisconnected:
        return 0


def settled(post: Office) -> dict:
    until = time.monotonic() + 10
    while post.pending and time.monotonic() < until:
        time.sleep(0.01)
    assert post.summary()["pending"] == 0
    return post.everything()


@pytest.mark.parametrize(
    ("tag", "tries", "back"),
    [
        ("", [250], {"delivered": 1}),
        ("+ok", [250], {"delivered": 1}),
        ("+no.such.tag", [250], {"delivered": 1}),
        ("+relayed", [250], {"relayed": 1}),
        ("+expanded", [250], {"expanded": 1}),
        ("+slow", [250], {"delayed": 1, "delivered": 1}),
        ("+unknown", [250], {"failed": 1}),
        ("+full", [250], {"failed": 1}),
        ("+policy", [250], {"failed": 1}),
        ("+refused", [550, 550], {}),
        ("+later", [451, 250], {"delivered": 1}),
        ("+read", [250], {"delivered": 1, "read": 1}),
        ("+vacation", [250], {"delivered": 1, "vacation": 1}),
        ("+reply", [250], {"delivered": 1, "reply": 1}),
        ("+cut", [0, 250], {"delivered": 1}),
        ("+swallow", [0], {"delivered": 1}),
        ("+silence", [0], {}),
    ],
)
def test_every_tag_does_what_it_says(tag, tries, back):
    desk, to = KeepingDesk(), f"anna.nowak{tag}@wisla.example"
    with receiving(desk) as ingress, office(ingress) as (post, port):
        assert [send(port, to) for _ in tries] == tries
        known = settled(post)
    taken = {250: 1, 0: 1 if tag in {"+swallow", "+silence"} else 0}
    assert known["copies"] == ({} if tag == "+refused" else {to: sum(taken.get(t, 0) for t in tries)})
    assert known["refused"] == (1 if tag == "+refused" else 0)
    assert known["back"] == {kind: {to: count} for kind, count in back.items()}
    assert len(desk.taken) == sum(back.values())
    assert {tuple(mail[1]) for mail in desk.taken} <= {(FROM,)}


@pytest.mark.parametrize("connections", [1, 3])
def test_a_long_letter_is_cut_in_the_middle_and_its_sender_knows_that_it_did_not_arrive(connections):
    """With our own client: deferred, not in doubt; the next try is taken. Short letters around it go as ever."""
    cut, taken = (OutcomeKind.DEFERRED, Stage.BODY), (OutcomeKind.ACCEPTED, Stage.BODY)
    long = (b"Subject: terms\r\n\r\n", b"All of our conditions, in full.\r\n" * 22_000)
    short = (b"Subject: short\r\n\r\n", b"Hello.\r\n" * 300)
    to = ["a+cut@f.example", "b@f.example", "c+cut@f.example", "d@f.example"]
    parcels = [
        Parcel(key, FROM, address, body, sum(map(len, body)))
        for key, address in enumerate(to)
        for body in [long if "cut" in address else short]
    ]

    async def twice(port: int) -> list[dict[str, tuple[OutcomeKind, Stage]]]:
        server = Server("127.0.0.1", port, Security.NONE, authenticate=False, allow_private=True)
        courier = SmtpCourier(server, connections=connections)
        tries = []
        left = parcels
        for _ in range(2):
            found: dict[str, tuple[OutcomeKind, Stage]] = {}
            while left:
                unsent: list[Parcel] = []

                def note(parcel, outcome):
                    if outcome.kind is OutcomeKind.UNSENT:
                        unsent.append(parcel)  # noqa: B023
                    else:
                        found[parcel.recipient] = (outcome.kind, outcome.stage)  # noqa: B023

                await courier.run_batch(left, note, wait_s=20)
                left = unsent
            tries.append(found)
            left = [parcel for parcel in parcels if found.get(parcel.recipient, taken) == cut]
        await courier.close()
        return tries

    with receiving(KeepingDesk()) as ingress, office(ingress) as (post, port):
        first, second = asyncio.run(asyncio.wait_for(twice(port), 60))
        known = settled(post)
    assert first == {address: cut if "cut" in address else taken for address in to}
    assert second == {address: taken for address in to if "cut" in address}
    assert known["copies"] == dict.fromkeys(to, 1)
    assert set(known["cut"]) == {"a+cut@f.example", "c+cut@f.example"}
    for octets, size in known["cut"].values():
        assert size / 2 <= octets < size == parcels[0].size


def test_what_goes_back_is_what_it_claims_to_be():
    desk = KeepingDesk()
    tags = ("ok", "relayed", "expanded", "slow", "unknown", "full", "policy", "read", "vacation", "reply")
    with receiving(desk) as ingress, office(ingress) as (post, port):
        for tag in tags:
            assert send(port, f"jan.k+{tag}@firma.example") == 250
        settled(post)
    found = Counter()
    for mail_from, _, raw in desk.taken:
        message, seen = message_from_bytes(raw), recognise(raw, our_message_ids=lambda _: True)
        assert message["Date"]
        assert message["Message-ID"]
        assert not message.defects
        found[seen.kind.value] += 1
        assert mail_from == ("jan.k+reply@firma.example" if seen.kind == "reply" else "")
        if message.get_content_type() == "multipart/report" and seen.kind != "read":
            (report,) = seen.reports
            assert report.envelope_id == "tok"
            assert seen.returned_message_ids == ("tok.c@firm.pl",)
            assert report.recipient.startswith("jan.k+")
    assert found == Counter(
        delivered=5, relayed=1, expanded=1, delayed=1, failure=3, read=1, auto_reply=1, reply=1
    )


def test_reports_are_sent_only_as_asked_for():
    with receiving(KeepingDesk()) as ingress, office(ingress) as (post, port):
        for notify in ("", "NEVER", "FAILURE", "SUCCESS", "DELAY"):
            for tag in ("ok", "unknown", "slow"):
                send(port, f"a{notify.lower()}+{tag}@firma.example", notify=notify)
        known = settled(post)
    assert {kind: sorted(counts) for kind, counts in known["back"].items()} == {
        "failed": ["a+unknown@firma.example", "afailure+unknown@firma.example"],
        "delivered": ["asuccess+ok@firma.example", "asuccess+slow@firma.example"],
        "delayed": ["adelay+slow@firma.example"],
    }


def test_the_whole_letter_comes_back_when_asked_for():
    desk = KeepingDesk()
    with receiving(desk) as ingress, office(ingress) as (post, port):
        send(port, "a+unknown@firma.example", ret="FULL")
        send(port, "b+unknown@firma.example", ret="HDRS")
        settled(post)
    by_recipient = {b"a+" if b"<a+" in raw else b"b+": raw for _, _, raw in desk.taken}
    assert b"A letter.\r\n.dot\r\n" in by_recipient[b"a+"]
    assert b"A letter." not in by_recipient[b"b+"]


def test_unsubscribing_is_a_post_to_the_link_or_a_mail_where_there_is_none():
    posts: list[tuple[str, bytes]] = []

    class Page(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.append((self.path, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    web = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    link = f"<http://localhost:{web.server_port}/u/tok>"
    click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    desk = KeepingDesk()
    with receiving(desk) as ingress, office(ingress) as (post, port):
        send(port, "a+leave@f.example", more=f"List-Unsubscribe: <mailto:u@r.example>,\r\n {link}\r\n{click}")
        send(port, "b+leave@f.example", more="List-Unsubscribe: <mailto:u@r.example?subject=leave%20tok>\r\n")
        send(port, "c+leave@f.example", more=f"List-Unsubscribe: <http://192.0.2.1/u>\r\n{click}")
        known = settled(post)
    web.shutdown()
    web.server_close()
    assert posts == [("/u/tok", b"List-Unsubscribe=One-Click")]
    mails = [raw for _, to, raw in desk.taken if to == ["u@r.example"]]
    assert [message_from_bytes(raw)["Subject"] for raw in mails] == ["leave tok"]
    assert set(known["back"]["unsubscribe"]) == {"a+leave@f.example", "b+leave@f.example"}
    assert len(known["refusals"]) == 1
    assert "this machine only" in known["refusals"][0]


def test_a_report_refused_for_good_is_named_and_one_refused_for_now_is_tried_again():
    class Moody(KeepingDesk):
        moods = iter([550, 451])

        async def recipient(self, address, mail_from):
            code = next(self.moods, 250)
            return Reply(code, "not now")

    desk = Moody()
    with receiving(desk) as ingress, office(ingress) as (post, port):
        send(port, "a@f.example")
        known = settled(post)
        assert known["not_taken"] == 1
        send(port, "b@f.example")
        known = settled(post)
    assert known["back"] == {"delivered": {"b@f.example": 1}}
    assert len(desk.taken) == 1


def test_a_copy_too_many_is_counted():
    with receiving(KeepingDesk()) as ingress, office(ingress) as (post, port):
        for _ in range(3):
            send(port, "A+ok@f.example")
        known = settled(post)
    assert (known["copies"], known["duplicates"]) == ({"a+ok@f.example": 3}, 2)
