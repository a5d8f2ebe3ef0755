"""How fast a mailbox comes in: N mails from Dovecot on loopback through `postroom sync` into the database.

`python -m bench.sync --messages N --json` prints {"messages_per_second", "stored", "lost", "duplicates"}. Timed is the
first reading of a whole mailbox, from the moment the daemon takes it to the moment its inbox is read to the end: raw
bytes on the disk (fsync and synchronous_commit on), recognised, parsed, in conversations, found by their words. The
mails are what an office gets: answers in threads, HTML, files, letters in Polish and Bulgarian, and one in fifty is a
report that a mail failed.
"""

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

from bench.place import instance

ADDRESS = "office@office.example"
_WORDS = (
    *(
        "dzień",
        "dobry",
        "proszę",
        "o",
        "wycenę",
        "krzeseł",
        "i",
        "biurek",
        "dostawa",
        "w",
        "przyszłym",
        "tygodniu",
    ),
    *(
        "faktura",
        "zaliczka",
        "termin",
        "spotkanie",
        "wysyłka",
        "zamówienie",
        "magazyn",
        "rabat",
        "umowa",
        "numer",
    ),
    *(
        "добър",
        "ден",
        "моля",
        "изпратете",
        "оферта",
        "за",
        "столове",
        "и",
        "бюра",
        "доставка",
        "следващата",
        "среща",
    ),
    *(
        "please",
        "find",
        "the",
        "offer",
        "attached",
        "we",
        "would",
        "like",
        "to",
        "order",
        "next",
        "week",
        "invoice",
    ),
)


def mails(count: int) -> list[bytes]:
    """The same mails in every run; number i says so in its subject."""
    chance = random.Random(1)
    found = []
    for number in range(count):
        text = "\r\n".join(
            " ".join(chance.choices(_WORDS, k=chance.randint(6, 12))) for _ in range(chance.randint(8, 30))
        )
        found.append(_report(number) if number % 50 == 49 else _letter(number, text, chance))
    return found


def _letter(number: int, text: str, chance: random.Random) -> bytes:
    person = chance.randrange(2000)
    answered = ""
    if number > 20 and chance.random() < 0.4:
        parent = number - chance.randint(1, 20)
        answered = f"In-Reply-To: <{parent}@firm.example>\r\nReferences: <{parent}@firm.example>\r\n"
    head = (
        f"Return-Path: <person{person}@firm.example>\r\nDelivered-To: {ADDRESS}\r\n"
        f"Received: from mx.firm.example (mx.firm.example [192.0.2.7])\r\n\tby mail.office.example (Postfix) with"
        f" ESMTPS id 4XyZ{number}\r\n\tfor <{ADDRESS}>; Mon, 16 Nov 2026 09:12:33 +0100 (CET)\r\n"
        f"From: =?utf-8?Q?Pawe=C5=82?= Nowak {person} <person{person}@firm.example>\r\nTo: Office <{ADDRESS}>\r\n"
        f"Subject: =?utf-8?Q?Zam=C3=B3wienie?= number {number}\r\nDate: Mon, 16 Nov 2026 09:12:30 +0100\r\n"
        f"Message-ID: <{number}@firm.example>\r\n{answered}MIME-Version: 1.0\r\n"
    )
    plain = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    kind = number % 10
    if kind < 5:
        return (head + plain).encode()
    page = "".join(f"<p style='margin:0'>{line}</p>" for line in text.split("\r\n"))
    both = (
        f'Content-Type: multipart/alternative; boundary="b{number}"\r\n\r\n--b{number}\r\n{plain}\r\n--b{number}\r\n'
        f"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{page}\r\n--b{number}--\r\n"
    )
    if kind < 9:
        return (head + both).encode()
    file = "\r\n".join(["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg=="] * 400)
    return (
        f'{head}Content-Type: multipart/mixed; boundary="m{number}"\r\n\r\n--m{number}\r\n{both}\r\n--m{number}\r\n'
        f'Content-Type: application/pdf; name="oferta.pdf"\r\nContent-Disposition: attachment; filename="oferta.pdf"'
        f"\r\nContent-Transfer-Encoding: base64\r\n\r\n{file}\r\n--m{number}--\r\n"
    ).encode()


def _report(number: int) -> bytes:
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.office.example\r\nTo: {ADDRESS}\r\n"
        f"Subject: Undelivered Mail Returned to Sender number {number}\r\nMessage-ID: <{number}@mx.office.example>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n--r\r\n\r\n'
        "I'm sorry to have to inform you that your message could not be delivered.\r\n\r\n--r\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.office.example\r\n\r\n"
        f"Final-Recipient: rfc822; gone{number}@firm.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--r--\r\n"
    ).encode()


def measure(count: int, log: Path) -> dict[str, float | int]:
    """A Dovecot with the mails, an account, a daemon; what came of it."""
    from postroom.models.account import Account, Collector
    from postroom.models.user import User
    from postroom.models.workspace import Instance, Workspace
    from postroom.testing.dovecot import Dovecot, Mailbox
    from postroom.testing.rooted import Place, mail_root
    from postroom.testing.run import running, until

    place = Place(mail_root())
    server = Dovecot(place, {ADDRESS: Mailbox("correct horse", quota_bytes=20_000_000_000)})
    try:
        server.start()
        _fill(place.path / server.name / "mail" / ADDRESS / "Maildir", mails(count))
        Instance.objects.update_or_create(id=1, defaults={"allow_private_hosts": True})
        account = Account.objects.create(
            workspace=Workspace.objects.create(name="Office"),
            owner=User.objects.create(email="owner@office.example"),
            name="Office",
            address=ADDRESS,
            imap_host="127.0.0.1",
            imap_port=server.imap,
            imap_security="none",
            imap_login=ADDRESS,
            imap_password="correct horse",
            is_mailbox=True,
        )
        inbox = Collector.objects.create(account=account, take_from="2020-01-01T00:00:00Z", is_on=False)
        row = Collector.objects.filter(id=inbox.id)
        with running("sync", env=os.environ, log=log):
            time.sleep(3)  # the process is there and listens
            row.update(is_on=True)
            until(lambda: row.get().begun_at, wait_s=30, step_s=0.005)
            begun = time.monotonic()
            until(lambda: row.get().last_ok_at, wait_s=60 + count / 50, step_s=0.02)
            took = time.monotonic() - begun
        return {"messages_per_second": round(count / took, 1), **_counted(count)}
    finally:
        server.stop()
        place.clear()


def _fill(maildir: Path, raws: list[bytes]) -> None:
    from postroom.testing.rooted import VMAIL

    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(raws):
        flags = "S" if number % 3 else ""
        (maildir / "cur" / f"{1763280000 + number}.M{number}.bench,S={len(raw)}:2,{flags}").write_bytes(raw)
    for path in (maildir.parent, maildir, *maildir.iterdir(), *(maildir / "cur").iterdir()):
        os.chown(path, VMAIL, VMAIL)


def _counted(count: int) -> dict[str, int]:
    from postroom.models.event import Event
    from postroom.models.message import Message

    rows = [
        *Message.objects.values_list("subject", flat=True),
        *Event.objects.values_list("subject", flat=True),
    ]
    seen = Counter(int(subject.rpartition(" ")[2]) for subject in rows)
    return {
        "stored": len(seen),
        "lost": count - len(seen),
        "duplicates": sum(number - 1 for number in seen.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sync", description=__doc__)
    parser.add_argument("--messages", type=int, required=True, metavar="N")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with instance() as folder:
        log = folder / "sync.log"
        try:
            figures = measure(args.messages, log)
        except AssertionError:
            sys.stderr.write(log.read_text(errors="replace")[-4000:])
            raise
    if args.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name}: {figure}")


if __name__ == "__main__":
    main()
