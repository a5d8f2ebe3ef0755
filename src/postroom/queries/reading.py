"""A stored mail as its reader sees it: the words, the files, who proved its sender, who signed it, what it asks for."""

import re
import ssl
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from django.utils import timezone

from postroom.errors import NotFound
from postroom.mail import authres, quote, reading, smime_read
from postroom.mail.receipt_answer import Asked, asked
from postroom.models.account import Account
from postroom.models.mailbox import Placement
from postroom.models.message import Message
from postroom.queries.blob import blob_read

#: Mails kept taken apart, and bytes of them: who reads a conversation asks for the same ones again and again.
_KEPT, _KEPT_BYTES = 40, 24_000_000
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Look:
    """What the page of a conversation shows of one mail.

    receipt: None = none is asked for, or it was decided. blocked: what its layout would fetch from elsewhere.
    """

    shown: reading.Shown
    proof: authres.Told
    signature: smime_read.Signature | None
    receipt: Asked | None
    size_bytes: int
    blocked: int = 0


@dataclass
class _Taken:
    shown: reading.Shown
    fields: list[tuple[str, str]]
    headers: dict[str, list[str]]
    signature: smime_read.Signature | None
    size_bytes: int
    page: reading.Page | None = None


_taken: "OrderedDict[tuple[str, str], _Taken]" = OrderedDict()
_lock = Lock()


def look(message: Message) -> Look:
    """message: one the viewer may read. A mail whose bytes are gone has nothing to show."""
    taken = _take(message)
    incoming = message.direction == "in"
    told = (
        authres.proof(taken.fields, hosts_of(message.account))
        if incoming
        else authres.Told(authres.Proof.UNKNOWN)
    )
    return Look(
        shown=taken.shown,
        proof=told,
        signature=taken.signature if incoming else None,
        receipt=_receipt(message, taken.headers) if incoming else None,
        size_bytes=taken.size_bytes,
        blocked=page_of(message).blocked if taken.shown.is_rich else 0,
    )


def page_of(message: Message, *, remote: bool = False) -> reading.Page:
    """Its HTML for the sandboxed frame. remote: with the pictures of other hosts."""
    taken = _take(message)
    if remote:
        return reading.page(taken.shown, remote=True)
    if taken.page is None:
        taken.page = reading.page(taken.shown)
    return taken.page


def headers_of(message: Message) -> dict[str, list[str]]:
    """Its header fields by lower-case name, {} when the bytes are gone."""
    return _take(message).headers


def words_of(raw_id: str, most: int = 1500) -> str:
    """What somebody wrote in a stored mail, without what is quoted; "" when the bytes are gone."""
    try:
        own, _quoted = quote.split(reading.read(blob_read(raw_id)).text)
    except NotFound:
        return ""
    return own if len(own) <= most else f"{own[:most].rstrip()}…"


def file_of(message: Message, number: int) -> tuple[reading.File, bytes]:
    """Raises NotFound."""
    found = reading.part(_raw(message), number)
    if found is None:
        raise NotFound("There is no such file.")
    return found


def _raw(message: Message) -> bytes:
    try:
        return blob_read(message.raw_id) if message.raw_id else b""
    except NotFound:
        return b""


def _take(message: Message) -> _Taken:
    key = (message.raw_id or "", message.from_address)
    with _lock:
        found = _taken.get(key)
        if found is not None:
            _taken.move_to_end(key)
            return found
    raw = _raw(message)
    found = _Taken(
        shown=reading.read(raw),
        fields=authres.fields(raw),
        headers=reading.headers(raw),
        signature=_signature(raw, message.from_address),
        size_bytes=len(raw),
    )
    if raw and len(raw) < _KEPT_BYTES // 4:
        with _lock:
            _taken[key] = found
            while len(_taken) > _KEPT or sum(one.size_bytes for one in _taken.values()) > _KEPT_BYTES:
                _taken.popitem(last=False)
    return found


def hosts_of(account: Account | None) -> Sequence[str]:
    """Names of the account's own servers: whose word on a sender counts."""
    if account is None:
        return ()
    names = (account.imap_host, account.smtp_host, account.address.rpartition("@")[2])
    return [one for one in names if one]


def _receipt(message: Message, headers: dict[str, list[str]]) -> Asked | None:
    wanted = asked(headers)
    if wanted is None or message.receipt_state:
        return None
    if Placement.objects.filter(message=message, is_receipt_sent=True).exists():
        return None  # some other program sent one
    return wanted


def _signature(raw: bytes, from_address: str) -> smime_read.Signature | None:
    if not smime_read.is_signed(raw):
        return None
    return smime_read.check(raw, from_address=from_address, roots=_roots(), now=timezone.now())


@lru_cache(maxsize=1)
def _roots() -> list[x509.Certificate]:
    """The certificates this computer trusts; [] where there are none. Old ones the library frowns on are left out."""
    path = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    try:
        pem = Path(path).read_bytes()
    except OSError:
        return []
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        for block in _PEM.findall(pem):
            with suppress(ValueError, CryptographyDeprecationWarning):
                found.append(x509.load_pem_x509_certificate(block))
    return found
