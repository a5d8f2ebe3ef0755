"""Folders of a mailbox, and what is changed in them: plain blocking functions beside wire/imap.py.

RFC 9051 sections 5.1 and 6.3, RFC 3501 section 5.1.3 (modified UTF-7), RFC 6154 (special use), RFC 7162 (CONDSTORE),
RFC 4315 (UIDPLUS), RFC 6851 (MOVE). Names of folders come from the server and are data: none can end a command.
"""

import imaplib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imapclient.datetime_util import datetime_to_INTERNALDATE
from imapclient.imap_utf7 import decode, encode
from imapclient.response_parser import parse_fetch_response

from postroom.errors import WireError
from postroom.mail.reply import Reply, Stage
from postroom.wire.imap_fetch import flags_of
from postroom.wire.imap_open import Mailbox, our_errors

#: Begins the name of a folder that is no modified UTF-7: the rest are its bytes, each as one character.
_RAW = "\ue000"
_LINE = re.compile(rb'\(([^()]*)\) (NIL|"(?:[^"\\]|\\.)*") ?(.*)', re.DOTALL)
_LITERAL = re.compile(rb"\{\d+\}$")
_STATUS = re.compile(rb"\(([^()]*)\)\s*$")
_UNSAFE = re.compile(rb"[\x00-\x1f\x7f]")
#: Flags for one FETCH without CONDSTORE.
_FLAGS_AT_ONCE = 5000

_SPECIAL = {
    "\\inbox": "inbox",
    "\\sent": "sent",
    "\\drafts": "drafts",
    "\\junk": "junk",
    "\\trash": "trash",
    "\\archive": "archive",
    "\\all": "archive",
}
#: Folders that only show the mails of others.
_VIEWS = {"\\flagged", "\\important"}
#: What programs call them where the server does not say, in lower case.
_NAMES = {
    "sent": "sent",
    "sent items": "sent",
    "sent messages": "sent",
    "sent mail": "sent",
    "wysłane": "sent",
    "elementy wysłane": "sent",
    "изпратени": "sent",
    "drafts": "drafts",
    "szkice": "drafts",
    "kopie robocze": "drafts",
    "чернови": "drafts",
    "junk": "junk",
    "junk e-mail": "junk",
    "spam": "junk",
    "wiadomości-śmieci": "junk",
    "нежелана поща": "junk",
    "trash": "trash",
    "deleted items": "trash",
    "deleted messages": "trash",
    "kosz": "trash",
    "elementy usunięte": "trash",
    "кошче": "trash",
    "изтрити": "trash",
    "archive": "archive",
    "archiwum": "archive",
    "архив": "archive",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A folder. name: as every function here takes it; title: its last part as people read it.

    role: inbox, sent, drafts, junk, trash, archive or "". is_view: it only shows mails of other folders.
    """

    name: str
    title: str
    role: str
    is_view: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """What STATUS says of a folder that is not open; 0 = not told."""

    uidvalidity: int
    uidnext: int
    messages: int
    highest_modseq: int


def wire_name(name: str) -> bytes:
    """A folder's name as a quoted string of the protocol. Raises WireError(FOLDER_NAME) for what cannot be one."""
    raw = name[1:].encode("latin-1", "replace") if name.startswith(_RAW) else bytes(encode(name))
    if _UNSAFE.search(raw):
        raise WireError("This is no name of a folder.", code="FOLDER_NAME")
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def folders(mailbox: Mailbox) -> list[Listed]:
    """The folders that can be opened, as the server lists them; those with impossible names are left out."""
    imap = mailbox.client._imap
    extended = {"SPECIAL-USE", "LIST-EXTENDED"} <= mailbox.capabilities
    with our_errors(mailbox.server, Stage.BODY):
        more = (b"RETURN (SPECIAL-USE)",) if extended else ()
        told, _ = imap._simple_command("LIST", b'""', b'"*"', *more)
        _checked(mailbox, "LIST", told, _)
        lines = imap._untagged_response(told, _, "LIST")[1]
        found = [one for line in _joined(lines) if (one := _listed(line)) is not None]
    return _with_roles(found)


def status(mailbox: Mailbox, folder: str) -> Status:
    """How a folder stands, without opening it. Raises WireError(FOLDER_MISSING)."""
    wanted = b"(UIDVALIDITY UIDNEXT MESSAGES%s)" % (
        b" HIGHESTMODSEQ" if "CONDSTORE" in mailbox.capabilities else b""
    )
    imap = mailbox.client._imap
    with our_errors(mailbox.server, Stage.BODY):
        told, data = imap._simple_command("STATUS", wire_name(folder), wanted)
        _checked(mailbox, folder, told, data)
        lines = list(_joined(imap._untagged_response(told, data, "STATUS")[1]))
    match = _STATUS.search(lines[-1]) if lines else None
    words = match.group(1).split() if match else []
    said = {name.upper(): int(value) for name, value in zip(words[::2], words[1::2], strict=False)}
    names = (b"UIDVALIDITY", b"UIDNEXT", b"MESSAGES", b"HIGHESTMODSEQ")
    return Status(*(said.get(name, 0) for name in names))


def select(mailbox: Mailbox, folder: str, *, readonly: bool = True) -> dict[bytes, Any]:
    """Open a folder, to change something in it only when not readonly. Raises WireError(FOLDER_MISSING)."""
    imap = mailbox.client._imap
    try:
        told, data = imap.select(wire_name(folder), readonly)
    except imaplib.IMAP4.readonly as error:
        raise WireError("Nothing may be changed in this folder.", code="FOLDER_READONLY") from error
    _checked(mailbox, folder, told, data)
    found: dict[bytes, Any] = mailbox.client._process_select_response(imap.untagged_responses)
    return found


def flags_changed(mailbox: Mailbox, last_uid: int, modseq: int) -> dict[int, frozenset[str]]:
    """Flags (lower case) of mails up to `last_uid` of the open folder that changed after `modseq`. CONDSTORE only."""
    return _flags(mailbox, f"1:{last_uid}", f"(CHANGEDSINCE {modseq})") if last_uid else {}


def flags_each(mailbox: Mailbox, uids: Sequence[int]) -> Iterator[dict[int, frozenset[str]]]:
    """Flags of these mails of the open folder, some thousands at a time; those that are gone are left out."""
    for start in range(0, len(uids), _FLAGS_AT_ONCE):
        part = uids[start : start + _FLAGS_AT_ONCE]
        wanted = set(part)
        found = _flags(mailbox, f"{part[0]}:{part[-1]}", None)
        yield {uid: flags for uid, flags in found.items() if uid in wanted}


def uids_there(mailbox: Mailbox, first: int, last: int) -> set[int]:
    """Which UIDs of the open folder from `first` to `last` there are."""
    with our_errors(mailbox.server, Stage.BODY):
        return {int(uid) for uid in mailbox.client.search([b"UID", b"%d:%d" % (first, last)])}


def with_message_id(mailbox: Mailbox, message_id: str) -> list[int]:
    """UIDs of the open folder's mails whose Message-ID holds these characters."""
    with our_errors(mailbox.server, Stage.BODY):
        return sorted(int(uid) for uid in mailbox.client.search(["HEADER", "Message-ID", message_id]))


def flags_set(mailbox: Mailbox, uid: int, flag: str, *, on: bool) -> None:
    """Set or clear one flag of a mail in the open folder; a mail that is gone is no error."""
    with our_errors(mailbox.server, Stage.BODY):
        told, data = mailbox.client._imap.uid(
            "STORE", str(uid), f"{'+' if on else '-'}FLAGS.SILENT", f"({flag})"
        )
        _checked(mailbox, "STORE", told, data)


def move(mailbox: Mailbox, uid: int, folder: str) -> int:
    """Move a mail out of the open folder; its new UID, 0 when the server does not tell."""
    imap = mailbox.client._imap
    imap.untagged_responses.pop("COPYUID", None)
    able = "MOVE" in mailbox.capabilities
    with our_errors(mailbox.server, Stage.BODY):
        told, data = imap.uid("MOVE" if able else "COPY", str(uid), wire_name(folder))
        _checked(mailbox, folder, told, data)
        new = _last_number(imap.untagged_responses.pop("COPYUID", []))
    if not able:
        delete(mailbox, uid)
    return new


def delete(mailbox: Mailbox, uid: int) -> None:
    """Remove a mail from the open folder, and no other that somebody marked as deleted."""
    imap = mailbox.client._imap
    flags_set(mailbox, uid, "\\Deleted", on=True)
    with our_errors(mailbox.server, Stage.BODY):
        if "UIDPLUS" in mailbox.capabilities:
            told, data = imap._simple_command("UID", "EXPUNGE", str(uid))
        elif mailbox.client.search(["DELETED"]) == [uid]:
            told, data = imap.expunge()
        else:
            return
        _checked(mailbox, "EXPUNGE", told, data)


def append(
    mailbox: Mailbox, folder: str, raw: bytes, *, flags: Iterable[str] = ("\\Seen",), at: datetime
) -> int:
    """Put a mail into a folder; its UID, 0 when the server does not tell."""
    imap = mailbox.client._imap
    imap.untagged_responses.pop("APPENDUID", None)
    with our_errors(mailbox.server, Stage.BODY):
        told, data = imap.append(
            wire_name(folder), f"({' '.join(flags)})", f'"{datetime_to_INTERNALDATE(at)}"', raw
        )
        _checked(mailbox, folder, told, data)
        return _last_number(imap.untagged_responses.pop("APPENDUID", []))


def create(mailbox: Mailbox, folder: str) -> None:
    """Make a folder, and show it in other programs."""
    with our_errors(mailbox.server, Stage.BODY):
        told, data = mailbox.client._imap._simple_command("CREATE", wire_name(folder))
        _checked(mailbox, folder, told, data)
        mailbox.client._imap._simple_command("SUBSCRIBE", wire_name(folder))


def _flags(mailbox: Mailbox, uids: str, modifier: str | None) -> dict[int, frozenset[str]]:
    with our_errors(mailbox.server, Stage.BODY):
        told, data = mailbox.client._imap.uid("FETCH", uids, "(UID FLAGS)", *([modifier] if modifier else []))
        _checked(mailbox, "FETCH", told, data)
        found = parse_fetch_response([line for line in data if line is not None] or [None], False, True)
    return {uid: flags_of(fact[b"FLAGS"]) for uid, fact in found.items() if b"FLAGS" in fact}


def _checked(mailbox: Mailbox, folder: str, told: str, data: Sequence[Any]) -> None:
    if told == "OK":
        return
    said = data[0] if data and isinstance(data[0], bytes) else b""
    missing = WireError(f"The server refuses that for the folder {folder}.", code="FOLDER_MISSING")
    missing.reply = Reply(0, mailbox.server.masked(said.decode("utf-8", "replace"))[:500])
    raise missing


def _joined(lines: Sequence[Any]) -> Iterator[bytes]:
    """Answers in one piece each: a name that came as a literal stands at the end."""
    for line in lines:
        if isinstance(line, tuple):
            yield _LITERAL.sub(b"", line[0]) + b"\0" + line[1]
        elif line:
            yield line


def _listed(line: bytes) -> tuple[set[str], str, bytes] | None:
    match = _LINE.match(line)
    if match is None:
        return None
    flags = {word.lower().decode("latin-1") for word in match.group(1).split()}
    delimiter = "" if match.group(2) == b"NIL" else match.group(2)[1:-1].decode("latin-1")[-1:]
    name = match.group(3)
    if name.startswith(b"\0"):
        name = name[1:]
    elif name.startswith(b'"'):
        name = re.sub(rb"\\(.)", rb"\1", name.strip()[1:-1])
    if flags & {"\\noselect", "\\nonexistent"} or not name or _UNSAFE.search(name):
        return None
    return flags, delimiter, name


def _with_roles(found: list[tuple[set[str], str, bytes]]) -> list[Listed]:
    told = {_SPECIAL[flag] for flags, _, _ in found for flag in flags if flag in _SPECIAL}
    listed = []
    for flags, delimiter, raw in found:
        name, shown = _named(raw)
        title = (shown.rpartition(delimiter)[2] or shown) if delimiter else shown
        role = next((_SPECIAL[flag] for flag in sorted(flags) if flag in _SPECIAL), "")
        if raw.upper() == b"INBOX":
            name, role = "INBOX", "inbox"
        elif not role and (guess := _NAMES.get(title.lower(), "")) and guess not in told:
            role = guess
            told.add(guess)
        listed.append(Listed(name, title, role, bool(flags & _VIEWS)))
    return listed


def _named(raw: bytes) -> tuple[str, str]:
    """(the name as kept here, as people read it). Kept is only what leads back to the very same bytes."""
    try:
        name = str(decode(raw))
        if bytes(encode(name)) == raw and name.isprintable() and not name.startswith(_RAW):
            return name, name
    except (ValueError, LookupError):
        pass
    shown = raw.decode("utf-8", "replace")
    return _RAW + raw.decode("latin-1"), "".join(sign if sign.isprintable() else "\ufffd" for sign in shown)


def _last_number(told: Sequence[bytes]) -> int:
    words = told[-1].split() if told else []
    return int(words[-1]) if words and words[-1].isdigit() else 0
