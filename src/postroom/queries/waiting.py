"""What came in and was not looked at yet."""

from datetime import timedelta

from django.utils import timezone

from postroom.models.event import Event


def events_waiting(*, older_than: timedelta, limit: int) -> list[int]:
    """Ids of stored events that nobody has read so far, oldest first."""
    before = timezone.now() - older_than
    rows = Event.objects.filter(kind="", error="", received_at__lte=before).order_by("id")
    return list(rows.values_list("id", flat=True)[:limit])
