"""Reads genai-prices: which models are sold, their windows, and what their prices prove (a cache, a batch)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..names import fine_tuned_from, spelled
from .said import Said, without_unknown

_ROUTED = "huggingface_"


def said(providers: list[Any]) -> Said:
    """From the providers of its snapshot. A model routed by Hugging Face is named `org/model:route`."""
    found: Said = {}
    for seller in providers:
        if seller.id in ("openai", "anthropic", "google", "cohere"):
            models = found.setdefault(seller.id, {})
            for info in seller.models:
                if fine_tuned_from(info.id):
                    continue  # a price for all that was made from a model, not a model
                for name in _same_price(info.match):
                    models.setdefault(name, {})
                models[info.id] = _fields(info, seller.id)
        elif seller.id.startswith(_ROUTED):
            models = found.setdefault("huggingface", {})
            for info in seller.models:
                models[f"{info.id}:{seller.id.removeprefix(_ROUTED)}"] = _fields(info, seller.id)
                models.setdefault(info.id, {"display_name": info.name} if info.name else {})
    return found


def _fields(info: Any, seller: str) -> dict[str, Any]:
    prices = info.prices[-1].prices if isinstance(info.prices, list) else info.prices
    sold = {name for name, price in vars(prices).items() if price is not None}
    in_batches = any(variant.when.get("processing") == "batch" for variant in info.price_variants or ())
    rounded = seller == "google" and info.context_window in (1_000_000, 2_000_000)
    return without_unknown(
        {
            "display_name": info.name and info.name.removesuffix(" (free)"),
            "context_window": None if rounded else info.context_window,
            "lifecycle": "deprecated" if info.deprecated else None,
            "capabilities": {
                "caching": True if "cache_read_mtok" in sold else None,
                "batch": True if in_batches else None,
                "search": True if "web_searches_kcount" in sold else None,
            },
        }
    )


def _same_price(match: Any) -> Iterator[str]:
    """The ids that the rule names in full. They share a price, not always a model; other spellings are left out."""
    clauses = getattr(match, "or_", None) or [match]
    names = sorted((clause.equals for clause in clauses if hasattr(clause, "equals")), key=lambda name: "." not in name)
    seen = set()
    for name in names:
        if spelled(name) not in seen:
            seen.add(spelled(name))
            yield name
