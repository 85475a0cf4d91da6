"""A dated table of rates: every seller's models, per mode, in periods that do not overlap. Frozen, and small as JSON.

It answers what a model cost at a moment without the package it was compiled from (`price_compile.py`), and so can be
kept: a person's prices stay the same until another table is accepted (`price_lists.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import orjson

from ..errors import StoreError
from .cost import UNITS, Rate, RateCard
from .ids import accounts_for, dashed, is_match

FORMAT = 1
"""Of the JSON. A table of another format cannot be read."""

_DIRECT = frozenset(("openai", "anthropic", "google", "cohere"))
"""Providers of ours that a list knows by the same name."""
_DAY = 86_400
_KEPT = 16_384
"""Answers of `find` that are remembered."""

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Period:
    """Rates in force from the day `start` up to, without, the day `end` (UTC; None is open).

    Where rates change within a day, `hours` are the seconds of the UTC day from and up to which these count.
    """

    start: date | None
    end: date | None
    card: RateCard
    hours: tuple[int, int] = (0, _DAY)

    def holds(self, moment: datetime) -> bool:
        day = moment.date()
        if (self.start is not None and day < self.start) or (self.end is not None and day >= self.end):
            return False
        first, last = self.hours
        return first <= moment.hour * 3600 + moment.minute * 60 + moment.second < last


@dataclass(frozen=True, slots=True)
class PricedModel:
    """One model as one seller offers it. `modes` holds the periods of each mode that has rates, oldest first."""

    seller: str
    name: str
    title: str | None
    context_window: int | None
    deprecated: bool | None
    modes: Mapping[str, tuple[Period, ...]]
    unpriced: RateCard
    """Stands for every moment and mode without rates: it knows the list, and no rate."""

    def card(self, moment: datetime, mode: str) -> RateCard:
        """The rates of a moment, UTC where it names no zone."""
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
        for period in reversed(self.modes.get(mode, ())):
            if period.holds(moment):
                return period.card
        return self.unpriced


@dataclass(frozen=True)
class PriceTable:
    """`content` is the table as JSON; models are made of it when they are asked for."""

    content: JSON
    _found: dict[tuple[str, str, str | None], PricedModel | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _made: dict[tuple[str, str], PricedModel] = field(default_factory=dict, init=False, repr=False, compare=False)
    _at: dict[str, JSON | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Base URL -> who sells there."""

    @classmethod
    def from_json(cls, data: bytes) -> PriceTable:
        """Raises StoreError for what is not a table of this format."""
        try:
            content = orjson.loads(data)
            known = content["format"] == FORMAT
        except (orjson.JSONDecodeError, KeyError, TypeError):
            known = False
        if not known:
            raise StoreError("The stored price list was written by another version of this program.")
        return cls(content)

    def to_json(self) -> bytes:
        return orjson.dumps(self.content, option=orjson.OPT_SORT_KEYS)

    @property
    def source(self) -> str:
        return str(self.content["source"])

    @cached_property
    def digest(self) -> str:
        """Names the rates: two tables with the same have the same prices, whatever they were compiled from."""
        rates = {"sellers": self.content["sellers"], "format": FORMAT}
        return hashlib.blake2b(orjson.dumps(rates, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()

    def find(self, provider: str, model: str, base_url: str | None = None) -> PricedModel | None:
        """A provider's model, if the whole id is accounted for; None for one that the list does not know."""
        key = provider, model, base_url
        try:
            return self._found[key]
        except KeyError:
            if len(self._found) >= _KEPT:
                self._found.clear()
            found = self._found[key] = self._find(provider, model.lower(), base_url)
            return found

    def models(self, *providers: str) -> Iterator[tuple[str, str, PricedModel]]:
        """(provider, name, model) of every model that is found by its own name; Hugging Face's with their route."""
        for seller in self._sellers.values():
            route = seller["id"].removeprefix("huggingface_")
            provider = seller["id"] if route == seller["id"] else "huggingface"
            for entry in seller["models"] if provider in providers else ():
                name = entry["id"] if route == seller["id"] else f"{entry['id']}:{route}"
                if (found := self.find(provider, name)) is not None and found.name == entry["id"]:
                    yield provider, name, found

    def _find(self, provider: str, model: str, base_url: str | None) -> PricedModel | None:
        seller, name = self._seller(provider, model, base_url)
        if seller is None:
            return None
        for form in dict.fromkeys((name, dashed(name))):
            for entries in self._entries(seller):
                entry = next((each for each in entries["models"] if is_match(each["match"], form)), None)
                if entry is not None:
                    return self._model(seller, entries, entry) if accounts_for(entry["match"], name) else None
        return None

    def _seller(self, provider: str, model: str, base_url: str | None) -> tuple[JSON | None, str]:
        """Who bills for the model, and its name there. Hugging Face routes to whom the last colon names."""
        if provider in _DIRECT:
            return self._sellers.get(provider), model.removeprefix("models/")
        if provider == "huggingface":
            name, _, route = model.rpartition(":")
            if name:
                return self._sellers.get(f"huggingface_{route}"), name
        if base_url:
            if base_url not in self._at:
                self._at[base_url] = next(
                    (each for each in self._sellers.values() if re.match(each["url"], base_url)), None
                )
            return self._at[base_url], model
        return None, model

    def _entries(self, seller: JSON) -> Iterator[JSON]:
        """The seller, then those whose models it resells at their prices."""
        yield seller
        for other in seller.get("resells", ()):
            if other in self._sellers:
                yield self._sellers[other]

    def _model(self, seller: JSON, owner: JSON, entry: JSON) -> PricedModel:
        """Rates follow the rules of who bills, as its one price for all media: hence a model for each seller."""
        key = f"{seller['id']} {owner['id']}", entry["id"]
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = self._make(seller, entry)
        return found

    def _make(self, seller: JSON, entry: JSON) -> PricedModel:
        flat = bool(seller.get("one_price_for_all_media"))
        return PricedModel(
            seller=seller["id"],
            name=entry["id"],
            title=entry.get("name"),
            context_window=entry.get("context_window"),
            deprecated=entry.get("deprecated"),
            modes={
                mode: tuple(_period(each, self.source, flat) for each in periods)
                for mode, periods in entry["modes"].items()
            },
            unpriced=RateCard(self.source, None, {}, one_price_for_all_media=flat),
        )

    @cached_property
    def _sellers(self) -> dict[str, JSON]:
        return {each["id"]: each for each in self.content["sellers"]}


def _period(content: JSON, source: str, flat: bool) -> Period:
    card = RateCard(
        content.get("source", source),
        _day(content.get("since")),
        {name: rate_of(name, price) for name, price in content["rates"].items()},
        one_price_for_all_media=flat,
    )
    first, last = content.get("hours", (0, _DAY))
    return Period(_day(content.get("from")), _day(content.get("to")), card, (first, last))


def rate_of(name: str, price: str | list[Any]) -> Rate:
    """The rate of a class, from its price as text, or from [price, [[tier's start, price], ...]]."""
    per = UNITS[name].per
    if isinstance(price, str):
        return Rate(Decimal(price), per)
    base, tiers = price
    return Rate(Decimal(base), per, tuple((start, Decimal(usd)) for start, usd in tiers))


def as_json(rate: Rate) -> str | list[Any]:
    """The inverse of `rate_of`."""
    if not rate.tiers:
        return f"{rate.usd:f}"
    return [f"{rate.usd:f}", [[start, f"{usd:f}"] for start, usd in rate.tiers]]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
