"""Reading campaigns: lists, one with its figures, and what is on its way now. No page counts deliveries."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from postroom.errors import NotFound
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.profile import May, Right
from postroom.queries.sharing import demand_may, shared_with
from postroom.queries.viewer import Viewer, demand

#: States in the order of the rail.
SENT_STATES = ("accepted", "deferred", "failed", "uncertain", "skipped", "queued")
ARRIVALS = ("delivered", "relayed", "expanded", "delayed", "bounced")
READINGS = ("displayed", "heuristic", "deleted_unread", "automatic")
OTHERS = ("unsubscribed", "replied")
LIVE = (
    CampaignState.FREEZING,
    CampaignState.RUNNING,
    CampaignState.WAITING_FOR_SLOT,
    CampaignState.PAUSED,
    CampaignState.NEEDS_ACCOUNT,
)


def campaigns_visible_to(viewer: Viewer) -> "QuerySet[Campaign]":
    return Campaign.objects.filter(shared_with(viewer, Campaign), deleted_at=None)


def campaign_visible_to(viewer: Viewer, campaign_id: int, *, lock: bool = False) -> Campaign:
    """One campaign. Raises NotFound when it is not there or not this viewer's to see."""
    rows = campaigns_visible_to(viewer)
    if lock:
        rows = rows.select_for_update(of=("self",))
    campaign = rows.select_related("account", "workspace", "started_by").filter(id=campaign_id).first()
    if campaign is None:
        raise NotFound("There is no such campaign.")
    return campaign


def campaign_to_change(viewer: Viewer, campaign_id: int, *, lock: bool = True) -> Campaign:
    """One campaign to be changed, started or stopped. Raises NotFound; NotAllowed without the right to send, or without
    "edit" on it.
    """
    campaign = campaign_visible_to(viewer, campaign_id, lock=lock)
    demand(viewer, Right.CAMPAIGNS_SEND)
    demand_may(viewer, campaign, May.EDIT)
    return campaign


@dataclass(slots=True)
class Figures:
    """What became of a campaign's recipients. Sums of counters written with the outcomes."""

    total: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> int:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.counts.get(name, 0)

    @property
    def queued(self) -> int:
        return max(0, self.total - sum(self.counts.get(name, 0) for name in SENT_STATES[:-1]))

    @property
    def done(self) -> int:
        """Decided: accepted, failed, uncertain or skipped."""
        return sum(self.counts.get(name, 0) for name in ("accepted", "failed", "uncertain", "skipped"))

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def no_report(self) -> int:
        return max(0, self.accepted - sum(self.counts.get(name, 0) for name in ARRIVALS))

    @property
    def no_answer(self) -> int:
        return max(0, self.accepted - sum(self.counts.get(name, 0) for name in READINGS))


def figures_of(campaigns: list[Campaign]) -> dict[int, Figures]:
    """Campaign id -> figures; two statements however many campaigns."""
    figures = {c.id: Figures(total=c.total) for c in campaigns}
    names = ("accepted", "failed", "deferred", "uncertain", "skipped")
    more = (*names, *ARRIVALS, *READINGS, *OTHERS)
    with connection.cursor() as cursor:
        for table, columns in (("postroom_shard", names), ("postroom_campaignfigures", more)):
            sums = ", ".join(f"sum({name})" for name in columns)
            cursor.execute(
                f"SELECT campaign_id, {sums} FROM {table} WHERE campaign_id = ANY(%s) GROUP BY campaign_id",
                [list(figures)],
            )
            for campaign_id, *values in cursor.fetchall():
                counts = figures[campaign_id].counts
                for name, value in zip(columns, values, strict=True):
                    counts[name] = counts.get(name, 0) + int(value or 0)
    return figures


@dataclass(frozen=True, slots=True)
class Pace:
    """per_minute: recipients decided a minute, lately; left: time to the end at that pace, None = cannot be said."""

    per_minute: int
    left: timedelta | None
    points: list[tuple[datetime, int]]


def pace_of(campaign: Campaign, figures: Figures, *, points: int = 60) -> Pace:
    """How fast it goes, from slices of ten seconds."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT slice_at, sum(decided) FROM postroom_campaignpace WHERE campaign_id = %s"
            " GROUP BY slice_at ORDER BY slice_at DESC LIMIT %s",
            [campaign.id, points],
        )
        slices = [(at, int(n)) for at, n in cursor.fetchall()]
    recent = [(at, n) for at, n in slices if now - at < timedelta(seconds=70)]
    decided = sum(n for _, n in recent)
    span = max(1.0, (now - min(at for at, _ in recent)).total_seconds()) if recent else 1.0
    per_second = decided / span
    open_ = figures.queued
    left = timedelta(seconds=open_ / per_second) if per_second and open_ else None
    return Pace(round(per_second * 60), left, list(reversed(slices)))


@dataclass(frozen=True, slots=True)
class GoingOut:
    id: int
    name: str
    state: str
    percent: int
    per_minute: int
    minutes_left: int | None
    figures: Figures


def campaign_going_out(viewer: Viewer) -> GoingOut | None:
    """The campaign on its way now, for the foot of the side bar; None without one."""
    campaign = (
        campaigns_visible_to(viewer)
        .filter(state__in=[CampaignState.RUNNING, CampaignState.FREEZING])
        .order_by("-started_at")
        .first()
    )
    if campaign is None:
        return None
    figures = figures_of([campaign])[campaign.id]
    pace = pace_of(campaign, figures, points=7)
    left = None if pace.left is None else max(1, round(pace.left.total_seconds() / 60))
    return GoingOut(
        campaign.id, campaign.name, campaign.state, figures.percent, pace.per_minute, left, figures
    )
