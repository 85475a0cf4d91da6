"""A person's prices: the list in use and their own, and the updates of the list that wait for their word.

The first question adopts the list that is installed and keeps it. A list that comes later, with a new version of
genai-prices or of this program or fetched on demand, is shown as a difference and used once it is accepted. What was
recorded keeps the cost it was recorded with.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ..errors import InvalidInput, StoreError
from ..store.state import State
from ..types import MODES, Cost, LLMProvider, PriceBand, Usage, split_model_id
from . import own_prices, price_store
from .cost import RateCard, cost_of
from .own_prices import OwnPrice
from .price_bands import FREE, bands
from .price_changes import PriceUpdate, changes
from .price_fetch import fetched
from .price_history import Disagreement, disagreements, history, with_own
from .price_table import Period, PriceTable
from .prices import installed, installed_edition

if TYPE_CHECKING:
    import pandas as pd

_FREE_LOCAL = Cost(Decimal(0), {}, "local")
Reach = Callable[[str], tuple[int, LLMProvider | None]]
"""The connection of a name, or the provider alone of that name, and the state's version at which that was so."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the state held at one version."""

    version: int
    digest: str
    table: PriceTable
    own: Mapping[tuple[str, str], tuple[OwnPrice, ...]]
    periods: Mapping[tuple[str, str], tuple[Period, ...]]
    """(model id, mode) -> a person's own prices, as periods, oldest first."""


class Prices:
    """Rates, costs, updates and own prices. Safe to share between threads."""

    def __init__(self, state: State, reach: Reach) -> None:
        self._state = state
        self._reach = reach
        self._lock = threading.RLock()
        self._known: _Known | None = None
        self._looked_at: str | None = None

    def cost(self, id: str, usage: Usage | None, at: datetime | None, mode: str) -> Cost:  # noqa: A002
        """As `ModelService.price`."""
        _require_mode(mode)
        owner, name = split_model_id(id)
        version, connection = self._reach(owner)
        known, moment = self._now(version), at or datetime.now(UTC)
        own = _in_force(known.periods.get((id, mode), ()), moment)
        if own is not None:
            return cost_of(usage, own, mode)
        if connection is not None and connection.provider == "local":
            return _FREE_LOCAL
        found = connection and known.table.find(connection.provider, name, connection.base_url)
        return cost_of(usage, found.card(moment, mode) if found else None, mode)

    def rates(self, id: str, at: datetime | None = None, mode: str = "standard") -> RateCard | None:  # noqa: A002
        """The rates of a moment (now where not told); None for a model whose prices are not known.

        A known model without rates in that mode gives a card without rates. Raises UnknownModel, InvalidInput.
        """
        _require_mode(mode)
        owner, name = split_model_id(id)
        _, connection = self._reach(owner)
        return self.card(connection, name, at, mode) if connection else self._own(id, at or datetime.now(UTC), mode)

    def card(
        self, connection: LLMProvider, name: str, at: datetime | None = None, mode: str = "standard"
    ) -> RateCard | None:
        """The same of a model of this connection."""
        return self.cards(at, mode)(connection, name)

    def cards(
        self, at: datetime | None = None, mode: str = "standard"
    ) -> Callable[[LLMProvider, str], RateCard | None]:
        """`card` for thousands of models of one moment: what the prices are is asked once."""
        known, moment = self._now(), at or datetime.now(UTC)

        def card(connection: LLMProvider, name: str) -> RateCard | None:
            own = _in_force(known.periods.get((f"{connection.name}:{name}", mode), ()), moment)
            if own is not None:
                return own
            if connection.provider == "local":
                return FREE
            found = known.table.find(connection.provider, name, connection.base_url)
            return None if found is None else found.card(moment, mode)

        return card

    def bands(self, id: str) -> list[PriceBand] | None:  # noqa: A002
        """Everything the model costs, over all time and in every mode: what the ledger's SQL prices with.

        None for a model whose prices are not known.
        """
        found = self._periods(id)
        return None if found is None else bands(found)

    def history(self, id: str, mode: str = "standard") -> pd.DataFrame:  # noqa: A002
        """Every rate of a model over time: columns effective_from and effective_to (days, None: open), rate, usd, per
        (the unit in words), source, announced (begins later than today), over_tokens (the price of prompts longer than
        that, None: of all others), hours (of the UTC day, None: all of it). Own prices are in it.

        Raises UnknownModel for what is not a model id, InvalidInput for a mode.
        """
        _require_mode(mode)
        return history((self._periods(id) or {}).get(mode, ()))

    def disagreements(self, id: str) -> list[Disagreement]:  # noqa: A002
        """Where another source tells a price that differs by over 5 % from ours of today. Raises UnknownModel."""
        owner, name = split_model_id(id)
        _, connection = self._reach(owner)
        if connection is None or self._own(id, datetime.now(UTC), "standard") is not None:
            return []
        return disagreements(connection.provider, name, self.card(connection, name))

    def set_own(
        self,
        id: str,  # noqa: A002
        rates: Mapping[str, Decimal | str | int],
        effective_from: date | None = None,
        effective_to: date | None = None,
        mode: str = "standard",
        note: str = "",
    ) -> OwnPrice:
        """Set your own price of a model of any provider, from a day on and up to, without, another (UTC).

        `rates` maps a class of usage to US dollars: per million for tokens (input_tokens, cache_read_tokens,
        cache_write_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, input_audio_tokens,
        cache_read_audio_tokens, output_audio_tokens), per hour for audio_seconds, per image for images, per thousand
        for searches and requests. It counts instead of the list's price, and alone: what it lacks is unknown.

        Raises InvalidInput; also where the model already has an own price in that mode on one of these days.
        """
        price = own_prices.checked(id, rates, effective_from, effective_to, mode, note)
        with self._state.write() as connection:
            own_prices.keep(connection, price)
        return price

    def own(self, id: str | None = None) -> list[OwnPrice]:  # noqa: A002
        """Your own prices, of one model or all."""
        found = [price for prices in self._now().own.values() for price in prices]
        return [price for price in found if id in (None, price.model)]

    def remove_own(self, key: str) -> None:
        """Forget an own price, by its `key`. Raises InvalidInput where there is none."""
        with self._state.write() as connection:
            if not own_prices.forget(connection, key):
                raise InvalidInput("That price is not there any more.", "ws.models.prices.own() lists them.")

    @property
    def source(self) -> str:
        """The name of the list in use."""
        return self._now().table.source

    def ready(self) -> None:
        """Have a list in use: in a new home this adopts the installed one, as the first question would."""
        self._now()

    def update(self) -> PriceUpdate | None:
        """The newest list that waits to be accepted, installed or fetched, and what it would change; None without."""
        self._look_at_installed()
        with self._state.read() as connection:
            found = price_store.waiting(price_store.stored(connection))
            if found is None:
                return None
            table = price_store.load(connection, found.digest)
        return PriceUpdate(table.source, found.made_on, found.digest, changes(self._now().table, table))

    def check(self, fetch: bool = False) -> PriceUpdate | None:
        """As `update`; with `fetch`, first get the newest list from genai-prices' own repository. Never done by itself.

        Raises Unreachable, UnreadableAnswer.
        """
        self._now()
        if fetch:
            table = fetched()
            with self._state.write() as connection:
                price_store.keep(connection, table, table.source, accepted=False)
        return self.update()

    def accept(self, digest: str) -> None:
        """Use a list from now on, in every process: one that waits, or one that was in use before.

        Raises InvalidInput where there is none of that digest.
        """
        with self._state.write() as connection:
            if not price_store.accept(connection, digest):
                raise InvalidInput("There is no such price list.", "ws.models.prices.update() tells which one waits.")

    def _own(self, id: str, moment: datetime, mode: str) -> RateCard | None:  # noqa: A002
        return _in_force(self._now().periods.get((id, mode), ()), moment)

    def _periods(self, id: str) -> Mapping[str, tuple[Period, ...]] | None:  # noqa: A002
        """The periods of every mode, own prices in place of what the list says of their days."""
        owner, name = split_model_id(id)
        version, connection = self._reach(owner)
        known = self._now(version)
        listed: Mapping[str, tuple[Period, ...]] | None = None
        if connection is not None and connection.provider == "local":
            listed = {mode: (Period(None, None, FREE),) for mode in MODES}
        elif connection is not None:
            found = known.table.find(connection.provider, name, connection.base_url)
            listed = None if found is None else found.modes
        own = {mode: known.periods[id, mode] for mode in MODES if (id, mode) in known.periods}
        return (
            listed if not own else {mode: with_own((listed or {}).get(mode, ()), own.get(mode, ())) for mode in MODES}
        )

    def _now(self, version: int | None = None) -> _Known:
        version = self._state.version() if version is None else version
        known = self._known
        if known is None or known.version != version:
            with self._lock:
                known = self._known
                if known is None or known.version != version:
                    known = self._known = self._read(version)
        return known

    def _read(self, version: int) -> _Known:
        before = self._known
        with self._state.read() as connection:
            current = price_store.in_use(price_store.stored(connection))
            own = own_prices.kept(connection)
            kept: PriceTable | None = None
            if current is not None:
                is_same = before is not None and before.digest == current.digest
                kept = before.table if before and is_same else price_store.load(connection, current.digest)
        table = kept or self._adopt()
        by_model: dict[tuple[str, str], tuple[OwnPrice, ...]] = {}
        for price in own:
            by_model[price.model, price.mode] = (*by_model.get((price.model, price.mode), ()), price)
        periods = {key: tuple(price.period() for price in prices) for key, prices in by_model.items()}
        return _Known(version, table.digest, table, by_model, periods)

    def _adopt(self) -> PriceTable:
        """The first list of a home: the one that is installed. Where it cannot be kept now, it counts all the same."""
        table = installed()
        with suppress(StoreError), self._state.write() as connection:
            price_store.keep(connection, table, installed_edition(), accepted=True)
        return table

    def _look_at_installed(self) -> None:
        """Keep the installed list, to wait, where it is another than those kept. Compiles it only where it may be."""
        edition = installed_edition()
        self._now()
        if self._looked_at == edition:
            return
        with self._state.read() as connection:
            known = any(each.edition == edition for each in price_store.stored(connection))
        if not known:
            table = installed()
            with self._state.write() as connection:
                price_store.keep(connection, table, edition, accepted=False)
        self._looked_at = edition


def _in_force(periods: tuple[Period, ...], moment: datetime) -> RateCard | None:
    if not periods:
        return None
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return next((period.card for period in periods if period.holds(moment)), None)


def _require_mode(mode: str) -> None:
    if mode not in MODES:
        raise InvalidInput(f"There is no mode {mode!r}.", f"Use one of {', '.join(MODES)}.")
