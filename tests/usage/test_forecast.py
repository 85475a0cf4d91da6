"""What a month will come to: on months made up for it, where the answer is known."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llm_core import Usage
from llm_core.errors import InvalidInput
from llm_core.usage import UsageService
from llm_core.usage.forecast import CHANCE, DAYS_NEEDED, Forecast, NotEnoughData
from llm_core.usage.projection import backtested, growth, interval, predicted, weekday_shares

from .rows import keep, project, record

Numbers = np.ndarray[Any, np.dtype[np.float64]]

NOW = datetime(2026, 6, 16, 12, tzinfo=UTC)
"""A Tuesday at noon, 14.5 days before the month's end."""

WORKDAY, SUNDAY = Decimal(10), Decimal(2)


def spent(day: date) -> Decimal:
    return SUNDAY if day.weekday() >= 5 else WORKDAY


def kept(usage: UsageService, days: int, *, priced: bool = True, tokens: Usage | None = None) -> str:
    """A project with one call at 06:00 each day until today."""
    name = project()
    made = [(NOW - timedelta(days=back)).replace(hour=6) for back in range(days, -1, -1)]
    cost = {at: spent(at.date()) if priced else None for at in made}
    keep(usage, [record(project=name, started_at=at, cost_usd=cost[at], usage=tokens) for at in made])
    return name


def test_an_even_past_goes_on_as_it_was(usage: UsageService) -> None:
    found = usage.forecast(now=NOW, project=kept(usage, 120))
    assert isinstance(found, Forecast)
    month = [date(2026, 6, day) for day in range(1, 31)]
    assert found.month == date(2026, 6, 1)
    assert found.so_far == sum(spent(day) for day in month[:16])
    coming = WORKDAY / 2 + sum(spent(day) for day in month[16:])
    assert float(found.expected) == pytest.approx(float(found.so_far + coming), rel=0.02)
    assert found.low <= found.expected <= found.high
    assert found.high - found.low < 10
    assert found.backtest.error < 0.05
    assert found.backtest.times > 80
    assert found.growth == pytest.approx(0.0)
    assert found.priced == 1.0
    assert found.weekdays[0] == pytest.approx(10 / (54 / 7), rel=0.15)
    assert found.weekdays[6] == pytest.approx(2 / (54 / 7), rel=0.6)


def test_the_path_leads_from_what_was_to_the_month_s_end(usage: UsageService) -> None:
    found = usage.forecast(now=NOW, project=kept(usage, 120))
    assert isinstance(found, Forecast)
    path = found.path
    assert len(path) == 30
    assert path["actual"].notna().tolist() == [True] * 16 + [False] * 14
    assert path["actual"].sum() == float(found.so_far)
    for column, end in (("cumulative", found.expected), ("low", found.low), ("high", found.high)):
        assert path[column].is_monotonic_increasing
        assert path[column].iloc[-1] == pytest.approx(float(end))
    assert path["expected"].sum() == pytest.approx(float(found.expected))


def test_days_are_those_of_the_zone(usage: UsageService) -> None:
    name = project()
    at = [datetime(2026, 3, 1, 20, tzinfo=UTC) + timedelta(days=day) for day in range(100)]
    keep(usage, [record(project=name, started_at=each, cost_usd=Decimal(1)) for each in at])
    kolkata = usage.forecast("Asia/Kolkata", now=datetime(2026, 5, 31, 19, tzinfo=UTC), project=name)
    utc = usage.forecast("UTC", now=datetime(2026, 5, 31, 19, tzinfo=UTC), project=name)
    assert isinstance(kolkata, Forecast)
    assert isinstance(utc, Forecast)
    assert (kolkata.month, kolkata.so_far) == (date(2026, 6, 1), Decimal(1))
    assert (utc.month, utc.so_far) == (date(2026, 5, 1), Decimal(31))


@pytest.mark.parametrize(
    ("days", "priced", "reason"),
    [(0, True, "whole days"), (20, True, "whole days"), (60, False, "have anything to go by")],
)
def test_too_little_to_say_is_said(usage: UsageService, days: int, priced: bool, reason: str) -> None:
    name = kept(usage, days, priced=priced)
    found = usage.forecast(now=NOW, project=name)
    assert isinstance(found, NotEnoughData)
    assert reason in found.reason
    assert found.days == days
    assert found.so_far == (sum(spent(date(2026, 6, day)) for day in range(max(1, 16 - days), 17)) if priced else 0)


def test_what_ended_is_not_forecast(usage: UsageService) -> None:
    name = kept(usage, 100)
    found = usage.forecast(now=NOW + timedelta(days=20), project=name)
    assert isinstance(found, NotEnoughData)
    assert "last 14 days" in found.reason
    assert isinstance(usage.forecast(project="nobody's"), NotEnoughData)


def test_a_day_that_is_mostly_empty_is_not_forecast(usage: UsageService) -> None:
    name, last_day = project(), datetime(2026, 6, 30, tzinfo=UTC)
    keep(usage, [record(project=name, started_at=last_day - timedelta(days=ago, hours=3)) for ago in range(0, 120, 4)])
    found = usage.forecast(value="calls", now=last_day, project=name)
    assert isinstance(found, NotEnoughData)
    assert "Most of the time, nothing was used" in found.reason
    assert isinstance(usage.forecast(value="calls", now=last_day - timedelta(days=13), project=name), Forecast)


def test_numbers_other_than_money_are_forecast_too(usage: UsageService) -> None:
    name = kept(usage, 90, priced=False)
    found = usage.forecast(value="calls", now=NOW, project=name)
    assert isinstance(found, Forecast)
    assert found.so_far == 16
    assert float(found.expected) == pytest.approx(30.5, rel=0.03)
    assert found.priced == 0.0
    with pytest.raises(InvalidInput):
        usage.forecast(value="latency_ms")


def test_tokens_to_come_are_those_of_prompts_and_answers(usage: UsageService) -> None:
    name = kept(usage, 90, tokens=Usage(input_tokens=900, output_tokens=100))
    parts = {value: usage.forecast(value=value, now=NOW, project=name) for value in ("input_tokens", "output_tokens")}
    found = usage.forecast(value="tokens", now=NOW, project=name)
    assert isinstance(found, Forecast)
    assert found.so_far == sum(part.so_far for part in parts.values()) == 16_000
    assert float(found.expected) == pytest.approx(30_500, rel=0.03)


def made_up(kind: str, days: int, ahead: int, chance: np.random.Generator) -> Numbers:
    """`days` of a past that begins on a Monday and `ahead` of what came after it."""
    count = days + ahead
    day = np.arange(count)
    usual = np.tile([1.1, 1.15, 1.1, 1.05, 1.0, 0.25, 0.2], count // 7 + 1)[:count] * chance.lognormal(0, 0.35, count)
    if kind == "rising":
        return usual * np.exp(chance.uniform(0.005, 0.02) * day)
    if kind == "a new level, some days old":
        return usual * np.where(day < days - chance.integers(3, 14), 1.0, chance.uniform(2, 5))
    if kind == "a new level, some weeks old":
        return usual * np.where(day < days - chance.integers(14, 36), 1.0, chance.uniform(2, 5))
    if kind == "bursts":
        return usual * (1 + (chance.random(count) < 0.07) * chance.pareto(2.0, count) * 6)
    if kind == "every other day empty":
        return (chance.random(count) < 0.55) * chance.lognormal(0, 0.7, count)
    if kind == "wandering":
        return usual * np.exp(chance.normal(0, 0.05, count).cumsum())
    return usual


@pytest.mark.parametrize(
    ("kind", "days", "ahead"),
    [
        ("even weeks", DAYS_NEEDED, 20),
        ("rising", DAYS_NEEDED, 20),
        ("a new level, some days old", DAYS_NEEDED, 20),
        ("a new level, some days old", 126, 14),
        ("a new level, some weeks old", DAYS_NEEDED, 20),
        ("bursts", DAYS_NEEDED, 20),
        ("every other day empty", DAYS_NEEDED, 20),
        ("wandering", DAYS_NEEDED, 20),
    ],
)
def test_the_interval_holds_what_came_about_as_often_as_it_says(kind: str, days: int, ahead: int) -> None:
    """Of 60 tries, which tell it to five in a hundred."""
    chance = np.random.default_rng(1)
    held = []
    for _ in range(60):
        made = made_up(kind, days, ahead, chance)
        past, came = made[:days], made[days:].sum()
        low, likely, high = interval(*backtested(past, 0, ahead), CHANCE)
        assert low <= likely <= high
        held.append(low <= came / predicted(past, 0, ahead).sum() <= high)
    assert 0.7 <= np.mean(held) <= 0.92


def test_what_is_expected_moves_with_a_steady_rise_and_not_with_chance() -> None:
    past = np.exp(np.arange(150) * 0.02)
    low, likely, _ = interval(*backtested(past, 0, 20), 0.8)
    assert low > 1.1
    assert likely == pytest.approx(np.exp((20 + 14) / 2 * 0.02), rel=0.05)
    assert growth(past) == pytest.approx(np.exp(28 * 0.02) - 1)
    assert interval(np.array([0.8, 0.9, 1.1, 1.2]), 1, 0.8)[1] == 1.0


def test_fewer_spans_side_by_side_reach_farther() -> None:
    ratios = np.linspace(0.5, 2.0, 40)
    few, many = interval(ratios, 20, 0.8), interval(ratios, 2, 0.8)
    assert few[0] < many[0] < np.quantile(ratios, 0.1)
    assert few[2] > many[2] > np.quantile(ratios, 0.9)
    assert interval(np.r_[np.zeros(10), ratios], 10, 0.8)[0] == 0.0


@pytest.mark.parametrize("since", [3, 6, 13])
@pytest.mark.parametrize("times", [0.25, 3.0])
def test_only_the_days_since_a_clear_step_tell_the_level(since: int, times: float) -> None:
    past = np.random.default_rng(2).lognormal(0, 0.2, 80)
    past[-since:] *= times
    assert predicted(past, 0, 14).sum() == pytest.approx(14 * times, rel=0.3)


def test_a_pause_is_no_new_level() -> None:
    past = np.random.default_rng(2).lognormal(0, 0.2, 80)
    past[-4:] = 0
    assert predicted(past, 0, 14).sum() == pytest.approx(10, rel=0.1)


def test_the_arithmetic_holds_for_little_and_for_nothing() -> None:
    assert weekday_shares(np.zeros(60), 3).tolist() == [1.0] * 7
    assert predicted(np.zeros(20), 0, 5).tolist() == [0.0] * 5
    ratios, ahead = backtested(np.zeros(60), 0, 10)
    assert (len(ratios), ahead) == (0, 10)
    assert growth(np.ones(55)) is None
    assert growth(np.r_[np.zeros(28), np.ones(28)]) is None
    shares = weekday_shares(np.tile([7.0, 0, 0, 0, 0, 0, 0], 8), 0)
    assert shares.argmax() == 0
    assert shares.mean() == pytest.approx(1.0)
    assert predicted(np.tile([7.0, 0, 0, 0, 0, 0, 0], 8), 2, 7).sum() == pytest.approx(7.0)


def test_a_forecast_can_be_made_of_any_past(usage: UsageService) -> None:
    chance = random.Random(5)
    for _ in range(6):
        name = project()
        days = sorted(chance.sample(range(180), 60))
        keep(
            usage,
            [
                record(project=name, started_at=NOW - timedelta(days=d), cost_usd=Decimal(chance.choice((0, 1, 500))))
                for d in days
            ],
        )
        found = usage.forecast("America/New_York", now=NOW, project=name)
        if isinstance(found, Forecast):
            assert found.so_far <= found.low <= found.expected <= found.high
            assert isinstance(found.path, pd.DataFrame)
