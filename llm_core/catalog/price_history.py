"""A model's rates over time, rate by rate, and where other sources tell another price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ..types import Source
from .cost import UNITS, RateCard
from .price_table import Period
from .witnesses import witness_rates

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("effective_from", "effective_to", "rate", "usd", "per", "source", "announced", "over_tokens", "hours")
NOTABLE = Decimal("0.05")
"""The share of the smaller price by which two sources must differ to be told."""
_WHOLE_DAY = (0, 86_400)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Another source's price of a rate, in US dollars for its unit in `cost.UNITS`.

    `difference` is theirs over ours, less 1: 0.5 where theirs is half as much again.
    """

    rate: str
    ours: Decimal
    theirs: Decimal
    ours_source: Source
    theirs_source: Source
    difference: Decimal


@dataclass(frozen=True, slots=True)
class _Span:
    """One price of one class while it holds."""

    start: date | None
    end: date | None
    usd: Decimal
    source: str


def history(periods: Sequence[Period]) -> pd.DataFrame:
    """The columns of COLUMNS: a row for each price of each class, the classes in the order of UNITS, oldest first."""
    import pandas as pd

    today = datetime.now(UTC).date()
    rows = []
    for name, over, hours in _series(periods):
        for span in _spans(periods, name, over, hours):
            announced = span.start is not None and span.start > today
            told = None if hours == _WHOLE_DAY else f"{_clock(hours[0])} to {_clock(hours[1])}"
            per = UNITS[name].name
            rows.append((span.start, span.end, name, span.usd, per, span.source, announced, over, told))
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _series(periods: Iterable[Period]) -> list[tuple[str, int | None, tuple[int, int]]]:
    """Every class, tier and time of day that has a price at some time."""
    found = {
        (name, over, period.hours)
        for period in periods
        for name, rate in period.card.rates.items()
        for over in (None, *(start for start, _ in rate.tiers))
    }
    order = {name: number for number, name in enumerate(UNITS)}
    return sorted(found, key=lambda one: (order[one[0]], one[1] or 0, one[2]))


def _spans(periods: Iterable[Period], name: str, over: int | None, hours: tuple[int, int]) -> Iterator[_Span]:
    """The prices of one series, oldest first; a period that only goes on with the same price is one with the last."""
    last: _Span | None = None
    for period in periods:
        rate = period.card.rates.get(name)
        usd = None if rate is None else rate.usd if over is None else dict(rate.tiers).get(over)
        if usd is None or period.hours != hours:
            continue
        if last and last.end == period.start and (last.usd, last.source) == (usd, period.card.source):
            last = replace(last, end=period.end)
            continue
        if last:
            yield last
        last = _Span(period.start, period.end, usd, period.card.source)
    if last:
        yield last


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def with_own(listed: Sequence[Period], own: Sequence[Period]) -> tuple[Period, ...]:
    """The periods of the list with own prices in place of what it says of their days."""
    kept = list(listed)
    for price in own:
        kept = [part for period in kept for part in _without(period, price)]
    return tuple(sorted((*kept, *own), key=lambda period: (period.start or date.min, period.hours)))


def _without(period: Period, other: Period) -> Iterator[Period]:
    """What is left of a period before and after the days of another."""
    start, end = period.start or date.min, period.end or date.max
    first, last = other.start or date.min, other.end or date.max
    if start < first:
        yield replace(period, end=period.end if end <= first else other.start)
    if end > last:
        yield replace(period, start=period.start if start >= last else other.end)


def disagreements(provider: str, name: str, card: RateCard | None) -> list[Disagreement]:
    """Rates for tokens and audio; prices with tiers are not compared, as most sources tell those in other ways."""
    if card is None:
        return []
    ours_source = Source(card.source, read_on=card.effective_from)
    found = []
    for witness in witness_rates(provider, name):
        rate = card.rates.get(witness.rate)
        if rate is None or rate.tiers or UNITS[witness.rate].per not in (1_000_000, 3600):
            continue
        theirs = witness.usd_per_million * rate.per / 1_000_000
        if abs(theirs - rate.usd) > NOTABLE * min(theirs, rate.usd):
            difference = theirs / rate.usd - 1 if rate.usd else Decimal("Infinity")
            found.append(Disagreement(witness.rate, rate.usd, theirs, ours_source, witness.source, difference))
    return found
