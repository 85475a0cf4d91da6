"""Spans of time by name, in a person's zone: `this month`, `last 7 days`, or from one day to another."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ..errors import InvalidInput
from .zones import zone

NAMES: tuple[str, ...] = (
    *("today", "yesterday", "this week", "last week", "this month", "last month", "this year", "last year"),
    *("last 7 days", "last 30 days", "last 90 days"),
)
"""Any number of days may follow `last`; today is the last of them."""

_LAST_DAYS = re.compile(r"last (\d{1,4}) days?")
_MONTHS = {"month": 1, "year": 12}


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to `end`, without it; both aware and at midnight in the zone `tz`. Weeks begin on Monday."""

    start: datetime
    end: datetime
    tz: str

    @property
    def days(self) -> int:
        """Days on the calendar, those with 23 or 25 hours too."""
        return (self.end.date() - self.start.date()).days

    def before(self, now: datetime) -> Span:
        """The span before this one to compare with: what has passed of this one until `now`, as long ago as it is long.

        Whole months and years are compared with the month or year before, whatever its days.
        """
        local = zone(self.tz)
        here = min(max(now.astimezone(local), self.start), self.end)
        months = _months(self.start.date(), self.end.date())
        first = _earlier(self.start.date(), months, self.days)
        day = _earlier(here.date(), months, self.days)
        end = datetime.combine(day, here.time(), tzinfo=local)
        return Span(_midnight(first, local), min(end, self.start, key=_instant), self.tz)


def span(name: str, tz: str = "UTC", now: datetime | None = None) -> Span:
    """The span of one of NAMES at the moment `now`. Raises InvalidInput."""
    local = zone(tz)
    today = (now or datetime.now(UTC)).astimezone(local).date()
    if found := _LAST_DAYS.fullmatch(name):
        count = int(found[1])
        if count:
            return between(today - timedelta(days=count - 1), today, tz)
    if name in ("today", "yesterday"):
        day = today - timedelta(days=name == "yesterday")
        return between(day, day, tz)
    which, _, unit = name.partition(" ")
    if which in ("this", "last") and unit == "week":
        monday = today - timedelta(days=today.weekday() + 7 * (which == "last"))
        return between(monday, monday + timedelta(days=6), tz)
    if which in ("this", "last") and unit in _MONTHS:
        first = today.replace(day=1) if unit == "month" else today.replace(month=1, day=1)
        if which == "last":
            first = _earlier(first, _MONTHS[unit], 0)
        after = _earlier(first, -_MONTHS[unit], 0)
        return between(first, after - timedelta(days=1), tz)
    raise InvalidInput(f"There is no span {name!r}.", f"Use one of {', '.join(NAMES)}.")


def between(first: date, last: date, tz: str = "UTC") -> Span:
    """From the midnight that `first` begins with to the one that `last` ends with. Raises InvalidInput."""
    if last < first:
        raise InvalidInput(f"{last} is before {first}.", "Give the first day, then the last.")
    local = zone(tz)
    return Span(_midnight(first, local), _midnight(last + timedelta(days=1), local), tz)


def _midnight(day: date, local: ZoneInfo) -> datetime:
    """When the day begins: after midnight where a clock change skips it, at the first one where it is repeated."""
    at = datetime(day.year, day.month, day.day, tzinfo=local)
    return at.astimezone(UTC).astimezone(local)


def _earlier(day: date, months: int, days: int) -> date:
    """The day so many months, or where that is 0 days, before. The 31st becomes a shorter month's last day."""
    if not months:
        return day - timedelta(days=days)
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _months(first: date, after: date) -> int:
    """How many whole months it is from one day to another, 0 when it is none."""
    if first.day != 1 or after.day != 1:
        return 0
    return (after.year - first.year) * 12 + after.month - first.month


def _instant(at: datetime) -> datetime:
    return at.astimezone(UTC)
