"""S/MIME signatures that `openssl cms` made, checked by us: whole, changed, of somebody else, of nobody known."""

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from postroom.mail import reading
from postroom.mail.smime_read import Chain, Verdict, check

NOW = datetime.now(UTC)
ANN = "ann@shop.example"


def name(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certificate(common, key, issuer, issuer_key, *, address="", is_ca=False, days=30):
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(not is_ca, False, False, False, False, is_ca, is_ca, False, False), critical=True
        )
    )
    if address:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False
        )
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A root, and `sign(mail, *options, ...)` with Ann's certificate below it."""
    folder = tmp_path_factory.mktemp("smime")
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = certificate("Root", root_key, "Root", root_key, is_ca=True)

    def sign(text, *options, days=30, address=ANN, kind="rsa"):
        key = (
            rsa.generate_private_key(65537, 2048)
            if kind == "rsa"
            else ec.generate_private_key(ec.SECP256R1())
        )
        own = certificate("Ann Shop", key, "Root", root_key, address=address, days=days)
        (folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (folder / "own.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
        (folder / "mail").write_bytes(text)
        words = ["-signer", "own.pem", "-inkey", "key.pem", "-in", "mail", "-from", ANN, "-subject", "x"]
        made = subprocess.run(
            ["openssl", "cms", "-sign", *words, *options],
            cwd=folder,
            capture_output=True,
            check=True,
            timeout=30,
        )
        return made.stdout

    return root, sign


def checked(raw, root=None, now=NOW, sender=ANN):
    return check(raw, from_address=sender, roots=[root] if root else [], now=now)


TEXT = b"Content-Type: text/plain\r\n\r\nthe price is 100\r\n"


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ((), "rsa"),
        (("-crlfeol",), "rsa"),
        (("-nodetach",), "rsa"),
        (("-nodetach", "-crlfeol"), "ec"),
        (("-md", "sha512"), "ec"),
        (("-keyid",), "rsa"),
        (("-noattr",), "rsa"),
        (("-keyopt", "rsa_padding_mode:pss"), "rsa"),
    ],
)
def test_a_signature_holds_and_its_words_are_read(house, options, kind):
    root, sign = house
    raw = sign(TEXT, *options, kind=kind)
    found = checked(raw, root)
    assert found.verdict is Verdict.GOOD
    assert (found.name, found.addresses, found.issuer) == ("Ann Shop", (ANN,), "Root")
    assert found.chain is Chain.TRUSTED
    assert found.is_sender
    assert not found.is_weak
    shown = reading.read(raw)
    assert shown.text == "the price is 100"
    assert shown.files == []


def test_a_mail_that_was_changed_is_told_from_one_that_was_not(house):
    root, sign = house
    raw = sign(TEXT)
    assert checked(raw.replace(b"100", b"900"), root).verdict is Verdict.BROKEN


def test_line_ends_that_storing_changed_break_nothing(house):
    root, sign = house
    raw = sign(TEXT, "-crlfeol").replace(b"\r\n", b"\n")
    assert checked(raw, root).verdict is Verdict.GOOD


def test_a_signature_of_somebody_else_is_not_the_senders(house):
    root, sign = house
    found = checked(sign(TEXT, address="eve@spy.example"), root)
    assert found.verdict is Verdict.GOOD
    assert not found.is_sender


def test_an_issuer_nobody_knows_and_a_time_that_is_over_are_said(house):
    root, sign = house
    raw = sign(TEXT)
    assert checked(raw).chain is Chain.UNKNOWN
    assert checked(raw, root, now=NOW + timedelta(days=100)).chain is Chain.EXPIRED
    other_key = ec.generate_private_key(ec.SECP256R1())
    other = certificate("Root", other_key, "Root", other_key, is_ca=True)
    assert checked(raw, other).chain is Chain.UNKNOWN


def test_a_weak_digest_is_said(house):
    root, sign = house
    assert checked(sign(TEXT, "-md", "sha1"), root).is_weak


def test_what_is_no_signature_is_said_or_passed_over(house):
    _root, sign = house
    assert checked(b"Subject: x\r\n\r\nhello") is None
    raw = sign(TEXT, "-crlfeol")
    head, _, tail = raw.rpartition(b"\r\n\r\nMII")
    for junk in (b"", b"AAAA", b"MIAGCSqGSIb3DQEHAqCAMIACAQExDzANBglghkgBZQMEAgEFADCA", b"MII" + b"A" * 400):
        broken = head + b"\r\n\r\n" + junk + b"\r\n" + tail[tail.rfind(b"\r\n------") :]
        assert checked(broken).verdict is Verdict.UNREADABLE
    assert (
        checked(b"Content-Type: application/pkcs7-mime\r\n\r\n" + b"\x30\x80" * 3000).verdict
        is Verdict.UNREADABLE
    )
