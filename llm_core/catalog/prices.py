"""Rates and facts of models, from the genai-prices data that is installed. Loaded at the first question, not on import.

Rates follow the list's own rules for dates and tiers. Where the list has no rate for a class in the asked mode, none is
taken from another class or another mode, except where the vendor says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from .cost import Rate, RateCard
from .ids import accounts_for

_DIRECT = ("openai", "anthropic", "google", "cohere")
"""Providers of ours that the list knows by the same name."""

_CLASSES: dict[str, str] = {
    "input_mtok": "input_tokens",
    "cache_read_mtok": "cache_read_tokens",
    "cache_write_mtok": "cache_write_tokens",
    "cache_write_1h_mtok": "cache_write_1h_tokens",
    "input_audio_mtok": "input_audio_tokens",
    "cache_audio_read_mtok": "cache_read_audio_tokens",
    "output_mtok": "output_tokens",
    "output_reasoning_mtok": "reasoning_tokens",
    "output_audio_mtok": "output_audio_tokens",
    "audio_hours": "audio_seconds",
    "web_searches_kcount": "searches",
    "requests_kcount": "requests",
}
"""The list's name of a price -> our class of usage."""

_MODES: dict[str, tuple[str, str]] = {
    "batch": ("processing", "batch"),
    "flex": ("service_tier", "flex"),
    "priority": ("service_tier", "priority"),
}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the list says of a model besides its rates."""

    name: str | None
    context_window: int | None
    deprecated: bool | None


def rates_of(provider: str, model: str, base_url: str | None, at: datetime, mode: str) -> RateCard | None:
    """The rates of `model` for a call at `at` (UTC where it names no zone); None for a model the list does not know."""
    moment = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    found = _find(provider, model, base_url)
    if found is None:
        return None
    if _changes_within_a_day(provider, model, base_url):
        return _card(*found, mode, moment)
    return _card_of_day(provider, model, base_url, mode, moment.date())


def facts_of(provider: str, model: str, base_url: str | None) -> ModelFacts | None:
    """None for a model the list does not know."""
    found = _find(provider, model, base_url)
    if found is None:
        return None
    info = found[1]
    return ModelFacts(info.name, info.context_window, info.deprecated)


@lru_cache(maxsize=8192)
def _find(provider: str, model: str, base_url: str | None) -> tuple[Any, Any] | None:
    """The list's provider and model, if the whole id is accounted for."""
    snapshot = _snapshot()
    model = model.lower()
    seller, sold = _seller(snapshot, provider, model, base_url)
    info = seller and seller.find_model(sold, all_providers=snapshot.providers)
    return (seller, info) if info and accounts_for(info.match, sold) else None


def _seller(snapshot: Any, provider: str, model: str, base_url: str | None) -> tuple[Any, str]:
    """Who bills for the model, and its name there. Hugging Face routes to a provider named behind the last colon."""
    known = {each.id: each for each in snapshot.providers}
    if provider in _DIRECT:
        return known.get(provider), model.removeprefix("models/")
    if provider == "huggingface":
        name, _, route = model.rpartition(":")
        if name:
            return known.get(f"huggingface_{route}"), name
    if base_url:
        try:
            return snapshot.find_provider(None, None, base_url), model
        except LookupError:
            pass
    return None, model


@lru_cache(maxsize=8192)
def _changes_within_a_day(provider: str, model: str, base_url: str | None) -> bool:
    found = _find(provider, model, base_url)
    return found is not None and any(hasattr(rule, "start_time") for rule in _constraints(found[1]))


@lru_cache(maxsize=16384)
def _card_of_day(provider: str, model: str, base_url: str | None, mode: str, day: date) -> RateCard | None:
    found = _find(provider, model, base_url)
    return found and _card(*found, mode, datetime(day.year, day.month, day.day, tzinfo=UTC))


def _card(seller: Any, info: Any, mode: str, moment: datetime) -> RateCard:
    began, standard = _standard(info, moment)
    flat = seller.id == "google"
    if seller.id == "cohere" and "input_mtok" in standard:
        # Its bill does not tell cached tokens from others: each costs the same.
        standard = {"cache_read_mtok": standard["input_mtok"]} | standard
    if mode == "standard":
        return RateCard(_source(), began, _rates(standard), one_price_for_all_media=flat)
    special: dict[str, Any] = {}
    for start, prices in _variants(info, mode, moment):
        special = prices | special
        began = max(filter(None, (began, start)), default=None)
    if special:
        # The discount is on tokens: a search costs the same in each mode. Google's batch keeps its cache prices.
        kept = ["web_searches_kcount", "requests_kcount"]
        if flat and mode == "batch":
            kept += ["cache_read_mtok", "cache_audio_read_mtok", "cache_write_mtok", "cache_write_1h_mtok"]
        special = {name: standard[name] for name in kept if name in standard} | special
    return RateCard(_source(), began, _rates(special), one_price_for_all_media=flat)


def _standard(info: Any, moment: datetime) -> tuple[date | None, dict[str, Any]]:
    """The day the rates of that moment began (None: not told) and the rates. The last rule that is in force wins."""
    if not isinstance(info.prices, list):
        return None, _given(info.prices)
    for dated in reversed(info.prices):
        if dated.constraint is None or dated.constraint.active(moment):
            return getattr(dated.constraint, "start_date", None), _given(dated.prices)
    return None, _given(info.prices[0].prices)


def _variants(info: Any, mode: str, moment: datetime) -> Iterator[tuple[date | None, dict[str, Any]]]:
    """The rates for a mode that are in force, the first ones counting most."""
    key, value = _MODES[mode]
    for variant in info.price_variants or ():
        if variant.when == {key: value} and (variant.constraint is None or variant.constraint.active(moment)):
            yield getattr(variant.constraint, "start_date", None), _given(variant.prices)


def _given(prices: Any) -> dict[str, Any]:
    return {name: price for name, price in vars(prices).items() if price is not None}


def _rates(prices: dict[str, Any]) -> dict[str, Rate]:
    units = _units()
    return {ours: _rate(prices[theirs], units[theirs]) for theirs, ours in _CLASSES.items() if theirs in prices}


def _rate(price: Any, per: int) -> Rate:
    if isinstance(price, Decimal):
        return Rate(price, per)
    return Rate(price.base, per, tuple((tier.start, tier.price) for tier in reversed(price.tiers)))


def _constraints(info: Any) -> Iterator[Any]:
    dated = info.prices if isinstance(info.prices, list) else []
    for rule in (*dated, *(info.price_variants or ())):
        if rule.constraint is not None:
            yield rule.constraint


def _snapshot() -> Any:
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot()


@cache
def _units() -> dict[str, int]:
    """How many units each of the list's prices is for."""
    from genai_prices.data_units import unit_data

    return {unit.get("price_key", name): unit["per"] for name, unit in unit_data.items()}


@cache
def _source() -> str:
    import genai_prices

    return f"genai-prices {genai_prices.__version__}"
