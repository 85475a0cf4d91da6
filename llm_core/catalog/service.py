"""The models there are: what connections offer joined with what the price list knows, and the choice made per task."""

from __future__ import annotations

import builtins
import contextlib
import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from ..errors import InvalidInput, NoActiveModel, NotConfigured, UnknownConnection, UnknownModel
from ..store.home import Home
from ..store.listings import ListingCheck
from ..store.state import State
from ..store.tables import active_models
from ..types import PROVIDERS, TASKS, Cost, LLMModel, LLMProvider, Usage, split_model_id
from . import comparison
from .facts import all_known
from .facts import facts as facts_of
from .join import Reach
from .needs import Lack, lacks
from .own import checked_facts, checked_name, forget_own, keep_own, kept_own
from .price_lists import Prices
from .refresh import Connections, Outcome, Progress, Refresher
from .table import Joined, ModelTable
from .tasks import can_do
from .titles import by_title, title
from .workload import TYPICAL, Workload, monthly_cost

if TYPE_CHECKING:
    import pandas as pd

    from ..settings import SettingsService

_GONE = frozenset({"not_on_key", "shut_down"})
"""States in which a model is not worth offering for a task."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the state held at one version: enough to resolve and price a call without asking it again."""

    version: int
    connections: Mapping[str, LLMProvider]
    active: Mapping[str, tuple[str, str]]


class ModelService:
    """Lists, prices, compares and chooses models; `prices` holds their rates. Safe to share between threads."""

    _PRICES: type[Prices] = Prices

    def __init__(self, state: State, providers: Connections, settings: SettingsService, home: Home) -> None:
        self._state = state
        self._providers = providers
        self._known: _Known | None = None
        self.prices = self._PRICES(state, self._reached_at)
        self._refresher = Refresher(state, providers, settings, home)
        self._table = ModelTable(state, lambda: self._now().connections, facts_of, self.prices.cards)

    def refresh(self, connection: str) -> builtins.list[LLMModel]:
        """Ask the provider what it offers and keep the answer. Raises UnknownConnection, ProviderError, MissingKey.

        What was known stays when that fails, and its models count as unreachable until it is asked again.
        """
        self._refresher.one(connection)
        return self.list(connection)

    def refresh_all(self, progress: Progress | None = None) -> dict[str, Outcome]:
        """Ask every connection that is switched on, eight at once and for a minute in all.

        Connection -> how many models it offers, or the error, which is never raised. `progress(done, of, connection)`
        is called on this thread.
        """
        return self._refresher.all(progress)

    def keep_checking(self) -> None:
        """From now on ask each connection again, on a thread of ours, once its list is `models.check_hours` old.

        Call it as often as you like. One process of a home asks at a time; `close` ends it.
        """
        self._refresher.keep_checking()

    def checks(self) -> dict[str, ListingCheck]:
        """When each connection was last asked for its models, and why in vain, where it was."""
        return self._refresher.checks()

    def close(self) -> None:
        """End the background checks."""
        self._refresher.close()

    def list(self, connection: str | None = None, task: str | None = None) -> list[LLMModel]:
        """What connections offered when last asked, what they offered before, and what a person added; `state` tells
        them apart. Of one connection, or for one task, where asked for: then without those that are gone.

        Raises UnknownConnection, InvalidInput.
        """
        if task is not None:
            _require_task(task)
        if connection is not None:
            _require_connection(connection, self._now())
        table = self._table.all()
        asked = (connection, task)
        if asked not in table.derived:
            table.derived[asked] = tuple(
                model
                for model in table.models.values()
                if connection in (None, model.connection)
                and (task is None or (model.state not in _GONE and can_do(model, task)))
            )
        return list(table.derived[asked])

    def known(self, provider: str | None = None) -> builtins.list[LLMModel]:
        """Every model there is: the listed ones, and all that the catalogue knows of the provider, or of all of them.

        One that no connection offers is told of the oldest connection to its provider, else of the provider's name.
        Raises InvalidInput.
        """
        if provider is not None and provider not in PROVIDERS:
            raise InvalidInput(f"There is no provider {provider!r}.", f"Use one of {', '.join(PROVIDERS)}.")
        table = self._table.all()
        if "known" not in table.derived:
            table.derived["known"] = (*table.models.values(), *self._table.outside(self._beside(table)))
        return [model for model in table.derived["known"] if provider in (None, model.provider)]

    def get(self, id: str) -> LLMModel:  # noqa: A002  # the name is part of the public surface
        """One model. What is not known of it is None; a provider's name stands in for a connection that does not exist.

        Raises UnknownModel for what is not a model id, UnknownConnection.
        """
        owner, name = split_model_id(id)
        known = self._now()
        connection = known.connections.get(owner) or _provider_alone(owner)
        if connection is None:
            raise _unknown_connection(owner, known)
        return self._table.one(connection, name)

    def title(self, id: str) -> str:  # noqa: A002
        """What to call a model in a text: its published name, with the id where another model here has the same.

        The id alone where no name is known, or no connection.
        """
        try:
            model = self.get(id)
        except NotConfigured:
            return id
        table = self._table.all()
        if "by title" not in table.derived:
            table.derived["by title"] = by_title(table.models.values())
        return title(model, table.derived["by title"].get(model.display_name, ()))

    def add_own(self, connection: str, name: str, **facts: Any) -> LLMModel:
        """Add a model that the connection's list does not name, with what you know of it: the fields in OWN_FACTS.

        Raises UnknownConnection, InvalidInput; also where the connection already has a model of that name.
        """
        known = _require_connection(connection, self._now())
        checked_name(name)
        told = checked_facts(facts)
        if f"{connection}:{name}" in self._table.all().models:
            raise InvalidInput(f"{connection} already has {name}.", "Change what is known of it with edit_own.")
        with self._state.write() as transaction:
            keep_own(transaction, (connection, name), told)
        return self._table.one(known, name)

    def edit_own(self, id: str, **facts: Any) -> LLMModel:  # noqa: A002
        """Say what you know better of a model, listed or your own. None takes a fact back; what is not given stays.

        What you say counts before the provider's list and the catalogue. Raises UnknownModel, UnknownConnection,
        InvalidInput.
        """
        owner, name = split_model_id(id)
        connection = _require_connection(owner, self._now())
        told, key = checked_facts(facts), (owner, checked_name(name))
        if id not in self._table.all().models:
            raise UnknownModel(f"{owner} has no model {name!r}.", "Add it with add_own.")
        with self._state.write() as transaction:
            before = kept_own(transaction, key).get(key)
            keep_own(transaction, key, {**(before.facts if before else {}), **told})
        return self._table.one(connection, name)

    def remove_own(self, id: str) -> None:  # noqa: A002
        """Forget what you said of a model; one that no list names is gone then. Raises UnknownModel."""
        key = split_model_id(id)
        with self._state.write() as transaction:
            if not forget_own(transaction, key):
                raise UnknownModel(f"Nothing of your own is known of {id}.", "Only what you added can be removed.")

    def compare(self, ids: Sequence[str]) -> pd.DataFrame:
        """Two to four models side by side. Index: (group, fact) in the order of reading. A column for each id; values
        are plain Python, None is unknown. The column `differs` tells whether two known values are not the same.

        Raises InvalidInput, UnknownModel, UnknownConnection.
        """
        return comparison.compare([self.get(one) for one in ids])

    def suggest(
        self,
        task: str,
        *,
        needs: Collection[str] = frozenset(),
        min_context: int | None = None,
        max_price: Decimal | float | None = None,
        limit: int = 5,
    ) -> pd.DataFrame:
        """Available models that can do the task and are known to have what is needed, the cheapest first.

        The price is that of a thousand typical calls of the task (TYPICAL in `workload.py`), column
        `usd_per_1k_calls`; `max_price` is its limit. A model whose price is not known comes last, and is left out where
        there is a limit. `why` says in a sentence what speaks for each. Raises InvalidInput.
        """
        models = self.list(task=task)
        return comparison.suggest(
            task,
            self.workload_costs(TYPICAL[task], [model.id for model in models]),
            models,
            needs=needs,
            min_context=min_context,
            max_price=max_price,
            limit=limit,
        )

    def lacks(self, task: str, id: str) -> builtins.list[Lack]:  # noqa: A002
        """What stands against making the model active for the task, the worst first; `activate` permits it anyway.

        Raises InvalidInput, UnknownModel, UnknownConnection.
        """
        _require_task(task)
        model = self.get(id)
        connection = self._now().connections.get(model.connection)
        check = self.checks().get(model.connection) if model.state == "unreachable" else None
        return lacks(task, model, connection, check)

    def workload_cost(self, id: str, workload: Workload) -> Cost:  # noqa: A002
        """What a month of the workload costs on the model at today's rates; None and `missing` where a rate is unknown.

        Raises UnknownModel for what is not a model id.
        """
        return self.workload_costs(workload, [id])[id]

    def workload_costs(self, workload: Workload, ids: Iterable[str] | None = None) -> dict[str, Cost]:
        """The same for many models, all that `list` gives where none are named. Raises UnknownModel."""
        cards, costs = self.prices.cards(mode=workload.mode), {}
        for id in self._table.all().models if ids is None else ids:  # noqa: A001
            owner, name = split_model_id(id)
            connection = self._reached(owner)
            card = None if connection is None else cards(connection, name)
            costs[id] = monthly_cost(workload, "" if connection is None else connection.provider, card)
        return costs

    def radar(self, spend: pd.DataFrame | None = None) -> pd.DataFrame:
        """Models in use that have ended or will within a year, the soonest first; last the deprecated without a date.

        In use: active for a task, or in `spend`, whose columns connection, model, cost_usd (US dollars) and calls are
        those of the last 30 days. Columns: id, state, ends_on, days_left, spend_30d (None: not priced), calls_30d,
        replacement (an id at the same connection, or None), tasks (those it is active for).
        """
        spent = comparison.spent_by_id(spend)
        active: dict[str, list[str]] = {}
        for task, (owner, name) in self._now().active.items():
            active.setdefault(f"{owner}:{name}", []).append(task)
        models = {}
        for id in dict.fromkeys([*active, *spent]):  # noqa: A001
            with contextlib.suppress(NotConfigured):  # a connection that is gone
                models[id] = self.get(id)
        return comparison.radar(models, spent, active, datetime.now(UTC))

    def price(self, id: str, usage: Usage | None, at: datetime | None = None, mode: str = "standard") -> Cost:  # noqa: A002
        """What `usage` costs at the rates of the moment `at` (now where not given); see `cost_of` for what is missing.

        Needs no connection: a provider's name will do. A connection that is gone is no error, only a cost that is not
        known: records are priced late. Raises UnknownModel for what is not a model id, InvalidInput for a mode.
        """
        return self.prices.cost(id, usage, at, mode)

    def activate(self, task: str, id: str | None) -> None:  # noqa: A002
        """Make `id` the model that calls for `task` use when they name none; None leaves the task without one.

        The model need not be among the listed ones. Raises InvalidInput, UnknownModel, UnknownConnection.
        """
        _require_task(task)
        chosen = None
        if id is not None:
            owner, name = split_model_id(id)
            _require_connection(owner, self._now())
            chosen = {"task": task, "connection": owner, "model": name, "chosen_at": datetime.now(UTC)}
        with self._state.write() as transaction:
            transaction.execute(delete(active_models).where(active_models.c.task == task))
            if chosen:
                transaction.execute(insert(active_models), chosen)

    def active(self, task: str) -> str | None:
        """The id of the task's model, or None. Raises InvalidInput."""
        _require_task(task)
        chosen = self._now().active.get(task)
        return ":".join(chosen) if chosen else None

    def resolve(self, model: str | None, task: str) -> tuple[LLMProvider, str]:
        """The connection and the provider's own name of `model`, or of the active one for `task`.

        Raises NoActiveModel, UnknownModel, UnknownConnection, NotConfigured for a connection that is switched off.
        """
        known = self._now()
        if model is not None:
            owner, name = split_model_id(model) if ":" in model else _no_id(model, self._table.all().models.values())
        elif task in known.active:
            owner, name = known.active[task]
        else:
            raise NoActiveModel(
                f"No model is active for {task}.",
                f'Choose one on the Models page, call ws.models.activate("{task}", id), or name one with model=.',
            )
        connection = _require_connection(owner, known)
        if not connection.enabled:
            raise NotConfigured(f"The connection {owner} is switched off.", "Switch it on, on the Providers page.")
        return connection, name

    def _now(self) -> _Known:
        version = self._state.version()
        known = self._known
        if known is None or known.version != version:
            known = self._known = self._read(version)
        return known

    def _read(self, version: int) -> _Known:
        connections = {connection.name: connection for connection in self._providers.list()}
        with self._state.read() as transaction:
            rows = transaction.execute(
                select(active_models.c.task, active_models.c.connection, active_models.c.model)
            ).all()
        return _Known(version, connections, {row.task: (row.connection, row.model) for row in rows})

    def _reached(self, owner: str) -> LLMProvider | None:
        return self._reached_at(owner)[1]

    def _reached_at(self, owner: str) -> tuple[int, LLMProvider | None]:
        known = self._now()
        return known.version, known.connections.get(owner) or _provider_alone(owner)

    def _beside(self, table: Joined) -> Iterator[tuple[Reach, str]]:
        """What the catalogue knows and no connection lists."""
        for provider in PROVIDERS:
            reaches = [reach for reach in table.reaches.values() if reach.connection.provider == provider]
            reach = reaches[0] if reaches else Reach(LLMProvider(name=provider, provider=provider))
            there = {model.name for model in table.models.values() if model.provider == provider}
            for name in all_known(provider):
                if name not in there:
                    yield reach, name


@lru_cache(maxsize=256)
def _provider_alone(name: str) -> LLMProvider | None:
    return LLMProvider(name=name, provider=name) if name in PROVIDERS else None


def _require_task(task: str) -> None:
    if task not in TASKS:
        raise InvalidInput(f"There is no task {task!r}.", f"Use one of {', '.join(TASKS)}.")


def _require_connection(name: str, known: _Known) -> LLMProvider:
    found = known.connections.get(name)
    if found is None:
        raise _unknown_connection(name, known)
    return found


def _unknown_connection(name: str, known: _Known) -> UnknownConnection:
    there = ", ".join(known.connections)
    return UnknownConnection(
        f"There is no connection {name!r}.",
        f"There are {there}."
        if there
        else "Connect a provider first, on the Providers page or with ws.providers.connect.",
    )


def _no_id(model: str, listed: Collection[LLMModel]) -> tuple[str, str]:
    """Always raises: a bare name is never guessed to be of some connection, but the likely id is told."""
    near = difflib.get_close_matches(model, {one.name for one in listed}, cutoff=0.8)
    ids = [one.id for one in listed if one.name in (near if model not in near else [model])]
    hint = f"Did you mean {' or '.join(ids[:3])}?" if ids else "Write connection:model, as openai:gpt-6-luna."
    raise UnknownModel(f"{model!r} is not a model id.", hint)
