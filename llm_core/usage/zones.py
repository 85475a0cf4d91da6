"""Local time in SQL: a zone's offsets from UTC, looked up once in the time zone database, as plain arithmetic.

Adding a number to each row's time is 1.8 times as fast as turning quarters of an hour into the zone, and needs no
second grouping (CPU time on 5M rows, measured); turning each row's time into the zone is slower still.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from ..errors import InvalidInput

_FIRST_YEAR, _LAST_YEAR = 1970, 2100
"""Times outside have the offset of the first or last of these years: such records come from clocks that are wrong."""

_MICROSECOND = timedelta(microseconds=1)


def zone(name: str) -> ZoneInfo:
    """The zone of that name. Raises InvalidInput."""
    if name not in _names():
        raise InvalidInput(f"There is no time zone {name!r}.", "Give a name as Europe/Berlin, or UTC.")
    return ZoneInfo(name)


def offset_sql(column: str, tz: ZoneInfo, oldest: datetime, newest: datetime) -> str:
    """Microseconds from UTC to local time at each row's `column`, as SQL, for times of UTC between the two given.

    The newest span comes first, as most rows are in it, and DuckDB looks only at the rows that are left.
    """
    first, last = _clamp(oldest), _clamp(newest)
    changes = [(at, offset) for year in range(first.year, last.year + 1) for at, offset in _changes(tz, year)]
    spans = [
        f"WHEN {column} >= TIMESTAMP '{at}' THEN {offset}" for at, offset in reversed(changes) if first < at <= last
    ]
    at_first = _offset(tz, first)
    return f"CASE {' '.join(spans)} ELSE {at_first} END" if spans else str(at_first)


@lru_cache(maxsize=1024)
def _changes(tz: ZoneInfo, year: int) -> list[tuple[datetime, int]]:
    """When the offset changes in a year of UTC, to the second, and what it is from then on."""
    found = []
    day = datetime(year, 1, 1)
    while day.year == year:
        following = day + timedelta(days=1)
        if _offset(tz, day) != _offset(tz, following):
            at = _change_between(tz, day, following)
            found.append((at, _offset(tz, at)))
        day = following
    return found


def _change_between(tz: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = _offset(tz, before)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if _offset(tz, middle) == old else (before, middle)
    return after


def _offset(tz: ZoneInfo, at: datetime) -> int:
    """Microseconds to add to a time of UTC."""
    offset = at.replace(tzinfo=UTC).astimezone(tz).utcoffset()
    assert offset is not None  # a ZoneInfo always knows it
    return offset // _MICROSECOND


def _clamp(at: datetime) -> datetime:
    return min(max(at, datetime(_FIRST_YEAR, 1, 1)), datetime(_LAST_YEAR, 12, 31))


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
