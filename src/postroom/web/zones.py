"""Time zones as people choose them: by city, with the time that is there now."""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

_AREAS = {
    "Europe": gettext_lazy("Europe"),
    "Africa": gettext_lazy("Africa"),
    "America": gettext_lazy("America"),
    "Asia": gettext_lazy("Asia"),
    "Atlantic": gettext_lazy("Atlantic"),
    "Australia": gettext_lazy("Australia"),
    "Indian": gettext_lazy("Indian Ocean"),
    "Pacific": gettext_lazy("Pacific"),
}


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(name for name in available_timezones() if name.split("/")[0] in _AREAS))


def zone_known(name: str) -> bool:
    return name == "UTC" or name in _names()


def zone_choices(now: datetime | None = None) -> list[tuple[str, list[tuple[str, str]]]]:
    """[(area, [("Europe/London", "London, it is 10:59 there now"), ...]), ...], Europe first."""
    moment = now or timezone.now()
    cities = Locale.parse(get_language() or "en", sep="-").time_zones
    groups: dict[str, list[tuple[str, str]]] = {area: [] for area in _AREAS}
    for name in _names():
        area, _slash, city = name.partition("/")
        city = cities.get(name, {}).get("city", city)
        clock = moment.astimezone(ZoneInfo(name)).strftime("%H:%M")
        words = _("%(city)s, it is %(time)s there now") % {"city": city.replace("_", " "), "time": clock}
        groups[area].append((name, words))
    named = [(str(_AREAS[area]), zones) for area, zones in groups.items()]
    return [*named, ("UTC", [("UTC", "UTC")])]
