"""What the sync daemon writes about its collectors: who reads which mailbox, how far, and how it went (BC-03, BC-07).

A collector is held by a lease on the database's clock. Of several collectors that would read the same folder with the
same login at the same host, whatever their accounts, only the oldest is ever claimed.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from postroom.actions.log import Note, log_note
from postroom.actions.sysmail import notice_tell
from postroom.errors import HostError
from postroom.models.account import REFUSALS, Account, AccountStatus, Collector
from postroom.models.event import Event
from postroom.models.workspace import Instance
from postroom.queries.sending import proxy_of

#: Begins the reason of an account that fails because of its mailbox, so that only this side takes it back.
IMAP_MARK = "IMAP: "


@dataclass(frozen=True, slots=True)
class Reading:
    """A collector claimed, with everything needed to read its mailbox.

    uidvalidity: 0 = never read before. take_from: then, mail that arrived before is passed over.
    is_mailbox: all folders are read, and changed as people here change them.
    protocol: imap or pop3; leave: what POP3 read stays on the server; was_pop3: it is IMAP since (CM-04).
    version: of the account's settings; retries: failures in a row before this claim, the last with error_code.
    """

    collector: Collector = field(repr=False)
    collector_id: int
    account_id: int
    version: int
    folder: str
    interval: timedelta
    use_idle: bool
    uidvalidity: int
    last_uid: int
    take_from: datetime
    retries: int
    error_code: str
    host: str
    port: int
    security: str
    login: str
    password: str = field(repr=False)
    verify_certificate: bool
    allow_private: bool
    proxy: dict[str, Any] | None = field(repr=False, default=None)
    protocol: str = "imap"
    leave: bool = True
    was_pop3: bool = False
    is_mailbox: bool = False


# Chosen in a WITH, so that it is done once: as in actions/shard.py.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT c.id FROM postroom_collector c JOIN postroom_account a ON a.id = c.account_id
     WHERE c.is_on AND a.deleted_at IS NULL AND a.imap_host <> ''
       AND EXISTS (SELECT FROM postroom_user u WHERE u.id = a.owner_id AND u.is_active) -- CM-17
       AND (c.lease_until IS NULL OR c.lease_until < now())
       -- one connection reads all folders of an account: it is held by the first
       AND NOT EXISTS (SELECT FROM postroom_collector f WHERE f.account_id = c.account_id AND f.id < c.id)
       AND (c.next_run_at IS NULL OR c.next_run_at <= now() OR c.holder <> '' OR c.id = ANY(%(ids)s))
       AND NOT EXISTS (
          SELECT FROM postroom_collector o JOIN postroom_account b ON b.id = o.account_id
           WHERE o.id < c.id AND o.is_on AND b.deleted_at IS NULL AND o.folder = c.folder
             AND lower(b.imap_host) = lower(a.imap_host) AND b.imap_login = a.imap_login)
     ORDER BY c.next_run_at NULLS FIRST, c.id LIMIT %(most)s FOR UPDATE OF c SKIP LOCKED)
UPDATE postroom_collector SET holder = %(holder)s, lease_until = now() + make_interval(secs => %(lease)s)
 WHERE id IN (SELECT id FROM due)
RETURNING id
"""


def collectors_claim(*, holder: str, lease: timedelta, most: int, ids: Collection[int] = ()) -> list[Reading]:
    """Take hold of at most `most` collectors that are free and due, left by a daemon that died, or named in `ids`."""
    if most < 1:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM, {"holder": holder, "lease": lease.total_seconds(), "most": most, "ids": list(ids)}
        )
        claimed = [row[0] for row in cursor.fetchall()]
    if not claimed:
        return []
    allow_private = Instance.objects.filter(id=1, allow_private_hosts=True).exists()
    found = []
    for number in sorted(claimed):
        try:
            one = Collector.objects.select_related("account").get(id=number)
        except HostError as error:  # its password cannot be decrypted: that must not keep the others
            _unreadable(number, error)
        else:
            found.append(_reading(one, allow_private))
    return found


def _unreadable(collector_id: int, error: HostError) -> None:
    Collector.objects.filter(id=collector_id).update(
        holder="",
        lease_until=None,
        error=error.message,
        error_code="SECRET",
        error_since=Coalesce("error_since", Now()),
        failures=1,
        next_run_at=Now() + timedelta(seconds=settings.POSTROOM_COLLECT_RETRY_SCHEDULE[-1]),
    )


def _reading(one: Collector, allow_private: bool) -> Reading:
    account = one.account
    return Reading(
        collector=one,
        collector_id=one.id,
        account_id=account.id,
        version=account.version,
        folder=one.folder,
        interval=timedelta(seconds=one.interval_s),
        use_idle=one.use_idle,
        uidvalidity=one.uidvalidity,
        last_uid=one.last_uid,
        take_from=one.take_from,
        retries=one.failures,
        error_code=one.error_code,
        host=account.imap_host,
        port=account.imap_port,
        security=account.imap_security,
        login=account.imap_login,
        password=account.imap_password,
        verify_certificate=account.verify_certificate,
        allow_private=allow_private,
        proxy=proxy_of(account),
        protocol=account.protocol,
        leave=account.pop3_leave,
        was_pop3=account.pop3_locked,
        is_mailbox=account.is_mailbox,
    )


def collectors_renew(*, holder: str, lease: timedelta, ids: Collection[int]) -> dict[int, int]:
    """Keep the leases; {collector id: version of its account} of those still held and to be read."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE postroom_collector c SET lease_until = now() + make_interval(secs => %s) FROM postroom_account a"
            " WHERE a.id = c.account_id AND c.id = ANY(%s) AND c.holder = %s AND c.is_on"
            " AND a.deleted_at IS NULL"
            " AND EXISTS (SELECT FROM postroom_user u WHERE u.id = a.owner_id AND u.is_active)"
            " RETURNING c.id, a.version",
            [lease.total_seconds(), list(ids), holder],
        )
        return dict(cursor.fetchall())


def collectors_release(*, holder: str, ids: Collection[int], stopping: bool = False) -> None:
    """Let go. A daemon that stops leaves what it read without trouble to the next one, at once."""
    held = Collector.objects.filter(id__in=ids, holder=holder)
    if stopping:
        held.filter(failures=0).update(next_run_at=None)
    held.update(holder="", lease_until=None, begun_at=None)


def collector_begun(*, collector_id: int) -> None:
    """Its mailbox is being looked into now; ended by `collector_done`, `collector_failed` or the release."""
    Collector.objects.filter(id=collector_id).update(begun_at=Now(), taken=0, to_take=0)


def collector_progress(*, collector_id: int, taken: int, to_take: int) -> None:
    """So many of so many new mails are taken."""
    Collector.objects.filter(id=collector_id).update(
        begun_at=Coalesce("begun_at", Now()), taken=taken, to_take=to_take
    )


def collector_watermark(*, collector_id: int, uidvalidity: int, last_uid: int) -> None:
    """Everything up to `last_uid` is taken (or, at the first connection, passed over)."""
    Collector.objects.filter(id=collector_id).exclude(uidvalidity=uidvalidity, last_uid__gte=last_uid).update(
        uidvalidity=uidvalidity, last_uid=last_uid
    )


def events_left(*, collector_id: int) -> list[int]:
    """Ids of its mails that were stored and not looked at: a daemon ended in between."""
    return list(
        Event.objects.filter(kind="", collector_id=collector_id).order_by("id").values_list("id", flat=True)
    )


def taken_before(*, reading: Reading, uidvalidity: int, items: Sequence[tuple[int, bytes]]) -> set[int]:
    """UIDs of mails that were taken under an earlier UIDVALIDITY already: the same bytes, the same folder."""
    digests = {uid: hashlib.sha256(raw).hexdigest() for uid, raw in items}
    known = set(
        Event.objects.filter(
            account_id=reading.account_id,
            folder=reading.folder,
            source="imap",
            raw_id__in=set(digests.values()),
        )
        .exclude(uidvalidity=uidvalidity)
        .values_list("raw_id", flat=True)
    )
    return {uid for uid, digest in digests.items() if digest in known}


_DONE = """
UPDATE postroom_collector c
   SET last_ok_at = now(), last_new = %(new)s, error = '', error_code = '', error_since = NULL, failures = 0,
       refusals = 0, told_to = '', begun_at = NULL, taken = 0, to_take = 0,
       next_run_at = now() + make_interval(secs => %(interval)s),
       day_new = %(new)s + CASE WHEN c.day = today.day THEN c.day_new ELSE 0 END, day = today.day
  FROM postroom_account a JOIN postroom_workspace w ON w.id = a.workspace_id,
       LATERAL (SELECT (now() AT TIME ZONE w.time_zone)::date AS day) AS today
 WHERE c.id = %(id)s AND a.id = c.account_id
"""


@transaction.atomic
def collector_done(*, reading: Reading, new: int) -> None:
    """The mailbox was read to its end; `new` mails were taken. Clears what was wrong before."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DONE, {"id": reading.collector_id, "new": new, "interval": reading.interval.total_seconds()}
        )
    healed = Account.objects.filter(
        id=reading.account_id, status=AccountStatus.FAILING, status_reason__startswith=IMAP_MARK
    ).update(status=AccountStatus.OK, status_reason="", status_since=Now())
    if healed or reading.retries:
        _log(reading, "info", "The mailbox can be read again.")


@transaction.atomic
def collector_failed(*, reading: Reading, code: str, words: str, refused: bool = False) -> timedelta:
    """It went wrong: say so, wait longer each time; returns the wait.

    refused: it was the login; an account that sends with the same one fails altogether, and after REFUSALS in a row
    reading switches itself off and the owner is told.
    """
    collector = Collector.objects.select_for_update().get(id=reading.collector_id)
    schedule = settings.POSTROOM_COLLECT_RETRY_SCHEDULE
    wait = timedelta(seconds=schedule[min(collector.failures, len(schedule) - 1)])
    first = collector.error_code != code
    refusals = min(collector.refusals + 1, 1000) if refused else collector.refusals
    Collector.objects.filter(id=collector.id).update(
        error=words[:2000],
        error_code=code[:40],
        error_since=Now() if first else collector.error_since,
        failures=min(collector.failures + 1, 1000),
        refusals=refusals,
        begun_at=None,
        next_run_at=Now() + wait,
    )
    if refused and _sends_with_it(Account.objects.get(id=reading.account_id)):
        Account.objects.filter(id=reading.account_id).exclude(status=AccountStatus.FAILING).update(
            status=AccountStatus.FAILING, status_reason=(IMAP_MARK + words)[:500], status_since=Now()
        )
    if first or refused:
        _log(reading, "error" if refused else "warning", words, stage="login" if refused else "collect")
    if refused and refusals >= REFUSALS and collector.is_on:
        _switch_off(reading, words)
    return wait


def _switch_off(reading: Reading, words: str) -> None:
    """Every folder of the account: they are read with one login. A person switches it on again."""
    told = _tell_owner(reading, words)
    Collector.objects.filter(account_id=reading.account_id, is_on=True).update(
        is_on=False, switched_by=None, switched_at=Now(), told_to=told
    )
    said = f"The login was refused {REFUSALS} times in a row: reading is switched off."
    _log(reading, "error", said, stage="switch")


def _tell_owner(reading: Reading, words: str) -> str:
    """A notice to the account's owner; their name, "" when there is no way to reach them."""
    account = Account.objects.select_related("owner").get(id=reading.account_id)

    def notice() -> tuple[str, str]:
        values = {"account": account.name, "address": account.address, "n": REFUSALS}
        said = _("The mailbox %(address)s is not read any more: its login was refused %(n)s times in a row.")
        advice = _(
            "Open Settings, Mail accounts, put in the password that is valid now, and switch reading on again."
        )
        return (
            _("Postroom: %(account)s is not read any more") % values,
            f"{said % values}\n\n{words}\n\n{advice}",
        )

    return str(account.owner)[:200] if notice_tell(account.owner, notice) else ""


def _sends_with_it(account: Account) -> bool:
    """Whether the sending side signs in with the same user and password: then it would be refused, too."""
    if not account.smtp_authenticate:
        return False
    return account.smtp_same_as_imap or (
        (account.smtp_login, account.smtp_password) == (account.imap_login, account.imap_password)
    )


def collector_skipped(*, reading: Reading, uid: int, words: str) -> None:
    """A mail that the server does not hand out is passed over; the log names it."""
    _log(reading, "error", f"Mail {uid} of {reading.folder} cannot be read and is passed over: {words}")


def collector_note(*, reading: Reading, words: str, duration_ms: int | None = None) -> None:
    """A line of the log about the connection to its server."""
    _log(reading, "info", words, stage="connection", duration_ms=duration_ms)


def _log(
    reading: Reading, level: str, words: str, *, stage: str = "collect", duration_ms: int | None = None
) -> None:
    log_note(
        Note(
            workspace_id=reading.collector.account.workspace_id,
            account_id=reading.account_id,
            direction="in",
            stage=stage,
            level=level,
            words=words,
            duration_ms=duration_ms,
        )
    )
