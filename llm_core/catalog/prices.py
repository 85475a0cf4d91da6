"""The price list that is installed, with our corrections: compiled at the first question, not on import.

What a person's prices are is decided in `price_lists.py`, which keeps the list in use; this is what it is taken from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version

from .corrections import corrections_digest
from .cost import RateCard
from .price_table import FORMAT, PriceTable


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the list says of a model besides its rates."""

    name: str | None
    context_window: int | None
    deprecated: bool | None


def rates_of(provider: str, model: str, base_url: str | None, at: datetime, mode: str) -> RateCard | None:
    """The rates of `model` for a call at `at` (UTC where it names no zone); None for a model the list does not know."""
    found = installed().find(provider, model, base_url)
    return None if found is None else found.card(at, mode)


def facts_of(provider: str, model: str, base_url: str | None) -> ModelFacts | None:
    """None for a model the list does not know."""
    found = installed().find(provider, model, base_url)
    return None if found is None else ModelFacts(found.title, found.context_window, found.deprecated)


def installed_source() -> str:
    """The name of the installed list in every cost. Does not load it."""
    return f"genai-prices {version('genai-prices')}"


def installed_edition() -> str:
    """Differs where another list would be compiled: of another version, with other corrections, in another format."""
    return f"{installed_source()}, corrections {corrections_digest()}, format {FORMAT}"


@cache
def installed() -> PriceTable:
    """The installed list, compiled."""
    from genai_prices.data_snapshot import get_snapshot

    from .price_compile import compiled

    return compiled(get_snapshot().providers, installed_source())
