"""A group behind a real Postfix that asks us live, swaks as the outside client, Dovecot as the members' mailboxes."""

import subprocess

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from postroom.mail.dkim import public_of
from postroom.mail.dns_records import dkim_record
from postroom.models.group import GroupMember, Posting
from postroom.testing.cast import make_account, make_cast, make_group
from postroom.testing.postfix import Listener, Postfix
from postroom.testing.posting import answers, mail
from postroom.testing.rooted import free_ports
from postroom.testing.run import running, until
from postroom.testing.servers import ACCOUNT, PASSWORD, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def front(office):
    """The firm's MX: it knows nothing of groups but where to ask."""
    ports = dict(zip(("mx", "lmtp", "map"), free_ports(3), strict=True))
    ask = f"socketmap:inet:127.0.0.1:{ports['map']}"
    config = {
        "myhostname": "mx.alderpike.example",
        "relay_domains": "alderpike.example, returns.alderpike.example",
        "transport_maps": f"{ask}:transport",
        "relay_recipient_maps": f"{ask}:recipient",
        "smtpd_relay_restrictions": "reject_unauth_destination",
        "lmtp_destination_recipient_limit": "50",
        "lmtp_send_xforward_command": "yes",
    }
    postfix = Postfix(office.place, [Listener(ports["mx"])], config, name="front")
    yield postfix, ports
    postfix.stop()


def swaks(office, port: int, *words: str, data: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *("chroot", str(office.place.root), "/usr/bin/swaks", "--server", f"127.0.0.1:{port}"),
            *("--helo", "outside.example", "--from", "anna@outside.example", *words),
            *(("--data", "-") if data else ()),
        ],
        input=data,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C", "HOSTNAME": "localhost"},
    )


@pytest.mark.req("EG-03", "EG-10", "EG-12", "EG-13")
def test_a_group_behind_a_real_postfix(office, front, child_env, trust, tmp_path):
    postfix, ports = front
    cast = make_cast(bounce_host="returns.alderpike.example")
    account = make_account(
        cast.alice,
        port=office.ports["submission"],
        smtp_host="localhost",
        smtp_security="starttls",
        smtp_authenticate=True,
        smtp_login=ACCOUNT,
        smtp_password=PASSWORD,
        address=ACCOUNT,
    )
    people = [member(number) for number in (31, 32, 33)]
    group = make_group(cast.alice, "sales", *people, account=account, set_reply_to=False)
    make_group(cast.alice, "deaf", people[0], account=account, email_disabled=True)
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    record = dkim_record(public_of(key.decode())).encode()
    env = {
        **child_env,
        "POSTROOM_POLL_SECONDS": "0.2",
        "POSTROOM_INGRESS_LISTEN": "off",
        "POSTROOM_INGRESS_LMTP": f"127.0.0.1:{ports['lmtp']}",
        "POSTROOM_SOCKETMAP": f"127.0.0.1:{ports['map']}",
        "SSL_CERT_FILE": str(tmp_path / "authority.pem"),
    }
    for address in people:
        office.dovecot.empty(address)
    log = tmp_path / "log"
    with running("ingress", env=env, log=log), running("delivery", env=env, log=log):
        until(lambda: answers(ports["map"]) and answers(ports["lmtp"]), wait_s=60)
        postfix.start()
        raw = mail(to=f"{group}\r\nCc: {people[2]}", subject="Żółw?".encode("ascii", "replace").decode())
        raw = dkim.sign(raw, b"s1", b"outside.example", key) + raw
        done = swaks(office, ports["mx"], "--to", str(group), data=raw.replace(b"\r\n", b"\n").decode())
        assert done.returncode == 0, done.stdout
        for address in people[:2]:
            (copy,) = office.wait_for_mails(address, lambda mails: bool(mails))
            assert dkim.verify(copy, dnsfunc=lambda name, timeout=5: record), copy
            assert b"@returns.alderpike.example>" in copy.partition(b"\r\n")[0]
            assert copy.count(b"\r\nList-Id: ") == 1
        nobody = swaks(office, ports["mx"], "--to", "nobody@alderpike.example")
        assert "550 5.1.1" in nobody.stdout
        assert nobody.returncode != 0
        for to, header in (
            ("deaf@alderpike.example", "X-A: b"),
            (str(group), "Auto-Submitted: auto-replied"),
        ):
            assert swaks(office, ports["mx"], "--to", to, "--header", header, "--body", to).returncode == 0
        until(
            lambda: "550 5.2.1 group not accepting mail" in postfix.words().replace("said: ", ""), wait_s=30
        )
        until(lambda: "5.7.1 This group takes no automatic messages" in postfix.words(), wait_s=30)
        until(lambda: Posting.objects.filter(state="refused").exists(), wait_s=30)
        assert Posting.objects.filter(group=group, state="sent").count() == 1
        assert office.dovecot.mails(people[2]) == []  # in Cc: the author's own server delivers there
        assert [len(office.dovecot.mails(address)) for address in people[:2]] == [1, 1]
    assert GroupMember.objects.filter(group=group).count() == 3
