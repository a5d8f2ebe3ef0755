"""Bringing in POP3 accounts that were used before: the only way a POP3 account comes to be (CM-02, CM-03)."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.account import account_save
from postroom.errors import InputError, PostroomError
from postroom.mail.charset import guess_bytes
from postroom.mail.csvfile import RowError, guess_dialect, read_rows
from postroom.models.account import Account, Protocol, Security
from postroom.queries.user import users_visible_to
from postroom.queries.viewer import Viewer

NEEDED = ("name", "address", "pop3_host", "login", "password", "smtp_host")
#: security "": by the port. smtp_login "": as for reading, "-": no sign-in. owner: address of a user, "": the viewer.
COLUMNS = (
    *NEEDED,
    *("owner", "pop3_port", "security", "smtp_port", "smtp_security", "smtp_login", "smtp_password"),
)
#: What account_save calls a column.
_FIELD = {
    "imap_host": "pop3_host",
    "imap_port": "pop3_port",
    "imap_security": "security",
    "imap_login": "login",
    "imap_password": "password",
}
#: Usual ports without a security of their own.
_PORTS = {"pop3": 110, "pop3-tls": 995, "smtp": 587, "smtp-tls": 465}


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """line: where the row begins in the file. account_id: 0 = refused, for the reason in code, field, message."""

    line: int
    name: str = ""
    address: str = ""
    account_id: int = 0
    code: str = ""
    field: str = ""
    message: str = ""


def accounts_import_legacy(*, viewer: Viewer, raw: bytes) -> list[LegacyRow]:
    """An account for each row that can be one, and what became of every row. For the command line only.

    raw: a CSV file with a header; columns: COLUMNS. Raises InputError when the file cannot be used at all.
    """
    people = {user.email.lower(): user.id for user in users_visible_to(viewer)}
    report = []
    for line, values in _rows(raw):
        if isinstance(values, RowError):
            report.append(LegacyRow(line, code=values.fault.upper(), message=_("This row cannot be read.")))
            continue
        name, address = values["name"], values["address"]
        try:
            number = _make(viewer, values, people)
        except PostroomError as error:
            field = _column(error.field, values)
            report.append(LegacyRow(line, name, address, 0, error.code, field, error.message))
        else:
            report.append(LegacyRow(line, name, address, number))
    return report


def _rows(raw: bytes) -> Iterator[tuple[int, dict[str, str] | RowError]]:
    encoding = guess_bytes(raw).encoding
    separator = guess_dialect(io.BytesIO(raw), encoding).separator
    rows = read_rows(io.BytesIO(raw), encoding, separator)
    _line, first = next(rows, (0, []))
    names = [] if isinstance(first, RowError) else [name.strip().lower() for name in first]
    missing = [name for name in NEEDED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown or len(set(names)) < len(names):
        said = ", ".join(missing or unknown or names)
        raise InputError(
            _("The first line must name the columns; look at: %(names)s.") % {"names": said[:500]}
        )
    for line, row in rows:
        if isinstance(row, RowError):
            yield line, row
        else:
            found = dict(zip(names, row, strict=False))
            yield line, {name: found.get(name, "") for name in COLUMNS}


@transaction.atomic
def _make(viewer: Viewer, values: Mapping[str, str], people: Mapping[str, int]) -> int:
    """The id of the new account; it is no POP3 account before it passed as one for IMAP would."""
    owner = values["owner"].strip().lower()
    if owner and owner not in people:
        raise InputError(_("The owner must be an active user of this workspace."), field="owner")
    account = account_save(viewer=viewer, values=_given(values) | {"owner": people.get(owner)})
    Account.objects.filter(id=account.id).update(protocol=Protocol.POP3)
    return int(account.id)


def _column(field: str, values: Mapping[str, str]) -> str:
    """Where the value stands in the file; sending without a login of its own uses that for reading."""
    if field in ("smtp_login", "smtp_password") and not values["smtp_login"].strip():
        field = field.replace("smtp_", "imap_")
    return _FIELD.get(field, field)


def _given(values: Mapping[str, str]) -> dict[str, Any]:
    security, port = _security("pop3", values["security"], values["pop3_port"])
    smtp_security, smtp_port = _security("smtp", values["smtp_security"], values["smtp_port"])
    login = values["smtp_login"].strip()
    return {
        "name": values["name"],
        "address": values["address"],
        "imap_host": values["pop3_host"],
        "imap_port": port,
        "imap_security": security,
        "imap_login": values["login"],
        "imap_password": values["password"],
        "smtp_host": values["smtp_host"],
        "smtp_port": smtp_port,
        "smtp_security": smtp_security,
        "smtp_authenticate": login != "-",
        "smtp_login": "" if login == "-" else login,
        "smtp_password": values["smtp_password"] if login not in ("", "-") else "",
        "smtp_same_as_imap": not login,
        "collector_on": True,
    }


def _security(side: str, security: str, port: str) -> tuple[str, str]:
    """Encryption and port; what is left out follows from the other. "ssl" is TLS from the start."""
    security, port = security.strip().lower(), port.strip()
    security = {"ssl": str(Security.TLS)}.get(security, security)
    if not security:
        security = Security.TLS if port in ("", str(_PORTS[f"{side}-tls"])) else Security.STARTTLS
    if not port:
        port = str(_PORTS[f"{side}-tls" if security == Security.TLS else side])
    return str(security), port
