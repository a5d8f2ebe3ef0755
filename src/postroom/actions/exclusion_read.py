"""Reading a set again from where it lies: asked for by a page, done by the worker (SX-06)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from postroom.actions.exclusion import Filled, entries_of, exclusion_fill
from postroom.actions.job import enqueue
from postroom.errors import InputError
from postroom.models.exclusion import Exclusion, ExclusionSource
from postroom.models.workspace import Instance
from postroom.queries.exclusion import PATIENCE

#: A copy so young is used as it is.
YOUNG = timedelta(minutes=1)


@dataclass(frozen=True)
class ReadOrder:
    """What the worker reads. source: "url" or "file"."""

    source: str
    place: str
    allow_private: bool


@transaction.atomic
def exclusions_ask(ids: Collection[int], *, again: bool = False) -> int:
    """Have these sets read, where their copy is not young. Returns how many are being read. again: whatever its age."""
    now, asked = timezone.now(), 0
    rows = Exclusion.objects.select_for_update().filter(id__in=ids).exclude(source=ExclusionSource.TEXT)
    for one in rows.order_by("id"):
        if one.asked_at is not None and not one.error and now - one.asked_at < PATIENCE:
            asked += 1
            continue
        if not again and not one.error and one.read_at and now - one.read_at < YOUNG:
            continue
        one.asked_at, one.error = now, ""
        one.save(update_fields=["asked_at", "error"])
        enqueue("exclusion_read", exclusion_id=one.id)
        asked += 1
    return asked


def read_order(exclusion_id: int) -> ReadOrder | None:
    """What is to be read; None when nobody waits for it any more."""
    waiting = Exclusion.objects.filter(id=exclusion_id, deleted_at=None, error="")
    found = waiting.exclude(asked_at=None).first()
    if found is None:
        return None
    instance = Instance.objects.filter(id=1).first()
    return ReadOrder(found.source, found.place, bool(instance and instance.allow_private_hosts))


@transaction.atomic
def read_store(*, exclusion_id: int, text: str) -> None:
    """The new copy. One without a single entry is not believed: the last copy stays."""
    found = Exclusion.objects.select_for_update().get(id=exclusion_id)
    if next(entries_of(text, Filled()), None) is None:
        _failed(found, gettext_noop("There is neither an address nor a domain in it."))
        return
    exclusion_fill(found, text)
    found.asked_at, found.error, found.read_at = None, "", timezone.now()
    found.save(update_fields=["asked_at", "error", "read_at"])


@transaction.atomic
def read_failed(*, exclusion_id: int, error: str) -> None:
    found = Exclusion.objects.select_for_update().filter(id=exclusion_id).first()
    if found is not None:
        _failed(found, error)


def _failed(found: Exclusion, error: str) -> None:
    found.asked_at, found.error = timezone.now(), error[:500]
    found.save(update_fields=["asked_at", "error"])


def list_demand(content_type: str) -> None:
    """Raises InputError where a server sent a page for people: a sign-in, an error."""
    if "html" in content_type.lower():
        raise InputError("There is a web page at this address, not a list of addresses.")


def file_read(folder: Path | None, place: str, *, most_bytes: int) -> bytes:
    """A plain file below the folder; no way leads out of it, also not over a link. Raises InputError."""
    if folder is None:
        raise InputError("The administrator has set no folder for such files: POSTROOM_EXCLUSION_FOLDER.")
    try:
        home = folder.resolve(strict=True)
        path = (home / place).resolve(strict=True)
        if not path.is_relative_to(home) or not path.is_file():
            raise InputError("There is no such file in the folder for exclusion sets.")
        with path.open("rb") as file:
            raw = file.read(most_bytes + 1)
    except (OSError, ValueError):
        raise InputError("There is no such file in the folder for exclusion sets.") from None
    if len(raw) > most_bytes:
        raise InputError("The file is too large.")
    return raw
