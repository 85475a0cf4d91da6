"""Puts one model together: what its provider lists, what the catalogue knows, what a person knows better, its price.

What a person wrote counts first, then the provider's list, then the catalogue. Abilities are the exception: a list that
names some of them does not deny the others, so there the list and the catalogue are added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from ..store.listings import KEPT_FACTS, ListingCheck
from ..types import LLMModel, LLMProvider, Source
from .cost import RateCard
from .facts import KnownFacts
from .offers import Fields, offered_as
from .states import state_of

_ADDED_UP = ("capabilities", "modalities", "inputs", "outputs")
_PRICES = (
    ("input_price", "input_tokens"),
    ("output_price", "output_tokens"),
    ("cache_read_price", "cache_read_tokens"),
)
_MILLION = 1_000_000
YOU = "you"
"""The source of what a person wrote."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a connection stands for its models: the last time it was asked, and what it listed, by name.

    `has_list` says whether it has a list at all, where `listed` holds only a part of it.
    """

    connection: LLMProvider
    check: ListingCheck | None = None
    listed: Mapping[str, Fields] = field(default_factory=dict)
    has_list: bool | None = None


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """What a person wrote of a model, and when."""

    facts: Mapping[str, Any]
    changed_at: datetime


def joined(
    reach: Reach,
    name: str,
    *,
    now: datetime,
    own: OwnFacts | None,
    known: KnownFacts | None,
    card: RateCard | None,
) -> LLMModel:
    """`known` is what the catalogue knows, `card` the model's rates now."""
    listed = offered_as(reach.connection.provider, name, reach.listed)
    fields: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    if known is not None:
        for fact in KEPT_FACTS:
            value = getattr(known, fact, None)
            if value or value is False:
                fields[fact] = value
        fields["lacks"] = known.lacks
        sources |= known.sources
    _add_prices(fields, sources, card)
    if listed is not None:
        _add_listed(fields, sources, listed, reach.connection.name)
    if own is not None:
        fields |= own.facts
        sources |= dict.fromkeys(own.facts, _source(YOU, own.changed_at.date()))
    if "modalities" in fields and not (own is not None and "inputs" in own.facts):
        fields["inputs"] = fields.get("inputs", frozenset()) | (fields["modalities"] - {"file"})
        sources.setdefault("inputs", sources["modalities"])
    if "lacks" in fields:
        fields["lacks"] -= fields.get("capabilities", frozenset())
    fields["own"] = own is not None and listed is None
    fields["state"] = _state(reach, fields, sources, listed, now)
    return LLMModel(
        connection=reach.connection.name, provider=reach.connection.provider, name=name, sources=sources, **fields
    )


def _add_prices(fields: dict[str, Any], sources: dict[str, Source], card: RateCard | None) -> None:
    if card is None:
        return
    fields["price_source"] = card.source
    for price, used in _PRICES:
        rate = card.rates.get(used)
        if rate is not None:
            fields[price] = rate.usd if rate.per == _MILLION else rate.usd * _MILLION / rate.per
            sources[price] = _source(card.source, card.effective_from)


def _add_listed(fields: dict[str, Any], sources: dict[str, Source], listed: Fields, connection: str) -> None:
    source = _source(f"{connection} list", listed["checked_at"].date())
    for fact, value in listed.items():
        if fact in ("available", "checked_at"):
            fields[fact] = value
            continue
        if fact in _ADDED_UP and fact in fields:
            more = fields[fact] - value
            value = fields[fact] | value
            before = sources.get(fact)
            sources[fact] = _source(f"{source.name}, {before.name}", source.read_on) if more and before else source
        else:
            sources[fact] = source
        fields[fact] = value


def _state(
    reach: Reach,
    fields: Mapping[str, Any],
    sources: Mapping[str, Source],
    listed: Fields | None,
    now: datetime,
) -> str:
    check, said = reach.check, listed or {}
    has_list = bool(reach.listed) if reach.has_list is None else reach.has_list
    end = sources.get("retires_at")
    deprecated_on: date | None = fields.get("deprecated_on")
    return state_of(
        now,
        enabled=reach.connection.enabled,
        failed=check is not None and bool(check.error),
        listed=said.get("available", False if has_list else None),
        own=fields["own"],
        lifecycle=said.get("lifecycle"),
        retires_at=fields.get("retires_at"),
        end_is_told="retires_at" in said or (end is not None and end.name == YOU),
        deprecated=fields.get("lifecycle") == "deprecated"
        or (deprecated_on is not None and deprecated_on <= now.date()),
    )


@lru_cache(maxsize=4096)
def _source(name: str, read_on: date | None) -> Source:
    """One object for all facts of one origin."""
    return Source(name, None, read_on)
