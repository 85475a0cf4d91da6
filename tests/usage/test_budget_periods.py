"""When periods begin and end, in zones whose clocks change, skip midnight, have it twice, or skip a whole day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.usage.budgets.periods import PERIODS, Span, span_of

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"),
    *("America/Sao_Paulo", "Africa/Cairo", "America/Havana", "Asia/Beirut"),
)
TICK = timedelta(microseconds=1)


def day_of(moment: datetime, tz: str) -> date:
    return moment.astimezone(ZoneInfo(tz)).date()


def of_period(period: str, day: date) -> object:
    """What two days of one period have in common."""
    return {"day": day, "week": day - timedelta(days=day.weekday()), "month": (day.year, day.month)}[period]


@settings(max_examples=200, deadline=None)
@given(
    moment=st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
    tz=st.sampled_from(ZONES),
    period=st.sampled_from([period for period in PERIODS if period != "total"]),
    share=st.floats(0, 1),
)
def test_periods_follow_each_other_and_hold_the_days_that_are_theirs(
    moment: datetime, tz: str, period: str, share: float
) -> None:
    span = span_of(period, tz, moment)
    assert span.start is not None
    assert span.end is not None
    assert span.start <= moment < span.end
    assert span_of(period, tz, span.start) == span_of(period, tz, span.end - TICK) == span
    assert span_of(period, tz, span.end).start == span.end
    inside = min(span.start + share * (span.end - span.start), span.end - TICK)
    assert of_period(period, day_of(inside, tz)) == of_period(period, day_of(moment, tz))


@pytest.mark.parametrize(
    ("tz", "at", "hours"),
    [
        ("Europe/Berlin", "2026-03-29 12:00", 23),
        ("Europe/Berlin", "2026-10-25 12:00", 25),
        ("America/Sao_Paulo", "2018-11-04 12:00", 23),  # began at one o'clock
        ("America/Havana", "2026-11-01 12:00", 25),  # had its first hour twice
        ("Australia/Lord_Howe", "2026-04-05 12:00", 24.5),
        ("Pacific/Apia", "2011-12-29 12:00", 24),  # the 30th never was
    ],
)
def test_a_day_with_a_clock_change_has_its_own_length(tz: str, at: str, hours: float) -> None:
    span = span_of("day", tz, datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(tz)))
    assert span.end is not None
    assert span.start is not None
    assert (span.end - span.start) / timedelta(hours=1) == hours


def test_weeks_begin_on_monday_months_on_the_first_and_a_total_never() -> None:
    at = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # already Wednesday in Berlin
    assert span_of("day", "Europe/Berlin", at).start == datetime(2026, 11, 24, 23, tzinfo=UTC)
    assert span_of("week", "Europe/Berlin", at) == Span(
        datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 29, 23, tzinfo=UTC)
    )
    assert span_of("month", "UTC", at) == Span(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    assert span_of("total", "UTC", at) == Span(None, None)
