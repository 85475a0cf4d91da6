"""The models each connection offered when it was last asked, and what came of asking; written after a listing, read by
the catalogue. Facts of a model are kept as JSON, also those that a person wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ..types import LLMModel
from .tables import connections, listed_models, listing_checks

_PLAIN = (
    "display_name",
    "context_window",
    "max_output_tokens",
    "lifecycle",
    "takes_temperature",
    "knowledge_until",
    "replacement",
    "licence",
)
_SETS = ("capabilities", "modalities", "inputs", "outputs")
_ORDERED = ("reasoning_efforts",)
_DAYS = ("released_on", "deprecated_on")
_MOMENTS = ("retires_at",)
KEPT_FACTS: tuple[str, ...] = (*_PLAIN, *_SETS, *_ORDERED, *_DAYS, *_MOMENTS)
"""What is kept of a model. Prices come from the catalogue at the moment of reading."""


@dataclass(frozen=True, slots=True)
class ListingCheck:
    """When a connection was last asked for its models, and why that failed; empty where it did not."""

    checked_at: datetime
    error: str = ""


def keep_listing(connection: Connection, name: str, models: Iterable[LLMModel], at: datetime) -> int:
    """Note what the connection `name` offers at `at`, and that it no longer offers the rest. Returns the count.

    Nothing is noted of a connection that is gone.
    """
    if not _is_there(connection, name):
        return 0
    table = listed_models
    mine = table.c.connection == name
    known = set(connection.scalars(select(table.c.name).where(mine)))
    connection.execute(update(table).where(mine).values(listed=False))
    offered = {model.name: facts_as_data({fact: getattr(model, fact) for fact in KEPT_FACTS}) for model in models}
    for model, data in offered.items():
        if model in known:
            change = {"data": data, "last_seen": at, "listed": True}
            connection.execute(update(table).where(mine, table.c.name == model).values(change))
    new = [
        {"connection": name, "name": model, "data": data, "first_seen": at, "last_seen": at, "listed": True}
        for model, data in offered.items()
        if model not in known
    ]
    if new:
        connection.execute(insert(table), new)
    note_check(connection, name, at)
    return len(offered)


def note_check(connection: Connection, name: str, at: datetime, error: str = "") -> None:
    """Note that the connection was asked for its models, and why in vain. What it offered before stays.

    Nothing is noted of a connection that is gone.
    """
    table = listing_checks
    connection.execute(delete(table).where(table.c.connection == name))
    if _is_there(connection, name):
        connection.execute(insert(table).values(connection=name, checked_at=at, error=error))


def _is_there(connection: Connection, name: str) -> bool:
    return connection.scalar(select(connections.c.name).where(connections.c.name == name)) is not None


def kept_checks(connection: Connection) -> dict[str, ListingCheck]:
    """The last check of each connection that was ever asked."""
    rows = connection.execute(select(listing_checks.c.connection, listing_checks.c.checked_at, listing_checks.c.error))
    return {row.connection: ListingCheck(row.checked_at, row.error) for row in rows}


def kept_listings(connection: Connection, of: str | None = None) -> dict[str, dict[str, dict[str, Any]]]:
    """Connection -> model -> fields of LLMModel, of all connections or of one.

    `available` is false where the model is no longer offered; `checked_at` is when the list last named it.
    """
    table = listed_models
    query = select(table.c.connection, table.c.name, table.c.data, table.c.listed, table.c.last_seen)
    if of is not None:
        query = query.where(table.c.connection == of)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in connection.execute(query.order_by(table.c.connection, table.c.name)):
        told = facts_of_data(row.data) | {"available": row.listed, "checked_at": row.last_seen}
        found.setdefault(row.connection, {})[row.name] = told
    return found


def kept_entry(connection: Connection, name: str, model: str) -> dict[str, Any] | None:
    """The same of one model of the connection `name`; None where its list never named it."""
    table = listed_models
    query = select(table.c.data, table.c.listed, table.c.last_seen)
    row = connection.execute(query.where(table.c.connection == name, table.c.name == model)).one_or_none()
    return row and facts_of_data(row.data) | {"available": row.listed, "checked_at": row.last_seen}


def has_listing(connection: Connection, name: str) -> bool:
    """Whether the connection `name` ever listed a model."""
    query = select(listed_models.c.name).where(listed_models.c.connection == name).limit(1)
    return connection.scalar(query) is not None


def facts_as_data(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a model as JSON can hold them, without those that are not known."""
    data: dict[str, Any] = {}
    for fact, value in facts.items():
        if value is None or value == "" or (fact in (*_SETS, *_ORDERED) and not value):
            continue
        if fact in _SETS:
            value = sorted(value)
        elif fact in _ORDERED:
            value = list(value)
        elif fact in (*_DAYS, *_MOMENTS):
            value = value.isoformat()
        data[fact] = value
    return data


def facts_of_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The way back. What a newer version kept beside is left out."""
    facts: dict[str, Any] = {fact: data[fact] for fact in _PLAIN if fact in data}
    for fact in _SETS:
        if fact in data:
            facts[fact] = frozenset(data[fact])
    for fact in _ORDERED:
        if fact in data:
            facts[fact] = tuple(data[fact])
    for fact in _DAYS:
        if fact in data:
            facts[fact] = date.fromisoformat(data[fact])
    for fact in _MOMENTS:
        if fact in data:
            facts[fact] = datetime.fromisoformat(data[fact])
    return facts
