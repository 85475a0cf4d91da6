"""Spans by name and by days, in zones with odd midnights."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from llm_core.errors import InvalidInput
from llm_core.usage import UsageService
from llm_core.usage.spans import NAMES, Span, between, span

NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
"""Already the 1st of April in Berlin, a Wednesday."""


def days(found: Span) -> tuple[str, str]:
    return str(found.start.date()), str(found.end.date())


@pytest.mark.parametrize(
    ("name", "tz", "expected"),
    [
        ("today", "UTC", ("2026-03-31", "2026-04-01")),
        ("today", "Europe/Berlin", ("2026-04-01", "2026-04-02")),
        ("yesterday", "Europe/Berlin", ("2026-03-31", "2026-04-01")),
        ("this week", "Europe/Berlin", ("2026-03-30", "2026-04-06")),
        ("last week", "Europe/Berlin", ("2026-03-23", "2026-03-30")),
        ("this month", "UTC", ("2026-03-01", "2026-04-01")),
        ("this month", "Europe/Berlin", ("2026-04-01", "2026-05-01")),
        ("last month", "UTC", ("2026-02-01", "2026-03-01")),
        ("this year", "UTC", ("2026-01-01", "2027-01-01")),
        ("last year", "UTC", ("2025-01-01", "2026-01-01")),
        ("last 7 days", "UTC", ("2026-03-25", "2026-04-01")),
        ("last 1 day", "UTC", ("2026-03-31", "2026-04-01")),
    ],
)
def test_a_span_by_name_is_whole_days_of_the_zone(name: str, tz: str, expected: tuple[str, str]) -> None:
    found = span(name, tz, NOW)
    assert days(found) == expected
    assert str(found.start.tzinfo) == tz


def test_all_names_are_known_and_others_are_not(usage: UsageService) -> None:
    for name in NAMES:
        assert usage.span(name, "Asia/Kathmandu").days >= 1
    for name in ("", "last 0 days", "next month", "this day", "last 99999 days", "last month; --"):
        with pytest.raises(InvalidInput):
            span(name)
    with pytest.raises(InvalidInput):
        span("today", "Mars/Olympus")
    with pytest.raises(InvalidInput, match="before"):
        between(date(2026, 3, 2), date(2026, 3, 1))


def test_days_begin_when_they_begin_there() -> None:
    assert str(between(date(2025, 4, 25), date(2025, 4, 25), "Africa/Cairo").start) == "2025-04-25 01:00:00+03:00"
    repeated = between(date(2025, 11, 2), date(2025, 11, 2), "America/Havana")
    assert str(repeated.start) == "2025-11-02 00:00:00-04:00"
    berlin = between(date(2025, 3, 30), date(2025, 3, 30), "Europe/Berlin")
    assert (berlin.end.astimezone(UTC) - berlin.start.astimezone(UTC)).total_seconds() == 23 * 3600
    assert berlin.days == 1


@pytest.mark.parametrize(
    ("name", "tz", "now", "expected"),
    [
        ("this month", "UTC", datetime(2026, 3, 10, 12, tzinfo=UTC), ("2026-02-01 00:00", "2026-02-10 12:00")),
        ("this month", "UTC", datetime(2026, 3, 31, 12, tzinfo=UTC), ("2026-02-01 00:00", "2026-02-28 12:00")),
        ("last month", "UTC", NOW, ("2026-01-01 00:00", "2026-02-01 00:00")),
        ("this year", "UTC", NOW, ("2025-01-01 00:00", "2025-03-31 22:30")),
        ("last 7 days", "UTC", NOW, ("2026-03-18 00:00", "2026-03-24 22:30")),
        ("this week", "Europe/Berlin", NOW, ("2026-03-23 00:00", "2026-03-25 00:30")),
    ],
)
def test_the_span_before_is_as_far_along(name: str, tz: str, now: datetime, expected: tuple[str, str]) -> None:
    before = span(name, tz, now).before(now)
    assert (f"{before.start:%Y-%m-%d %H:%M}", f"{before.end:%Y-%m-%d %H:%M}") == expected


def test_the_span_before_chosen_days_is_as_many_days() -> None:
    before = between(date(2026, 3, 3), date(2026, 3, 5)).before(NOW)
    assert days(before) == ("2026-02-28", "2026-03-03")
