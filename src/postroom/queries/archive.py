"""The archive: what was sent, single messages and campaigns in one place, as far as a person's profiles reach (AR-01).

Every list is read along an index, newest first, a page at a time; nothing is counted.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from postroom.errors import BadAddress, NotAllowed, NotFound
from postroom.mail.address import canonical
from postroom.mail.answer import files_of
from postroom.mail.fold import fold
from postroom.models.account import Account
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery
from postroom.models.message import Message
from postroom.models.profile import ArchiveScope, May, ProfileMember, Visibility
from postroom.models.search import SearchNoun
from postroom.models.user import User
from postroom.queries.blob import blob_read
from postroom.queries.campaign import Figures, figures_of
from postroom.queries.contact_list import hidden_lists
from postroom.queries.masking import is_masked
from postroom.queries.preview import campaign_preview
from postroom.queries.profile import archive_scope
from postroom.queries.search_grams import things_holding
from postroom.queries.sharing import shared_with
from postroom.queries.user import users_visible_to
from postroom.queries.viewer import Viewer

PAGE = 50
#: Recipients of a message whose states a line of the list sums up.
_SHOWN = 500


def _team(viewer: Viewer) -> "QuerySet[ProfileMember, int]":
    """Who has a profile that the viewer has too."""
    return ProfileMember.objects.filter(profile__in=viewer.profiles).values_list("user_id", flat=True)


def archived_messages(viewer: Viewer) -> "QuerySet[Message]":
    """Single messages that went out, as far as the viewer's archive reaches."""
    found = Message.objects.filter(workspace=viewer.workspace, direction="out", purpose="single")
    scope = archive_scope(viewer)
    if scope == ArchiveScope.OWN:
        return found.filter(user=viewer.user)
    if scope == ArchiveScope.TEAM:
        private = Account.objects.filter(workspace=viewer.workspace, visibility=Visibility.PRIVATE)
        shut = private.exclude(owner=viewer.user).values("id")
        ours = Q(user__in=_team(viewer)) & ~Q(account__in=shut)
        return found.filter(Q(user=viewer.user) | ours)
    return found


def archived_campaigns(viewer: Viewer) -> "QuerySet[Campaign]":
    """Campaigns that were started and that the viewer may look into, as far as their archive reaches."""
    found = Campaign.objects.filter(
        shared_with(viewer, Campaign, May.VIEW), deleted_at=None, started_at__isnull=False
    )
    scope = archive_scope(viewer)
    if scope == ArchiveScope.OWN:
        return found.filter(Q(created_by=viewer.user) | Q(started_by=viewer.user))
    if scope == ArchiveScope.TEAM:
        own = Q(created_by=viewer.user) | Q(started_by=viewer.user)
        return found.filter(own | Q(created_by__in=_team(viewer)) | Q(started_by__in=_team(viewer)))
    return found


@dataclass(frozen=True)
class ArchiveFind:
    """What is looked for. address: of one recipient, whole; subject: words; user_id: who sent it, 0 = anybody;
    since, until: moments, the second not included; kind: "campaign", "message", "" = both."""

    address: str = ""
    subject: str = ""
    user_id: int = 0
    since: datetime | None = None
    until: datetime | None = None
    kind: str = ""


@dataclass(frozen=True)
class Archived:
    """One line: a campaign or a message. states: (state, how many) of a message's recipients, the most first."""

    at: datetime
    campaign: Campaign | None = None
    message: Message | None = None
    figures: Figures | None = None
    states: Sequence[tuple[str, int]] = field(default_factory=tuple)

    @property
    def kind(self) -> str:
        return "message" if self.message else "campaign"

    @property
    def id(self) -> int:
        return (self.message or self.campaign).id  # type: ignore[union-attr]


def archive_page(viewer: Viewer, find: ArchiveFind, *, at: str = "") -> tuple[list[Archived], str | None]:
    """Newest first: at most PAGE lines, and where the next page begins; None at the end. A strange `at` = the start."""
    moment, kind, number = _place(at)
    lines: list[Archived] = []
    if find.kind != "message":
        campaigns = _narrowed(viewer, archived_campaigns(viewer), find, "started_at")
        if moment is not None:
            later = Q(started_at=moment, id__lt=number) if kind == "c" else Q(pk__in=())
            campaigns = campaigns.filter(Q(started_at__lt=moment) | later)
        newest = campaigns.select_related("account", "created_by", "started_by", "type")
        for campaign in newest.order_by("-started_at", "-id")[: PAGE + 1]:
            lines.append(Archived(at=campaign.started_at, campaign=campaign))
    if find.kind != "campaign":
        messages = _narrowed(viewer, archived_messages(viewer), find, "created_at")
        if moment is not None:
            later = Q(created_at=moment) if kind == "c" else Q(created_at=moment, id__lt=number)
            messages = messages.filter(Q(created_at__lt=moment) | later)
        for message in messages.select_related("user", "type").order_by("-created_at", "-id")[: PAGE + 1]:
            lines.append(Archived(at=message.created_at, message=message))
    lines.sort(key=lambda line: (line.at, line.kind == "campaign", line.id), reverse=True)
    shown = _filled(lines[:PAGE])
    return shown, _cursor(shown[-1]) if len(lines) > PAGE else None


def _narrowed(viewer: Viewer, found: "QuerySet[Any]", find: ArchiveFind, moment: str) -> "QuerySet[Any]":
    """What fits. An address is looked up where people are not kept from the viewer: a hit would tell who is there."""
    is_campaign = found.model is Campaign
    if find.address.strip():
        try:
            key = canonical(find.address.strip())
        except BadAddress:
            return found.none()
        to_them = Delivery.objects.filter(workspace=viewer.workspace, canonical=key)
        if is_campaign:
            hidden = hidden_lists(viewer)
            found = found.filter(id__in=to_them.filter(campaign__isnull=False).values("campaign_id"))
            found = found.exclude(lists__in=hidden) if hidden else found
        else:
            found = found.filter(id__in=to_them.filter(message__isnull=False).values("message_id"))
    asked = find.subject.replace("\0", " ").split()[:8]
    if asked and not is_campaign:
        known = things_holding(SearchNoun.MESSAGE, viewer.workspace.id, [fold(word) for word in asked])
        found = found if known is None else found.filter(id__in=known)
    for word in asked:
        fits = Q(subject__icontains=word)
        found = found.filter(fits | Q(name__icontains=word) if is_campaign else fits)
    if find.user_id:
        sender = Q(started_by=find.user_id) | Q(started_by=None, created_by=find.user_id)
        found = found.filter(sender if is_campaign else Q(user=find.user_id))
    if find.since:
        found = found.filter(**{f"{moment}__gte": find.since})
    if find.until:
        found = found.filter(**{f"{moment}__lt": find.until})
    return found


def _place(at: str) -> tuple[datetime | None, str, int]:
    """(moment, "c" or "m", id) of a cursor; (None, "", 0) for what is none."""
    moment, kind, number = [*at.split("-"), "", ""][:3]
    if not (moment.isascii() and moment.isdecimal() and number.isascii() and number.isdecimal()):
        return None, "", 0
    if len(moment) > 17 or len(number) > 17 or kind not in ("c", "m"):
        return None, "", 0
    return _EPOCH + timedelta(microseconds=int(moment)), kind, int(number)


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _cursor(line: Archived) -> str:
    return f"{(line.at - _EPOCH) // timedelta(microseconds=1)}-{line.kind[0]}-{line.id}"


def _filled(lines: list[Archived]) -> list[Archived]:
    """With figures and states: two statements for the campaigns of a page, one for its messages."""
    figures = figures_of([line.campaign for line in lines if line.campaign])
    states: dict[int, dict[str, int]] = {}
    rows = Delivery.objects.filter(message__in=[line.id for line in lines if line.message])
    for message_id, state, reason in rows.values_list("message_id", "state", "reason")[: PAGE * _SHOWN]:
        word = "cancelled" if reason == "cancelled" else state
        counts = states.setdefault(message_id or 0, {})
        counts[word] = counts.get(word, 0) + 1
    return [
        Archived(
            line.at,
            line.campaign,
            line.message,
            figures.get(line.id) if line.campaign else None,
            sorted(states.get(line.id, {}).items(), key=lambda pair: -pair[1]) if line.message else (),
        )
        for line in lines
    ]


def archive_senders(viewer: Viewer) -> list[User]:
    """Whose mail the viewer's archive may hold, by name."""
    scope = archive_scope(viewer)
    if scope == ArchiveScope.OWN:
        return [viewer.user]
    people = users_visible_to(viewer)
    if scope == ArchiveScope.ALL:
        return people
    team = {*_team(viewer), viewer.user.id}
    return [one for one in people if one.id in team]


def archived_message(viewer: Viewer, message_id: int) -> Message:
    """Raises NotFound."""
    rows = archived_messages(viewer).select_related("account", "user", "type", "template", "record")
    every = Prefetch("deliveries", Delivery.objects.order_by("id"))
    found = rows.filter(id=message_id).prefetch_related(every).first()
    if found is None:
        raise NotFound("There is no such message in your archive.")
    return found


def archived_campaign(viewer: Viewer, campaign_id: int) -> Campaign:
    """Raises NotFound."""
    rows = archived_campaigns(viewer).select_related(
        "account", "created_by", "started_by", "type", "template"
    )
    found = rows.filter(id=campaign_id).first()
    if found is None:
        raise NotFound("There is no such campaign in your archive.")
    return found


@dataclass(frozen=True)
class ArchivedFile:
    """An attachment as it was sent. sha256: of its bytes, in hexadecimal."""

    name: str
    content_type: str
    size_bytes: int
    sha256: str


def message_bytes_of(message: Message) -> bytes:
    """As it went out; b"" when nothing was kept."""
    return blob_read(message.raw_id) if message.raw_id else b""


def message_files(message: Message) -> list[ArchivedFile]:
    found = files_of(message_bytes_of(message)) or []
    return [
        ArchivedFile(name, kind, len(data), hashlib.sha256(data).hexdigest()) for name, kind, data in found
    ]


def message_file(viewer: Viewer, message_id: int, number: int) -> tuple[str, bytes]:
    """Name and bytes of the n-th attachment from 1. Raises NotFound."""
    found = files_of(message_bytes_of(archived_message(viewer, message_id))) or []
    if not 1 <= number <= len(found):
        raise NotFound("This message has no such file.")
    name, _kind, data = found[number - 1]
    return name, data


def campaign_files(campaign: Campaign) -> list[ArchivedFile]:
    rows = campaign.attachments.select_related("blob").order_by("id")
    return [ArchivedFile(one.name, one.content_type, one.blob.size_bytes, one.blob_id) for one in rows]


def campaign_bytes_of(viewer: Viewer, campaign: Campaign) -> tuple[bytes, bool]:
    """One copy, and whether it is the very bytes that went out; else made again from what was frozen.

    Raises NotAllowed where a list keeps its people from the viewer: a copy names one. NotFound without an account.
    """
    if is_masked(viewer, campaign):
        raise NotAllowed("You may not see who the people of this campaign are, and each copy names one.")
    if campaign.sample_id:
        return blob_read(campaign.sample_id), True
    return campaign_preview(viewer, campaign).raw, False
