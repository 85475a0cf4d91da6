"""Charts are pure: a table goes in, a figure comes out, and a group keeps its colour whatever else is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from pages.components import charts
from pages.components.span import span_of


def test_a_group_keeps_its_slot_when_another_grows_past_it() -> None:
    first = charts.slots(["a", "b"], {})
    assert charts.slots(["c", "b", "a"], first) == {"a": 0, "b": 1, "c": 2}


def test_groups_past_the_seventh_become_other_and_nothing_is_lost() -> None:
    names = [f"model {number}" for number in range(10)]
    frame = pd.DataFrame({"bucket": [pd.Timestamp("2026-11-01")] * 10, "model": names, "calls": [1] * 10})
    taken = charts.slots(names, {})
    folded = charts.fold(frame, "model", "calls", taken)
    assert set(folded["model"]) == {*names[:7], charts.OTHER}
    assert folded["calls"].sum() == 10
    assert charts.colour("model 8", taken, "dark") == charts.COLOURS["dark"][-1]


def test_bars_stack_the_largest_group_at_the_bottom_in_its_colour() -> None:
    span = span_of("7 d", "Europe/Berlin", datetime(2026, 11, 3, 12, tzinfo=UTC))
    day = pd.Timestamp("2026-11-01", tz="Europe/Berlin")
    frame = pd.DataFrame({"bucket": [day, day], "model": ["small", "large"], "cost_usd": [1.0, 5.0]})
    drawn = {"by": "model", "value": "cost_usd", "taken": {"large": 0, "small": 1}, "theme": "light"}
    figure = charts.bars(frame, span, money=True, **drawn)
    assert [trace.name for trace in figure.data] == ["large", "small"]
    assert figure.data[0].marker.color == charts.COLOURS["light"][0]
    assert figure.layout.barmode == "stack"
    assert figure.layout.yaxis.tickprefix == "$"
    assert str(figure.layout.xaxis.range[0]) == "2026-10-27 12:00:00"
    assert ["large" in name for name in charts.legend(frame, **drawn)] == [True, False]
