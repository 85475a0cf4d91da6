"""Second opinions on a model's prices, out of other packages. Only to tell disagreement: nothing is priced by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from ..types import Source
from .facts import sources_of


@dataclass(frozen=True, slots=True)
class WitnessRate:
    """What one source says a class of usage (a name of `cost.cost_of`) costs: the base rate, below any tier.

    US dollars for a million units: tokens, or seconds of audio.
    """

    rate: str
    usd_per_million: Decimal
    source: Source


@lru_cache(maxsize=4096)
def witness_rates(provider: str, name: str) -> tuple[WitnessRate, ...]:
    """Each rate that another source gives for exactly this id, at the date of that source; () where none does."""
    models, sources = _data()
    found = models.get(provider, {}).get(name.lower(), {})
    return tuple(
        WitnessRate(rate, Decimal(usd), sources[key]) for key, rates in found.items() for rate, usd in rates.items()
    )


@cache
def _data() -> tuple[Mapping[str, Any], Mapping[str, Source]]:
    import orjson

    content = orjson.loads((files(__package__) / "data" / "price_witnesses.json").read_bytes())
    return content["models"], sources_of(content["sources"])
