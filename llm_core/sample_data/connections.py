"""Writes the sample's connections, their models and what is active for which task, as a workspace keeps them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from ..store.listings import keep_listing, note_check
from ..store.tables import active_models, connections
from ..types import LLMModel
from .work import ACTIVE, CONNECTIONS, DAYS

if TYPE_CHECKING:
    from ..store.state import State


def write_connections(state: State, now: datetime) -> None:
    """Into a new state. Keys are not among it: the sample has none."""
    since = now - timedelta(days=DAYS)
    with state.write() as transaction:
        for place, each in enumerate(CONNECTIONS):
            row: dict[str, Any] = {
                "name": each.name,
                "provider": each.name,
                "base_url": None,
                "options": {},
                "enabled": True,
                "state": each.state,
                "message": each.message,
                "tested_at": now - timedelta(minutes=each.tested_minutes_ago),
                "test_latency_ms": each.latency_ms,
                "models_found": len(each.models),
                "version": 1,
                "created_at": since + timedelta(minutes=place),
            }
            transaction.execute(insert(connections).values(row))
            models = [
                LLMModel(each.name, each.name, name, context_window=each.context_windows.get(name))
                for name in each.models
            ]
            keep_listing(transaction, each.name, models, now)
            if each.state == "error":
                note_check(transaction, each.name, now, each.message)
        for task, (owner, model) in ACTIVE.items():
            chosen = {"task": task, "connection": owner, "model": model, "chosen_at": since}
            transaction.execute(insert(active_models).values(chosen))
