"""A zone's offsets as SQL, compared with Python's time zone database moment by moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest

from llm_core.errors import InvalidInput
from llm_core.usage.zones import offset_sql, zone

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Havana",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
)


def offsets(moments: list[datetime], tz: str, oldest: datetime, newest: datetime) -> list[timedelta]:
    expression = offset_sql("started_at", ZoneInfo(tz), oldest, newest)
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT {expression} FROM (SELECT unnest($moments) AS started_at)", {"moments": moments}
        ).fetchall()
    return [timedelta(microseconds=offset) for (offset,) in found]


def expected(moments: list[datetime], tz: str) -> list[timedelta | None]:
    return [at.replace(tzinfo=UTC).astimezone(ZoneInfo(tz)).utcoffset() for at in moments]


@pytest.mark.parametrize("tz", ZONES)
def test_every_three_hours_of_twelve_years_have_the_right_offset(tz: str) -> None:
    oldest, newest = datetime(2016, 1, 1), datetime(2027, 12, 31)
    moments = [oldest + timedelta(hours=3 * step) for step in range(12 * 365 * 8)]
    assert offsets(moments, tz, oldest, newest) == expected(moments, tz)


@pytest.mark.parametrize("tz", ZONES)
def test_the_offset_changes_at_the_very_second(tz: str) -> None:
    oldest, newest = datetime(2025, 1, 1), datetime(2025, 12, 31)
    days = [oldest + timedelta(days=day) for day in range(365)]
    changing = [
        day for day, now, later in zip(days, expected(days, tz), expected(days[1:], tz), strict=False) if now != later
    ]
    quarters = [day + timedelta(minutes=15 * step) for day in changing for step in range(97)]
    moments = [at + timedelta(seconds=second) for at in quarters for second in (-1, 0, 1)]
    assert offsets(moments, tz, oldest, newest) == expected(moments, tz)


def test_a_span_within_one_offset_is_a_plain_number() -> None:
    assert (
        offset_sql("started_at", ZoneInfo("Europe/Berlin"), datetime(2026, 5, 1), datetime(2026, 6, 1)) == "7200000000"
    )


def test_times_of_wrong_clocks_do_not_make_it_slow_or_fail() -> None:
    moments = [datetime(1, 1, 1), datetime(1970, 1, 1), datetime(2026, 7, 1), datetime(9999, 12, 31)]
    found = offsets(moments, "Europe/Berlin", moments[0], moments[-1])
    assert found[1:3] == [timedelta(hours=1), timedelta(hours=2)]
    assert offset_sql("started_at", ZoneInfo("Asia/Kolkata"), moments[0], moments[-1]) == str(19_800_000_000)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "europe/berlin'", "UTC; DROP VIEW usage"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="Europe/Berlin"):
        zone(name)
