"""What a month will come to: on months made up for it, where the answer is known."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from llm_core.errors import InvalidInput
from llm_core.usage import UsageService
from llm_core.usage.forecast import Forecast, NotEnoughData
from llm_core.usage.projection import backtested, growth, interval, predicted, weekday_shares

from .rows import keep, project, record

NOW = datetime(2026, 6, 16, 12, tzinfo=UTC)
"""A Tuesday at noon, 14.5 days before the month's end."""

WORKDAY, SUNDAY = Decimal(10), Decimal(2)


def spent(day: date) -> Decimal:
    return SUNDAY if day.weekday() >= 5 else WORKDAY


def kept(usage: UsageService, days: int, *, priced: bool = True) -> str:
    """A project with one call at 06:00 each day until today."""
    name = project()
    made = [(NOW - timedelta(days=back)).replace(hour=6) for back in range(days, -1, -1)]
    keep(usage, [record(project=name, started_at=at, cost_usd=spent(at.date()) if priced else None) for at in made])
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


def test_numbers_other_than_money_are_forecast_too(usage: UsageService) -> None:
    name = kept(usage, 90, priced=False)
    found = usage.forecast(value="calls", now=NOW, project=name)
    assert isinstance(found, Forecast)
    assert found.so_far == 16
    assert float(found.expected) == pytest.approx(30.5, rel=0.03)
    assert found.priced == 0.0
    with pytest.raises(InvalidInput):
        usage.forecast(value="latency_ms")


def test_the_interval_holds_about_what_it_says() -> None:
    chance = np.random.default_rng(3)
    inside, tries = 0, 60
    for _ in range(tries):
        days = chance.lognormal(0, 0.5, 120) * np.tile([1, 1, 1, 1, 1, 0.3, 0.2], 18)[:120]
        past, came = days[:105], days[105:].sum()
        ratios, ahead = backtested(past, 0, 15)
        low, high = interval(ratios, ahead, 0.8)
        inside += low <= came / predicted(past, 0, 15).sum() <= high
    assert 0.7 <= inside / tries <= 1.0


def test_a_steady_rise_moves_the_interval_up() -> None:
    past = np.exp(np.arange(150) * 0.02)
    ratios, ahead = backtested(past, 0, 20)
    low, _ = interval(ratios, ahead, 0.8)
    assert low > 1.1
    assert growth(past) == pytest.approx(np.exp(28 * 0.02) - 1)


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
