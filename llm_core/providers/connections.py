"""The rows of connections in the state: read, saved and changed inside a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ..errors import InvalidConnection
from ..store.listings import keep_listing, note_check
from ..store.tables import connections
from ..types import LLMModel, LLMProvider


def read(transaction: Connection, name: str | None = None) -> Iterator[LLMProvider]:
    """All of them, the oldest first, or the one of that name. Nothing is known of their keys here."""
    query = select(connections).order_by(connections.c.created_at, connections.c.name)
    if name is not None:
        query = query.where(connections.c.name == name)
    for row in transaction.execute(query).mappings():
        fields = {field: row[field] for field in row if field != "created_at"}
        yield LLMProvider(**fields)


def save(transaction: Connection, wanted: LLMProvider) -> None:
    """Insert it, or change the one of that name. Raises InvalidConnection if that one is to another provider."""
    there = next(read(transaction, wanted.name), None)
    if there is not None and there.provider != wanted.provider:
        raise InvalidConnection(
            f"The connection {wanted.name} is to {there.provider}.", "Disconnect it first, or choose another name."
        )
    fields: dict[str, Any] = {
        "base_url": wanted.base_url,
        "options": dict(wanted.options),
        "state": "untested",
        "message": "",
    }
    if there is not None:
        fields["version"] = there.version + 1
        transaction.execute(update(connections).where(connections.c.name == wanted.name).values(fields))
        return
    fixed = {"name": wanted.name, "provider": wanted.provider, "enabled": True, "version": 1}
    transaction.execute(insert(connections).values(fields | fixed | {"created_at": datetime.now(UTC)}))


def change(transaction: Connection, name: str, **values: Any) -> None:
    transaction.execute(update(connections).where(connections.c.name == name).values(values))


def save_test(
    transaction: Connection,
    name: str,
    state: str,
    message: str,
    models: Iterable[LLMModel] | None,
    taken_ms: float | None,
) -> None:
    """Keep what a test found; `models` is None where it brought no list. It counts as a check of the list, too."""
    now = datetime.now(UTC)
    found: dict[str, Any] = {}
    if models is None:
        note_check(transaction, name, now, "" if state == "connected" else message)
    else:
        found["models_found"] = keep_listing(transaction, name, models, now)
    change(transaction, name, state=state, message=message, tested_at=now, test_latency_ms=taken_ms, **found)


def remove(transaction: Connection, name: str) -> None:
    """With its listed models and its place as active model."""
    transaction.execute(delete(connections).where(connections.c.name == name))
