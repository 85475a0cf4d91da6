"""When a budget's period began and when it ends: days, weeks from Monday and months, in the zone of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PERIODS: tuple[str, ...] = ("day", "week", "month", "total")


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` on, up to `end`, both in UTC; None is open."""

    start: datetime | None
    end: datetime | None


def span_of(period: str, tz: str, at: datetime) -> Span:
    """The period that the moment `at` lies in.

    A day begins with its first moment in `tz`: at midnight, later where a clock change skips midnight. One with a
    clock change has 23 or 25 hours.
    """
    if period == "total":
        return Span(None, None)
    zone = ZoneInfo(tz)
    today = at.astimezone(zone).date()
    first, following = _days(period, today)
    return Span(_beginning(first, zone), _beginning(following, zone))


def _days(period: str, today: date) -> tuple[date, date]:
    """The period's first day and the first day after it."""
    if period == "day":
        return today, today + timedelta(days=1)
    if period == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=7)
    first = today.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _beginning(day: date, zone: ZoneInfo) -> datetime:
    """A midnight that the clock skips is read by the offset before the change, which gives the change itself; of two,
    the first counts."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
