"""Which entry of a connection's list stands for an id that the list spells otherwise. By these rules and no others:

- Anthropic lists dated ids, and takes the undated ones and `-latest` too: `claude-opus-4-1` is the dated one it lists.
- Hugging Face lists models, and takes each with a route behind a colon: what it offers, it offers on its routes. Limits
  of the model are not those of a route.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .names import undated

Fields = Mapping[str, Any]
"""Fields of LLMModel, as a list told them."""


def spelled_otherwise(provider: str, name: str) -> bool:
    """Whether such an entry is worth looking for."""
    return provider == "anthropic" or (provider == "huggingface" and ":" in name)


def offered_as(provider: str, name: str, listed: Mapping[str, Fields]) -> Fields | None:
    """What the connection's list says of the model; `listed` is all of it, by name."""
    found = listed.get(name)
    if found is not None or not spelled_otherwise(provider, name):
        return found
    if provider == "huggingface":
        whole = listed.get(name.rpartition(":")[0])
        return None if whole is None else {key: whole[key] for key in ("available", "checked_at")}
    stem = name.removesuffix("-latest")
    dated = [other for other in listed if not other.endswith("-latest") and undated(provider, other) == stem]
    return listed[max(dated, key=lambda other: (listed[other]["available"], other))] if dated else None
