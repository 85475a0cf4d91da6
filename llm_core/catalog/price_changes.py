"""What another price list would change: rate by rate, so that a person can look before it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from ..types import MODES
from .price_table import Period, PriceTable

if TYPE_CHECKING:
    import pandas as pd

PROVIDERS = ("openai", "anthropic", "google", "cohere", "huggingface")
"""Whose models are compared. A list's other sellers are priced too, and are too many to read."""

COLUMNS = ("model", "mode", "rate", "old", "new", "effective_from")


@dataclass(frozen=True, slots=True)
class PriceUpdate:
    """A price list that waits to be accepted.

    `changes` has a row for each rate that differs: model, mode, rate (`input_tokens past 200000` where longer prompts
    have another), old and new (US dollars for the unit in `cost.UNITS`, None where there is none), and effective_from,
    the day it begins (None: always).
    """

    source: str
    made_on: date
    digest: str
    changes: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Change:
    model: str
    mode: str
    rate: str
    old: Decimal | None
    new: Decimal | None
    effective_from: date | None


def changes(old: PriceTable, new: PriceTable) -> pd.DataFrame:
    """What differs of the five providers' models, by model, mode, rate and day."""
    import pandas as pd

    before, after = _models(old), _models(new)
    rows = [
        (change.model, change.mode, change.rate, change.old, change.new, change.effective_from)
        for model in sorted(before.keys() | after.keys())
        if before.get(model) != after.get(model)
        for mode in MODES
        for change in _changed(model, mode, before.get(model), after.get(model))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _models(table: PriceTable) -> Mapping[str, Mapping[str, tuple[Period, ...]]]:
    return {f"{provider}:{name}": model.modes for provider, name, model in table.models(*PROVIDERS)}


def _changed(
    model: str,
    mode: str,
    before: Mapping[str, tuple[Period, ...]] | None,
    after: Mapping[str, tuple[Period, ...]] | None,
) -> Iterator[_Change]:
    """The days on which either list changes a rate, where the two then differ; a difference that goes on, once."""
    old, new = (() if modes is None else modes.get(mode, ()) for modes in (before, after))
    days = sorted(
        {period.start or date.min for period in (*old, *new)} | {period.end for period in (*old, *new) if period.end}
    )
    last: dict[str, tuple[Decimal | None, Decimal | None]] = {}
    for day in days:
        then, now = _rates_on(old, day), _rates_on(new, day)
        for name in sorted(then.keys() | now.keys() | last.keys()):
            pair = then.get(name), now.get(name)
            if pair[0] != pair[1] and last.get(name) != pair:
                yield _Change(model, mode, name, *pair, None if day == date.min else day)
            last[name] = pair


def _rates_on(periods: tuple[Period, ...], day: date) -> dict[str, Decimal]:
    """The prices of a day, by rate and by what it is past the start of a tier, or at other hours than the first."""
    found: dict[str, Decimal] = {}
    for period in periods:
        if (period.start or date.min) <= day and (period.end is None or day < period.end):
            hour = f" from {period.hours[0] // 3600:02}:00" if period.hours[0] else ""
            for name, rate in period.card.rates.items():
                found[f"{name}{hour}"] = rate.usd
                found |= {f"{name} past {start}{hour}": usd for start, usd in rate.tiers}
    return found
