"""The models there are: what connections offer joined with what the price list knows, and the choice made per task."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import delete, insert, select

from ..errors import InvalidInput, NoActiveModel, NotConfigured, UnknownConnection, UnknownModel
from ..providers.protocol import Adapter, Deadline
from ..store.listings import keep_listing, kept_listings
from ..store.state import State
from ..store.tables import active_models
from ..types import MODES, PROVIDERS, TASKS, Cost, LLMModel, LLMProvider, Usage, split_model_id
from . import prices
from .cost import cost_of
from .tasks import can_do

LISTING_SECONDS = 30.0
_FREE_LOCAL = Cost(Decimal(0), {}, "local")


class Connections(Protocol):
    """What this room asks of ProviderService."""

    def get(self, name: str) -> LLMProvider: ...

    def list(self) -> list[LLMProvider]: ...

    def adapter(self, name: str) -> Adapter: ...


@dataclass(frozen=True, slots=True)
class _Known:
    """What the state held at one version: enough to resolve and price a call without asking it again."""

    version: int
    connections: Mapping[str, LLMProvider]
    active: Mapping[str, tuple[str, str]]


Listed = Mapping[tuple[str, str], Mapping[str, Any]]
"""(connection, model) -> fields of LLMModel."""


class ModelService:
    """Lists, prices and chooses models. Safe to share between threads."""

    def __init__(self, state: State, providers: Connections) -> None:
        self._state = state
        self._providers = providers
        self._known: _Known | None = None
        self._listed: tuple[int, Listed] | None = None

    def refresh(self, connection: str) -> list[LLMModel]:
        """Ask the provider what it offers and keep the answer. Raises UnknownConnection, ProviderError, MissingKey."""
        found = self._providers.adapter(connection).list_models(Deadline(LISTING_SECONDS))
        with self._state.write() as transaction:
            keep_listing(transaction, connection, found, datetime.now(UTC))
        return self.list(connection)

    def list(self, connection: str | None = None, task: str | None = None) -> list[LLMModel]:
        """What the connections offered when last asked; of one, or fit for one task, where asked for.

        Raises UnknownConnection, InvalidInput.
        """
        if task is not None:
            _require_task(task)
        known = self._now()
        if connection is not None:
            _require_connection(connection, known)
        models = [
            self._describe(known.connections[owner], name, fields)
            for (owner, name), fields in self._listings().items()
            if fields["available"] and owner in known.connections and connection in (None, owner)
        ]
        return [model for model in models if task is None or can_do(model, task)]

    def get(self, id: str) -> LLMModel:  # noqa: A002  # the name is part of the public surface
        """One model. What is not known of it is None; a provider's name stands in for a connection that does not exist.

        Raises UnknownModel for what is not a model id, UnknownConnection.
        """
        owner, name = split_model_id(id)
        known = self._now()
        connection = known.connections.get(owner) or _provider_alone(owner)
        if connection is None:
            raise _unknown_connection(owner, known)
        return self._describe(connection, name, self._listings().get((owner, name), {}))

    def price(self, id: str, usage: Usage | None, at: datetime | None = None, mode: str = "standard") -> Cost:  # noqa: A002
        """What `usage` costs at the rates of the moment `at` (now where not given); see `cost_of` for what is missing.

        Needs no connection: a provider's name will do. A connection that is gone is no error, only a cost that is not
        known: records are priced late. Raises UnknownModel for what is not a model id, InvalidInput for a mode.
        """
        if mode not in MODES:
            raise InvalidInput(f"There is no mode {mode!r}.", f"Use one of {', '.join(MODES)}.")
        owner, name = split_model_id(id)
        connection = self._now().connections.get(owner) or _provider_alone(owner)
        if connection is None:
            return cost_of(usage, None)
        if connection.provider == "local":
            return _FREE_LOCAL
        card = prices.rates_of(connection.provider, name, connection.base_url, at or datetime.now(UTC), mode)
        return cost_of(usage, card, mode)

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
            owner, name = split_model_id(model) if ":" in model else _no_id(model, self._listings())
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

    def _listings(self) -> Listed:
        version = self._state.version()
        found = self._listed
        if found is None or found[0] != version:
            with self._state.read() as transaction:
                found = self._listed = (version, kept_listings(transaction))
        return found[1]

    def _describe(self, connection: LLMProvider, name: str, fields: Mapping[str, Any]) -> LLMModel:
        """What the provider said counts before what the price list says."""
        facts = prices.facts_of(connection.provider, name, connection.base_url)
        card = prices.rates_of(connection.provider, name, connection.base_url, datetime.now(UTC), "standard")
        joined: dict[str, Any] = {}
        if connection.provider == "local":
            joined |= {"input_price": Decimal(0), "output_price": Decimal(0), "price_source": "local"}
        if facts is not None:
            joined |= {"display_name": facts.name or "", "context_window": facts.context_window}
        if card is not None:
            joined["price_source"] = card.source
            for field, used in (("input_price", "input_tokens"), ("output_price", "output_tokens")):
                if used in card.rates:
                    joined[field] = card.rates[used].usd
        joined |= fields
        return LLMModel(connection=connection.name, provider=connection.provider, name=name, **joined)


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


def _no_id(model: str, listed: Listed) -> tuple[str, str]:
    """Always raises: a bare name is never guessed to be of some connection, but the likely id is told."""
    near = difflib.get_close_matches(model, {name for _, name in listed}, cutoff=0.8)
    ids = [f"{owner}:{name}" for owner, name in listed if name in (near if model not in near else [model])]
    hint = f"Did you mean {' or '.join(ids[:3])}?" if ids else "Write connection:model, as openai:gpt-6-luna."
    raise UnknownModel(f"{model!r} is not a model id.", hint)
