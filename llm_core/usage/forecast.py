"""What a month will come to, from its days so far: few assumptions, and tested on the person's own past.

The days to come are taken to be like the last 14, or like those since a clear step of the level, each day of the week
with its usual share (of the last eight weeks, drawn towards an even week where there are few). How wrong that was is
known: the same forecast is made from each earlier day, as if it were today, and compared with what then came. The
interval leaves out a tenth of those misses on either side and reaches farther where the past is short; the expected
value moves as far as they were all on one side. Nobody's plans, budgets and coming prices are known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from .filters import condition
from .projection import LEVEL_DAYS, SHAPE_DAYS, backtested, growth, interval, predicted, weekday_shares
from .queries import series
from .question import Query
from .spans import between, span

if TYPE_CHECKING:
    import pandas as pd

    from .projection import Numbers

FORECAST: tuple[str, ...] = ("cost_usd", "calls", "attempts", "tokens", "input_tokens", "output_tokens")
CHANCE = 0.8
"""How often the interval is to hold what comes; docs/usage.md has how often it did."""

DAYS_NEEDED = 42
DAYS_USED = 182
_ACTIVE_NEEDED = 12
"""Days with something in them, of the last eight weeks."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """How the same forecast did from each of `times` earlier days, looking `days_ahead`.

    `error` is the middle of its misses, as a share of what was forecast: 0.1 is 10 % too much or too little. That is
    before the expected value was moved by them.
    """

    days_ahead: int
    times: int
    error: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The month's end. Money, or numbers, of the whole month: `expected`, most likely between `low` and `high`.

    `so_far` is exact. `priced` is the share of the month's records whose cost is known: what is not known is in no
    figure. `growth` compares the last 28 days with the 28 before (0.2 is a fifth more), None where there are fewer or
    they were empty. `weekdays` are the shares of an average day, Monday first. `path` has a row for each day of the
    month: day, actual (NaN where it is to come), expected (of that day), and the sums cumulative, low and high.
    """

    value: str
    month: date
    so_far: Decimal
    expected: Decimal
    low: Decimal
    high: Decimal
    chance: float
    priced: float | None
    growth: float | None
    weekdays: tuple[float, ...]
    backtest: Backtest
    path: pd.DataFrame


@dataclass(frozen=True, slots=True)
class NotEnoughData:
    """Why there is no forecast. `days` are the whole days there are, of `needed`."""

    reason: str
    days: int
    needed: int
    value: str
    month: date
    so_far: Decimal


def forecast(filters: Mapping[str, Any], value: str, tz: str, now: datetime) -> Query[Forecast | NotEnoughData]:
    """Of the month that `now` is in, in the zone `tz`. What is asked of the ledger are the days until today."""
    if value not in FORECAST:
        raise InvalidInput(f"There is no forecast of {value!r}.", f"Use one of {', '.join(FORECAST)}.")
    today = span("today", tz, now)
    days = between(today.start.date() - timedelta(days=DAYS_USED), today.start.date(), tz)
    asked = series(condition(days.start, days.end, filters), None, "day", tz)
    passed = (now.astimezone(UTC) - today.start.astimezone(UTC)) / (
        today.end.astimezone(UTC) - today.start.astimezone(UTC)
    )
    month = span("this month", tz, now)
    return Query(
        asked.write,
        lambda frame: _forecast(
            asked.finish(frame), value, today.start.date(), passed, month.start.date(), month.end.date()
        ),
    )


def _forecast(
    frame: pd.DataFrame, value: str, today: date, passed: float, first: date, after: date
) -> Forecast | NotEnoughData:
    """`frame` has the days with records; `passed` is how much of today is over; the month is `first` up to `after`."""
    import numpy as np

    days: list[Any] = list(frame.itertuples())
    by_day: dict[date, Any] = {row.bucket.date(): row for row in days}
    known = {day: _exact(getattr(row, value)) for day, row in by_day.items()}
    so_far = sum((amount for day, amount in known.items() if day >= first), Decimal(0))
    began = min(by_day, default=today)
    past = np.array([float(known.get(day, 0)) for day in _days(began, today)])
    lacking = _lacking(past)
    if lacking:
        return NotEnoughData(lacking, len(past), DAYS_NEEDED, value, first, so_far)
    coming = predicted(past, began.weekday(), (after - today).days)
    ratios, ahead = backtested(past, began.weekday(), len(coming))
    if not len(ratios) or np.median(ratios) <= 0:
        lacking = "Most of the time, nothing was used in as many days as the month has left."
        return NotEnoughData(lacking, len(past), DAYS_NEEDED, value, first, so_far)
    coming[0] *= 1 - passed
    low, likely, high = interval(ratios, ahead, CHANCE)
    rows = [row for day, row in by_day.items() if day >= first]
    records, unpriced = sum(row.records for row in rows), sum(row.unpriced for row in rows)
    return Forecast(
        value=value,
        month=first,
        so_far=so_far,
        expected=so_far + _amount(coming.sum() * likely),
        low=so_far + _amount(coming.sum() * low),
        high=so_far + _amount(coming.sum() * high),
        chance=CHANCE,
        priced=float(1 - unpriced / records) if records else None,
        growth=growth(past),
        weekdays=tuple(float(share) for share in weekday_shares(past, began.weekday())),
        backtest=Backtest(ahead, len(ratios), float(np.median(abs(ratios - 1)))),
        path=_path(_days(first, after), known, today, coming, (low, likely, high)),
    )


def _lacking(past: Numbers) -> str:
    """Why these days are not enough to forecast from; empty when they are."""
    active = int((past[-SHAPE_DAYS:] > 0).sum())
    if len(past) < DAYS_NEEDED:
        return f"There are {len(past)} whole days of records; a forecast needs {DAYS_NEEDED}."
    if active < _ACTIVE_NEEDED:
        return f"Only {active} of the last {SHAPE_DAYS} days have anything to go by; a forecast needs {_ACTIVE_NEEDED}."
    if not past[-LEVEL_DAYS:].any():
        return f"Nothing was used in the last {LEVEL_DAYS} days."
    return ""


def _path(
    month: Sequence[date],
    known: Mapping[date, Decimal],
    today: date,
    coming: Numbers,
    ratios: tuple[float, float, float],
) -> pd.DataFrame:
    """The month day by day; see `Forecast`. Up to today the sums are those of what was."""
    import numpy as np
    import pandas as pd

    actual = np.array([float(known.get(day, 0)) for day in month])
    to_come = np.array([float(coming[(day - today).days]) if day >= today else 0.0 for day in month])
    low, likely, high = (actual.cumsum() + to_come.cumsum() * ratio for ratio in ratios)
    is_future = np.array([day > today for day in month])
    return pd.DataFrame(
        {
            "day": month,
            "actual": np.where(is_future, np.nan, actual),
            "expected": actual + to_come * ratios[1],
            "cumulative": likely,
            "low": low,
            "high": high,
        }
    )


def _days(first: date, after: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((after - first).days)]


def _exact(value: Any) -> Decimal:
    """A day's money or number; where none is known of a day, it has none."""
    import pandas as pd

    return Decimal(0) if pd.isna(value) else value if isinstance(value, Decimal) else Decimal(int(value))


def _amount(number: float) -> Decimal:
    return Decimal(f"{number:.6f}")
