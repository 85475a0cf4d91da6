"""Records sorted by any column, both ways, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from llm_core import UsageRecord
from llm_core.errors import InvalidInput, UnknownColumn
from llm_core.store.home import open_home
from llm_core.usage import UsageService
from llm_core.usage import history as history_module
from llm_core.usage.history import SORTABLE

from .rows import NOON, assorted, keep, record


@pytest.fixture
def fresh(home: Path) -> Iterator[UsageService]:
    service = UsageService(open_home(home))
    yield service
    service.close()


def value_of(row: UsageRecord, column: str) -> Any:
    if column in ("input_tokens", "output_tokens"):
        return getattr(row.usage, column) if row.usage else None
    return getattr(row, column)


def in_order(rows: list[UsageRecord], column: str, descending: bool) -> list[str]:
    """What pages of these records must show: those without a value last, equal ones newest first."""
    if column == "started_at":
        return [row.id for row in sorted(rows, key=lambda row: (row.started_at, row.id), reverse=descending)]
    newest = sorted(rows, key=lambda row: (row.started_at, row.id), reverse=True)
    with_value = [row for row in newest if value_of(row, column) is not None]
    by_value = sorted(with_value, key=lambda row: value_of(row, column), reverse=descending)
    return [row.id for row in by_value] + [row.id for row in newest if value_of(row, column) is None]


def pages(
    usage: UsageService, size: int, column: str, descending: bool, between: Callable[[int], None] | None = None
) -> list[str]:
    """All ids, page after page; `between` is called with each page's number."""
    seen: list[str] = []
    before: Any = None
    columns = list(dict.fromkeys(("id", "started_at", column)))
    for number in range(200):
        page = usage.history(size, before=before, sort=column, descending=descending, columns=columns)
        if page.empty:
            return seen
        seen += page["id"].tolist()
        last = page.iloc[-1]
        before = (last["started_at"], last["id"])
        if column != "started_at":
            before = (last[column], *before)
        if between is not None:
            between(number)
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("descending", [True, False], ids=["down", "up"])
@pytest.mark.parametrize(
    "column", ["cost_usd", "latency_ms", "input_tokens", "status", "user", "attempt", "model", "id", "started_at"]
)
def test_pages_by_any_column_show_each_record_once_in_order(
    asked: UsageService, many: list[UsageRecord], column: str, descending: bool
) -> None:
    assert pages(asked, 70, column, descending) == in_order(many, column, descending)
    whole = asked.history(1000, sort=column, descending=descending)
    assert whole["id"].tolist() == in_order(many, column, descending)


@pytest.mark.parametrize("descending", [True, False], ids=["down", "up"])
@pytest.mark.parametrize("column", ["cost_usd", "user", "started_at"])
def test_pages_by_any_column_show_each_record_once_while_others_arrive(
    fresh: UsageService, column: str, descending: bool
) -> None:
    old = assorted(60)
    keep(fresh, old[:30], drained=True)
    keep(fresh, old[30:])
    arriving = iter(assorted(40, seed=8))

    def arrive(number: int) -> None:
        for _ in range(3):
            row = next(arriving)
            keep(fresh, [record(id=f"new-{row.id}", started_at=row.started_at, user=row.user, cost_usd=row.cost_usd)])
        if number % 3 == 2:
            fresh.flush()

    seen = pages(fresh, 9, column, descending, arrive)
    assert len(seen) == len(set(seen))
    assert [name for name in seen if not name.startswith("new-")] == in_order(old, column, descending)


def test_rows_are_whole_wherever_they_lie(fresh: UsageService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "_NEAR", 0)
    monkeypatch.setattr(history_module, "_MOST_RANGES", 2)
    rows = assorted(90)
    for first in range(0, 90, 30):
        keep(fresh, rows[first : first + 30], drained=first < 60)
    found = fresh.history(40, sort="latency_ms").set_index("id")
    assert found.index.tolist() == in_order(rows, "latency_ms", True)[:40]
    for row in rows:
        if row.id in found.index:
            shown = found.loc[row.id]
            assert shown["cost_usd"] == row.cost_usd
            assert shown["started_at"] == pd.Timestamp(row.started_at)
            assert (shown["model"], shown["tags"] or {}) == (row.model, dict(row.tags or {}))
    scattered = [row.id for row in rows if row.user == "ann"]
    assert fresh.history(50, user="ann")["id"].tolist() == [
        name for name in in_order(rows, "started_at", True) if name in scattered
    ]


@pytest.mark.parametrize("most_ranges", [40, 0], ids=["in ranges", "one by one"])
@pytest.mark.parametrize("descending", [True, False], ids=["down", "up"])
def test_a_page_that_ends_among_records_of_one_time_has_the_right_ones(
    fresh: UsageService, monkeypatch: pytest.MonkeyPatch, descending: bool, most_ranges: int
) -> None:
    monkeypatch.setattr(history_module, "_NEAR", 0)
    monkeypatch.setattr(history_module, "_MOST_RANGES", most_ranges)
    rows = [
        record(id=f"id-{number * 37 % 90:02d}", started_at=NOON + timedelta(seconds=number % 3), cost_usd=Decimal(1))
        for number in range(90)
    ]
    for first in range(0, 90, 30):
        keep(fresh, rows[first : first + 30], drained=first < 60)
    for column in ("started_at", "cost_usd"):
        assert pages(fresh, 7, column, descending) == in_order(rows, column, descending)


def test_filters_and_spans_hold_for_every_order(asked: UsageService, many: list[UsageRecord]) -> None:
    start, end = many[0].started_at - timedelta(days=4), many[0].started_at + timedelta(days=4)
    wanted = [row for row in many if start <= row.started_at < end and row.user == "bo"]
    for descending in (True, False):
        found = asked.history(500, start=start, end=end, user="bo", sort="cost_usd", descending=descending)
        assert found["id"].tolist() == in_order(wanted, "cost_usd", descending)
        by_time = asked.history(500, start=start, end=end, user="bo", descending=descending)
        assert by_time["id"].tolist() == in_order(wanted, "started_at", descending)
    assert asked.history(
        5, start=datetime(1999, 1, 1, tzinfo=UTC), end=datetime(1999, 2, 1, tzinfo=UTC), sort="model"
    ).empty


def test_every_column_that_has_an_order_sorts(asked: UsageService) -> None:
    for column in SORTABLE:
        assert len(asked.history(3, sort=column, columns=["id"])) == 3


def test_an_order_or_place_that_is_none_is_refused(asked: UsageService) -> None:
    for column in ("tags", "raw_usage", "nope", "id; --"):
        with pytest.raises(UnknownColumn):
            asked.history(sort=column)
    for before in ((NOON, "x"), ("x",), (1, 2, 3, 4), "abc", (Decimal(1), datetime(2026, 1, 1), "x")):
        with pytest.raises(InvalidInput):
            asked.history(sort="cost_usd", before=before)
    with pytest.raises(InvalidInput):
        asked.history(before=(Decimal(1), NOON, "x"))
