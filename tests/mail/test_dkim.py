"""Our signatures, read by dkimpy."""

import re
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.errors import InputError
from postroom.mail.compose import Content, Mailbox, RecipientValues, compile_message
from postroom.mail.dkim import DkimSigner, header_from_domain, public_of
from postroom.mail.frame import AttachmentFile


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


KEY = pem(rsa.generate_private_key(65537, 2048))
RECORD = f"v=DKIM1; k=rsa; p={public_of(KEY)}".encode()
SIGNER = DkimSigner(domain="alderpike.example", selector="pr1", private_key=KEY)
AT = 1_790_000_000


def txt(name, timeout=5):
    assert name == b"pr1._domainkey.alderpike.example."
    return RECORD


def verified(raw):
    try:
        return dkim.verify(raw, dnsfunc=txt)
    except dkim.DKIMException:
        return False


def signed(*segments):
    return SIGNER.sign(segments, at=AT) + b"".join(segments)


def message(head=b"", body=b"Hello\r\n"):
    return b"From: Alder & Pike <sales@alderpike.example>\r\nSubject: Prices\r\n" + head + b"\r\n" + body


def test_a_signed_message_is_verified_by_another_program():
    raw = signed(message())
    assert verified(raw)
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n\r\n",
        b"Hello\r\n\r\n\r\n",
        b"Hello  \t there \t\r\n \r\n\t\r\n",
        b" \t\r\nHello\r\n",
        b"no line end",
        "Zażółć gęślą jaźń\r\nЗдравейте, приятели\r\n".encode(),
        b".\r\n..\r\n.dot\r\n",
    ],
)
def test_every_kind_of_body_verifies(body):
    assert verified(signed(message(body=body)))


@pytest.mark.parametrize(
    "head",
    [
        b"To: " + b",\r\n ".join(b"Person %d <p%d@firm.example>" % (n, n) for n in range(60)) + b"\r\n",
        b"To:\t Bob   <bob@firm.example>  \r\n",
        "To: Zażółć <bob@firm.example>\r\nReply-To: Борис <b@firm.example>\r\n".encode(),
        b"Received: one\r\nReceived: two\r\nCc: a@b.example\r\nCc: c@d.example\r\n",
        b"List-Unsubscribe: <mailto:u-1@r.example>,\r\n <https://firm.example/u/1>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    ],
)
def test_every_kind_of_header_verifies(head):
    assert verified(signed(message(head)))


def test_a_changed_byte_breaks_it():
    raw = signed(message(b"To: Bob <bob@firm.example>\r\nDate: Mon, 1 Jan 2026 10:00:00 +0100\r\n"))
    assert verified(raw)
    begin = raw.index(b"From:")
    survived = []
    for at in range(begin, len(raw)):
        other = b"Z" if raw[at : at + 1] not in b"Zz" else b"Q"
        if verified(raw[:at] + other + raw[at + 1 :]):
            survived.append((at, raw[at : at + 1]))
    assert survived == []


@pytest.mark.parametrize("name", [b"From", b"Subject", b"Reply-To"])
def test_a_field_added_on_the_way_breaks_it(name):
    raw = signed(message())
    assert not verified(raw.replace(b"From:", name + b": Other <other@evil.example>\r\nFrom:", 1))
    assert not verified(raw.replace(b"\r\n\r\n", b"\r\n" + name + b": other@evil.example\r\n\r\n", 1))


def test_a_relay_may_fold_and_space_lines_anew():
    raw = signed(message(b"To: Bob <bob@firm.example>\r\n", b"Hello  there\r\n\r\n"))
    assert verified(
        raw.replace(b"To: Bob <", b"TO:  Bob\r\n <").replace(b"Hello  there\r\n\r\n", b"Hello there \r\n")
    )


def test_the_pair_for_one_click_is_signed():
    head = b"List-Unsubscribe: <https://firm.example/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    raw = signed(message(head))
    assert verified(raw)
    for name in (b"List-Unsubscribe: <https://firm", b"List-Unsubscribe=One-Click"):
        assert not verified(raw.replace(name, name[:-1] + b"X"))


def mailing(attachments=()):
    content = Content(
        subject="Oferta dla {{ name }}, przeczytaj ją dziś: najlepsze ceny w mieście i okolicy",
        html="<p>Dzień dobry {{ name }},</p>" + "<p>dwie  spacje\tsą tu.</p>" * 30,
        text="",
        header_from=Mailbox("Żółw & Сын", "sales@alderpike.example"),
        reply_to=Mailbox("Büro", "office@alderpike.example"),
        message_id_domain="alderpike.example",
        receipt_read=True,
        attachments=attachments,
    )
    return compile_message(content, {"name"}, date=datetime(2026, 5, 5, tzinfo=UTC))


def test_every_copy_of_a_mailing_verifies_with_one_signer():
    compiled = mailing((AttachmentFile("oferta.pdf", "application/pdf", bytes(range(256)) * 99),))
    for number, name in enumerate(["Anna", "Борис", "Anna", "x" * 500, "a\nb"]):
        rendered = compiled.render(
            RecipientValues(
                f"p{number}@firm.example", f"tok{number}", {"name": name}, mail_from="b@r.example"
            )
        )
        raw = SIGNER.sign(rendered.segments, at=AT) + b"".join(rendered.segments)
        assert verified(raw), name
        assert not verified(raw.replace(b"JVBERi", b"").replace(b"AAEC", b"AAED", 1)), name


def test_copies_that_share_a_body_are_hashed_once_and_still_right():
    body = b"The same for everybody\r\n"
    for number in range(3):
        assert verified(signed(message(b"To: p%d@firm.example\r\n" % number, body)))
    assert verified(signed(message(body=b"Another\r\n")))
    tail = b"--x\r\nattached\r\n--x--\r\n"
    hashes = {
        re.search(rb"bh=([^;]+)", SIGNER.sign((message(body=body), part), at=AT))[1]
        for part in (tail, b"--x\r\nother\r\n--x--\r\n", tail)
    }
    assert len(hashes) == 2


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\t"), max_size=90)
    ),
    subject=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200),
    cut=st.integers(0, 10),
)
def test_whatever_is_written_verifies(lines, subject, cut):
    body = [line.encode() + b"\r\n" for line in lines]
    head = b"From: sales@alderpike.example\r\nSubject: " + subject.encode() + b"\r\n\r\n"
    assert verified(signed(head + b"".join(body[:cut]), b"".join(body[cut:])))


@pytest.mark.parametrize("key", ["", "nonsense", pem(ec.generate_private_key(ec.SECP256R1()))])
def test_what_is_no_rsa_key_is_said(key):
    with pytest.raises(InputError):
        DkimSigner(domain="alderpike.example", selector="pr1", private_key=key)


@pytest.mark.parametrize(
    ("head", "domain"),
    [
        (b"From: a@Firm.Example\r\n\r\n", "firm.example"),
        (
            b'To: x@other.example\r\nFROM: "a@b.example"\r\n <sales@firm.example>\r\nX: 1\r\n\r\n',
            "firm.example",
        ),
        (b"Subject: x\r\n\r\nFrom: a@body.example\r\n", ""),
        (b"From: nobody\r\n\r\n", ""),
    ],
)
def test_the_domain_of_the_sender_is_found(head, domain):
    assert header_from_domain(head) == domain
