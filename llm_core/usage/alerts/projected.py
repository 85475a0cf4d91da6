"""What a period will come to, from what it has come to and how the hours of the weeks before went.

A period's spend is not even: nights and weekends are quiet. So what is left of it is taken from the same hours of the
week in the last four weeks, times how much more or less than usual this period has taken so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_HOUR = timedelta(hours=1)
_WEEKS = 4
_DAYS_NEEDED = timedelta(days=14)
_EARLY = 0.1
"""Share of what is usual for the period before which its pace says nothing."""


def projected(
    hours: Mapping[datetime, float],
    taken: float,
    start: datetime,
    end: datetime,
    now: datetime,
    tz: ZoneInfo,
) -> float | None:
    """The amount at `end`, in the unit of `hours` and `taken`; None where too little is known.

    `hours` are the amounts of the last four weeks by the hour they began in, hours without any left out.
    """
    if not hours or now - min(hours) < _DAYS_NEEDED:
        return None
    profile = _profile(hours, now, tz)
    passed = sum(profile.get(_hour_of_week(at, tz), 0.0) for at in _hours(start, now))
    to_come = sum(profile.get(_hour_of_week(at, tz), 0.0) for at in _hours(now, end))
    if passed < _EARLY * (passed + to_come):
        return None
    usual_day = sum(profile.values()) / 7
    pace = (taken + usual_day) / (passed + usual_day)  # drawn to the usual while little has passed
    return taken + pace * to_come


def _profile(hours: Mapping[datetime, float], now: datetime, tz: ZoneInfo) -> dict[int, float]:
    """The mean of each hour of the week."""
    weeks = min(_WEEKS, (now - min(hours)) / timedelta(weeks=1))
    sums: dict[int, float] = {}
    for at, amount in hours.items():
        place = _hour_of_week(at, tz)
        sums[place] = sums.get(place, 0.0) + amount
    return {place: amount / weeks for place, amount in sums.items()}


def _hour_of_week(at: datetime, tz: ZoneInfo) -> int:
    local = at.astimezone(tz)
    return 24 * local.weekday() + local.hour


def _hours(start: datetime, end: datetime) -> list[datetime]:
    """The beginnings of hours, whole ones at most."""
    count = max(0, int((end - start) / _HOUR))
    return [start.astimezone(UTC) + number * _HOUR for number in range(count)]
