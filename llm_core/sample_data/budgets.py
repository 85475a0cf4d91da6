"""Writes the sample's budgets: one on its way, one near its limit, one used up, one that only watches."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from ..store.tables import budgets
from .work import BUDGETS, DAYS

if TYPE_CHECKING:
    from ..store.state import State


def write_budgets(state: State, now: datetime) -> None:
    """Into a new state."""
    with state.write() as transaction:
        for place, each in enumerate(BUDGETS):
            made_at = now - timedelta(days=DAYS - 1) + timedelta(minutes=place)
            row: dict[str, Any] = {
                "id": f"{place:016x}",
                "name": each.name,
                "scope": each.scope,
                "unit": each.unit,
                "amount": each.limit,
                "period": each.period,
                "tz": "UTC",
                "hard": each.hard,
                "thresholds": list(each.thresholds),
                "unpriced": "allow",
                "created_at": made_at,
                "changed_at": made_at,
            }
            transaction.execute(insert(budgets).values(row))
