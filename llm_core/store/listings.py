"""The models each connection offered when it was last asked: written after a listing, read by the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from ..types import LLMModel
from .tables import listed_models

_KEPT = ("display_name", "context_window", "max_output_tokens", "lifecycle")
_KEPT_SETS = ("capabilities", "modalities")
"""What a provider itself says of a model. Prices come from the catalogue at the moment of reading."""


def keep_listing(connection: Connection, name: str, models: Iterable[LLMModel], at: datetime) -> int:
    """Note what the connection `name` offers at `at`, and that it no longer offers the rest. Returns the count."""
    table = listed_models
    mine = table.c.connection == name
    known = set(connection.scalars(select(table.c.name).where(mine)))
    connection.execute(update(table).where(mine).values(listed=False))
    offered = {model.name: _as_data(model) for model in models}
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
    return len(offered)


def kept_listings(connection: Connection) -> dict[tuple[str, str], dict[str, Any]]:
    """All of them: (connection, model) -> fields of LLMModel; `available` is false where it is no longer offered."""
    table = listed_models
    rows = connection.execute(
        select(table.c.connection, table.c.name, table.c.data, table.c.listed, table.c.last_seen).order_by(
            table.c.connection, table.c.name
        )
    )
    return {
        (row.connection, row.name): _as_fields(row.data) | {"available": row.listed, "checked_at": row.last_seen}
        for row in rows
    }


def _as_data(model: LLMModel) -> dict[str, Any]:
    data = {field: getattr(model, field) for field in _KEPT} | {
        field: sorted(getattr(model, field)) for field in _KEPT_SETS
    }
    if model.retires_at is not None:
        data["retires_at"] = model.retires_at.isoformat()
    return {field: value for field, value in data.items() if value}


def _as_fields(data: dict[str, Any]) -> dict[str, Any]:
    kept = {field: data[field] for field in _KEPT if field in data}
    if "retires_at" in data:
        kept["retires_at"] = datetime.fromisoformat(data["retires_at"])
    return kept | {field: frozenset(data[field]) for field in _KEPT_SETS if field in data}
