"""Work by hour and weekday, beside counting each hour in Python, across clock changes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from llm_core.errors import InvalidInput
from llm_core.usage import UsageService
from llm_core.usage.filters import condition
from llm_core.usage.heatmap import heatmap

from .rows import keep, only, project, record

WEEK = timedelta(days=7)
CHANGES = {
    "Europe/Berlin": (datetime(2025, 3, 30, 1), datetime(2025, 10, 26, 1)),
    "America/New_York": (datetime(2025, 3, 9, 7), datetime(2025, 11, 2, 6)),
    "Australia/Lord_Howe": (datetime(2025, 10, 4, 15, 30), datetime(2025, 4, 5, 15)),
    "Asia/Kolkata": (datetime(2025, 3, 30), datetime(2025, 10, 26)),
    "Asia/Kathmandu": (datetime(2025, 3, 30), datetime(2025, 10, 26)),
}


@pytest.mark.parametrize("tz", CHANGES)
def test_each_cell_is_told_per_hour_that_passed_in_it(usage: UsageService, tz: str) -> None:
    for change in CHANGES[tz]:
        name, local = project(), ZoneInfo(tz)
        start = change.replace(tzinfo=UTC) - timedelta(days=3, minutes=7)
        moments = [start + timedelta(minutes=15 * step) for step in range(4 * 24 * 10)]
        keep(usage, [record(project=name, started_at=at, cost_usd=Decimal("0.25")) for at in moments])
        end = start + timedelta(days=10)
        found = usage.heatmap(tz=tz, start=start, end=end, project=name)
        records: Counter[tuple[int, int]] = Counter()
        seconds: Counter[tuple[int, int]] = Counter()
        for at in moments:
            here = at.astimezone(local)
            records[here.weekday(), here.hour] += 1
        at = start
        while at < end:
            here = at.astimezone(local)
            seconds[here.weekday(), here.hour] += 60
            at += timedelta(minutes=1)
        cells = {(row.weekday, row.hour): row for row in found.itertuples()}
        assert {cell: row.records for cell, row in cells.items()} == records
        assert {cell: row.hours for cell, row in cells.items()} == {
            cell: pytest.approx(passed / 3600) for cell, passed in seconds.items()
        }
        assert found["hours"].sum() == pytest.approx(240)
        assert found["cost_usd"].sum() == Decimal("0.25") * len(moments)
        assert found["average"].between(0.7, 1.35).all()


def test_a_night_with_its_hour_twice_does_not_look_busier(usage: UsageService) -> None:
    name, back = project(), datetime(2025, 10, 26, tzinfo=UTC)
    keep(usage, [record(project=name, started_at=back + timedelta(minutes=6 * step)) for step in range(30)])
    found = usage.heatmap("calls", "Europe/Berlin", back, back + timedelta(hours=3), project=name)
    assert found[["hour", "hours", "calls", "average"]].values.tolist() == [[2, 2.0, 20, 10.0], [3, 1.0, 10, 10.0]]


def test_quiet_hours_are_zero_and_unpriced_ones_unknown(usage: UsageService) -> None:
    name, start = project(), datetime(2026, 3, 9, tzinfo=UTC)
    keep(usage, [record(project=name, started_at=start + timedelta(hours=1))])
    keep(usage, [record(project=name, started_at=start + timedelta(hours=2), cost_usd=Decimal(0))])
    found = usage.heatmap(start=start, end=start + timedelta(hours=4), project=name)
    assert found["cost_usd"].tolist() == [Decimal(0), None, Decimal(0), Decimal(0)]
    assert found["average"].isna().tolist() == [False, True, False, False]
    assert found["priced"].isna().tolist() == [True, False, False, True]
    assert found["priced"].tolist()[1:3] == [0.0, 1.0]


def test_the_span_begins_with_the_first_record_and_ends_now(usage: UsageService) -> None:
    name, now = project(), datetime.now(UTC)
    keep(usage, [record(project=name, started_at=now - 2 * WEEK), record(project=name, started_at=now - WEEK)])
    for end in (None, now + 52 * WEEK):
        found = usage.heatmap("calls", end=end, project=name)
        assert len(found) == 168
        assert found["hours"].sum() == pytest.approx(14 * 24, abs=0.1)
        assert found["calls"].sum() == 2


def test_hours_after_the_last_record_are_those_of_the_zone_too(usage: UsageService) -> None:
    name, last = project(), datetime(2025, 10, 24, 22, tzinfo=UTC)
    keep(usage, [record(project=name, started_at=last)])
    question = heatmap(condition(None, None, {"project": name}), "calls", "Europe/Berlin", last + timedelta(hours=49))
    found = usage._ask(question.run)
    assert found["hours"].tolist() == [*[1.0] * 24, 1.0, 1.0, 2.0, *[1.0] * 21]
    assert found["weekday"].tolist() == [5] * 24 + [6] * 24


def test_nothing_recorded_is_an_empty_heatmap(usage: UsageService) -> None:
    assert usage.heatmap(project="nobody's").empty
    quiet = usage.heatmap(
        start=datetime(2025, 1, 6, tzinfo=UTC), end=datetime(2025, 1, 7, tzinfo=UTC), project="nobody's"
    )
    assert quiet["hour"].tolist() == list(range(24))
    assert set(quiet["cost_usd"]) == {Decimal(0)}


def test_a_heatmap_agrees_with_the_summary(asked: UsageService) -> None:
    total = only(asked.summary())
    for value in ("cost_usd", "calls", "attempts", "errors", "tokens", "input_tokens", "output_tokens"):
        found = asked.heatmap(value, "Australia/Lord_Howe")
        assert found[value].dropna().sum() == total[value]


def test_what_has_no_heatmap_is_refused(usage: UsageService) -> None:
    for arguments in (("latency_ms",), ("cost_usd; --",), ("calls", "Mars/Olympus")):
        with pytest.raises(InvalidInput):
            usage.heatmap(*arguments)


@pytest.mark.parametrize("tz", ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_a_filter_on_an_hour_of_the_week_finds_the_records_of_its_cell(asked: UsageService, tz: str) -> None:
    cells = asked.heatmap("calls", tz)
    for cell in cells[cells["records"] > 0].itertuples():
        filters = {"hour_of_week": {"weekday": cell.weekday, "hour": cell.hour, "tz": tz}}
        assert only(asked.summary(**filters))["records"] == cell.records
    for wrong in ({"weekday": 7, "hour": 0, "tz": tz}, {"weekday": 0, "hour": 0}, 5):
        with pytest.raises(InvalidInput):
            asked.summary(hour_of_week=wrong)
