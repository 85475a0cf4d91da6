"""Periods of rates cut at the starts of their tiers: the form in which the ledger's SQL joins rows with rates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import pairwise

from ..types import MODES, PriceBand
from .cost import UNITS, Rate, RateCard
from .price_table import Period

FREE = RateCard("local", None, {name: Rate(Decimal(0), unit.per) for name, unit in UNITS.items()})
"""Of a model on this machine."""


def bands(modes: Mapping[str, Iterable[Period]]) -> list[PriceBand]:
    """Every mode's periods, each as one band, or as one for each of its tiers."""
    return [band for mode, periods in modes.items() for period in periods for band in _bands(mode, period)]


def free_bands() -> list[PriceBand]:
    return bands({mode: [Period(None, None, FREE)] for mode in MODES})


def _bands(mode: str, period: Period) -> Iterator[PriceBand]:
    card = period.card
    starts = sorted({start for rate in card.rates.values() for start, _ in rate.tiers})
    for over, up_to in pairwise((-1, *starts, None)):
        assert over is not None
        yield PriceBand(
            mode=mode,
            source=card.source,
            rates={name: (_usd_past(rate, over), rate.per) for name, rate in card.rates.items()},
            start=period.start,
            end=period.end,
            effective_from=card.effective_from,
            hours=period.hours,
            over_tokens=over,
            up_to_tokens=up_to,
            one_price_for_all_media=card.one_price_for_all_media,
        )


def _usd_past(rate: Rate, over: int) -> Decimal:
    return next((usd for start, usd in rate.tiers if over >= start), rate.usd)
