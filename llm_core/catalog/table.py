"""Every model of the workspace, joined once and kept until something it was made from changes.

A workspace may list thousands of models, and a page asks for them on every rerun. The state's version tells in
microseconds that nothing at all changed; where something did, one query tells whether it was about models.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from ..store.listings import has_listing, kept_checks, kept_entry, kept_listings
from ..store.state import State
from ..store.tables import listed_models, own_models, own_prices, price_lists
from ..types import LLMModel, LLMProvider
from .cost import RateCard
from .facts import KnownFacts
from .join import OwnFacts, Reach, joined
from .offers import spelled_otherwise
from .own import kept_own

CardOf = Callable[[LLMProvider, str], RateCard | None]
"""The rates of a connection's model."""
FactsOf = Callable[[str, str, str | None], KnownFacts | None]
"""What the catalogue knows of (provider, model, base URL); None for a model it does not know."""


@dataclass(frozen=True, slots=True)
class Joined:
    """All models that connections listed and that a person added, by id, in the order of connections and names."""

    stamp: tuple[Any, ...]
    models: Mapping[str, LLMModel]
    reaches: Mapping[str, Reach]
    derived: dict[Any, Any] = field(default_factory=dict)
    """What was made of them and can be used as long as they are."""


class ModelTable:
    """Safe to share between threads: one makes the table, the others wait for it."""

    def __init__(
        self,
        state: State,
        connections: Callable[[], Mapping[str, LLMProvider]],
        facts: FactsOf,
        cards: Callable[[], CardOf],
    ) -> None:
        """`cards` gives the rates of now, in the standard mode."""
        self._state = state
        self._connections = connections
        self._facts = facts
        self._cards = cards
        self._lock = threading.Lock()
        self._seen: tuple[tuple[int, datetime], Joined] | None = None
        self._single: tuple[tuple[int, datetime], dict[str, LLMModel]] | None = None

    def all(self) -> Joined:
        moment = self._moment()
        seen = self._seen
        if seen is not None and seen[0] == moment:
            return seen[1]
        with self._lock:
            seen = self._seen
            stamp = self._stamp(moment[1])
            if seen is None or seen[1].stamp != stamp:
                seen = (moment, self._join(stamp))
            self._seen = (moment, seen[1])
            return seen[1]

    def one(self, connection: LLMProvider, name: str) -> LLMModel:
        """One model, without joining the others: a program that makes calls asks for a single one."""
        moment = self._moment()
        model = f"{connection.name}:{name}"
        seen = self._seen
        if seen is not None and seen[0] == moment and model in seen[1].models:
            return seen[1].models[model]
        single = self._single
        if single is None or single[0] != moment:
            single = self._single = (moment, {})
        if model not in single[1]:
            single[1][model] = self._read_one(connection, name)
        return single[1][model]

    def outside(self, names: Iterable[tuple[Reach, str]]) -> Iterator[LLMModel]:
        """Models that only the catalogue knows."""
        now, cards = datetime.now(UTC), self._cards()
        for reach, name in names:
            yield self._joined(reach, name, now, None, cards)

    def _moment(self) -> tuple[int, datetime]:
        """Prices and lifecycles follow the clock: all is told anew each hour."""
        return self._state.version(), datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    def _stamp(self, hour: datetime) -> tuple[Any, ...]:
        """Differs after any change to what the table is made from. (A setting or a budget's hold is none.)"""
        self._cards()  # before the count: the first question for a price keeps a list
        connections = {name: (one.provider, one.base_url, one.enabled) for name, one in self._connections().items()}
        with self._state.read() as transaction:
            counts = transaction.execute(
                select(
                    *(
                        select(number).select_from(table).scalar_subquery()
                        for table, latest in (
                            (listed_models, listed_models.c.last_seen),
                            (own_models, own_models.c.changed_at),
                            (own_prices, own_prices.c.changed_at),
                            (price_lists, price_lists.c.accepted_at),
                        )
                        for number in (func.count(), func.max(latest))
                    )
                )
            ).one()
            checks = kept_checks(transaction)
        return hour, tuple(counts), checks, connections

    def _join(self, stamp: tuple[Any, ...]) -> Joined:
        connections, now, cards = self._connections(), datetime.now(UTC), self._cards()
        with self._state.read() as transaction:
            listings, own, checks = kept_listings(transaction), kept_own(transaction), kept_checks(transaction)
        reaches = {
            name: Reach(connection, checks.get(name), listings.get(name, {}))
            for name, connection in connections.items()
        }
        models = {}
        for owner in sorted(reaches):
            added = {name for other, name in own if other == owner}
            for name in sorted(listings.get(owner, {}).keys() | added):
                models[f"{owner}:{name}"] = self._joined(reaches[owner], name, now, own.get((owner, name)), cards)
        return Joined(stamp, models, reaches)

    def _read_one(self, connection: LLMProvider, name: str) -> LLMModel:
        key = (connection.name, name)
        with self._state.read() as transaction:
            own, check = kept_own(transaction, key).get(key), kept_checks(transaction).get(connection.name)
            entry = kept_entry(transaction, *key)
            listed = {} if entry is None else {name: entry}
            if not listed and spelled_otherwise(connection.provider, name):
                listed = kept_listings(transaction, connection.name).get(connection.name, {})
            has_list = bool(listed) or has_listing(transaction, connection.name)
        return self._joined(Reach(connection, check, listed, has_list), name, datetime.now(UTC), own, self._cards())

    def _joined(self, reach: Reach, name: str, now: datetime, own: OwnFacts | None, cards: CardOf) -> LLMModel:
        connection = reach.connection
        return joined(
            reach,
            name,
            now=now,
            own=own,
            known=self._facts(connection.provider, name, connection.base_url),
            card=cards(connection, name),
        )
