"""Spans of time: days begin at the person's midnight, also where clocks change, and are compared with those before."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from pages.components.span import every_bucket, span_of

NOW = datetime(2026, 11, 3, 11, 32, 10, tzinfo=UTC)


def test_days_begin_at_midnight_in_the_zone_and_today_is_the_last_of_them() -> None:
    span = span_of("7 d", "Europe/Berlin", NOW)
    assert span.start.isoformat() == "2026-10-28T00:00:00+01:00"
    assert (span.bucket, span.count) == ("day", 7)
    assert [moment.isoformat() for moment in span.earlier] == ["2026-10-21T00:00:00+02:00", "2026-10-27T12:30:00+01:00"]


def test_a_span_over_a_clock_change_has_a_row_for_each_of_its_days() -> None:
    span = span_of("30 d", "Europe/Berlin", NOW)
    days = every_bucket(pd.DataFrame({"bucket": [], "calls": []}), span)
    assert len(days) == 30
    assert {day.hour for day in days.index} == {0}
    assert str(days.index[-1].date()) == "2026-11-03"


def test_the_24_hours_begin_at_a_full_hour() -> None:
    span = span_of("24 h", "Asia/Kolkata", NOW)
    assert span.start.isoformat() == "2026-11-02T18:00:00+05:30"
    assert (span.bucket, span.count) == ("hour", 24)


def test_the_question_stays_the_same_for_five_minutes() -> None:
    assert span_of("7 d", "UTC", NOW) == span_of("7 d", "UTC", NOW.replace(minute=34, second=59))
    assert span_of("7 d", "UTC", NOW) != span_of("7 d", "UTC", NOW.replace(minute=35))


def test_a_name_that_does_not_exist_is_the_usual_span() -> None:
    assert span_of("a year", "UTC", NOW).count == 30
