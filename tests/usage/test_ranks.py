"""Distributions and percentiles beside the values themselves."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_core import Usage, UsageRecord
from llm_core.errors import InvalidInput, UnknownColumn
from llm_core.usage import UsageService
from llm_core.usage.ranks import RANKED

from .rows import at_rank, keep, only, project, record

examples = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def values(many: list[UsageRecord], column: str) -> list[float]:
    tokens = column.endswith("tokens")
    found = [(getattr(row.usage, column) if row.usage else None) if tokens else getattr(row, column) for row in many]
    return [float(value) for value in found if value is not None]


@pytest.mark.parametrize("column", RANKED)
def test_a_distribution_counts_every_value_once_between_its_edges(
    asked: UsageService, many: list[UsageRecord], column: str
) -> None:
    found = asked.distribution(column, per_decade=4)
    everything = values(many, column)
    assert found["records"].sum() == len(everything)
    assert found["low"].is_monotonic_increasing
    for row in found.itertuples():
        inside = [value for value in everything if row.low <= value < row.high or value == row.low == row.high]
        assert row.records == len(inside)
        assert row.high == pytest.approx(row.low * 10**0.25)


@examples
@given(st.lists(st.decimals(Decimal("1e-10"), Decimal("1e6"), places=10), min_size=1, max_size=60), st.integers(1, 100))
def test_any_cost_lies_in_its_bin(usage: UsageService, costs: list[Decimal], per_decade: int) -> None:
    name = project()
    keep(usage, [record(project=name, cost_usd=cost) for cost in costs])
    found = usage.distribution("cost_usd", per_decade=per_decade, project=name)
    assert found["records"].sum() == len(costs)
    for cost in costs:
        assert any(
            low * (1 - 1e-9) <= float(cost) <= high * (1 + 1e-9)
            for low, high in zip(found["low"], found["high"], strict=True)
        )


@pytest.mark.parametrize("column", RANKED)
def test_percentiles_are_off_by_less_than_one_percent(
    asked: UsageService, many: list[UsageRecord], column: str
) -> None:
    found = only(asked.percentiles(column))
    everything = values(many, column)
    assert found["records"] == len(everything)
    least = 1.0 if column.endswith("_ms") else 0.0
    for name in ("p50", "p90", "p95", "p99"):
        expected = max(least, at_rank(everything, int(name[1:]) / 100))
        assert found[name] == pytest.approx(expected, rel=0.008)


def test_percentiles_by_group_and_of_nothing(usage: UsageService) -> None:
    name = project()
    keep(
        usage,
        [record(project=name, tags={"team": team}, usage=Usage(output_tokens=n)) for n in range(101) for team in "ab"],
    )
    found = usage.percentiles("output_tokens", "tag:team", project=name)
    assert found["tag:team"].tolist() == ["a", "b"]
    assert found["p90"].tolist() == pytest.approx([90.0, 90.0], rel=0.008)
    nothing = usage.percentiles("cost_usd", project=name)
    assert math.isnan(nothing["p50"][0])
    assert nothing["records"].tolist() == [0]
    zeros = project()
    keep(usage, [record(project=zeros, cost_usd=Decimal(0))])
    assert only(usage.percentiles("cost_usd", project=zeros))["p99"] == 0.0
    assert usage.distribution("cost_usd", project=zeros).values.tolist() == [[0.0, 0.0, 1]]
    assert usage.distribution("cost_usd", project=name).empty


@pytest.mark.parametrize(
    "question",
    [
        lambda usage: usage.distribution("model"),
        lambda usage: usage.distribution("cost_usd", per_decade=0),
        lambda usage: usage.distribution("cost_usd", per_decade=1000),
        lambda usage: usage.percentiles("attempt"),
        lambda usage: usage.percentiles("cost_usd", bucket="minute"),
    ],
)
def test_what_has_no_distribution_is_refused(asked: UsageService, question: Any) -> None:
    with pytest.raises((InvalidInput, UnknownColumn)) as refused:
        question(asked)
    assert refused.value.hint
