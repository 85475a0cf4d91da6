"""The budgets that a person made: rows of the state, read again only when the state has changed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...errors import InvalidBudget, UnknownBudget
from .budget import Budget, ByScope, checked

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ...store.state import State

CHANGEABLE = ("name", "scope", "limit", "period", "unit", "tz", "hard", "thresholds", "unpriced")


class Definitions:
    """Safe to share between threads. `state` is asked for at the first question."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state
        self._known: tuple[int, tuple[Budget, ...], ByScope[Budget]] | None = None

    def all(self) -> tuple[Budget, ...]:
        """In the order they were made."""
        return self._now()[1]

    def matching(self, labels: Mapping[str, Any]) -> list[Budget]:
        """Those that count a record with these columns."""
        return self._now()[2].find(labels)

    def get(self, name: str) -> Budget:
        """By name or id. Raises UnknownBudget."""
        found = self.all()
        for budget in found:
            if name in (budget.name, budget.id):
                return budget
        there = ", ".join(budget.name for budget in found)
        raise UnknownBudget(f"There is no budget {name!r}.", f"There are: {there}." if there else "None was made yet.")

    def add(self, fields: Mapping[str, Any]) -> Budget:
        """Raises InvalidBudget."""
        from ...store.tables import budgets

        now = datetime.now(UTC)
        budget = Budget(id=os.urandom(8).hex(), created_at=now, changed_at=now, **checked(fields))
        with self._state().write() as connection:
            _require_free(connection, budget)
            connection.execute(budgets.insert().values(_to_row(budget)))
        return budget

    def change(self, name: str, fields: Mapping[str, Any]) -> Budget:
        """Raises UnknownBudget, InvalidBudget."""
        from ...store.tables import budgets

        before = self.get(name)
        if unknown := sorted(set(fields) - set(CHANGEABLE)):
            raise InvalidBudget(f"A budget has no {', '.join(unknown)}.", f"Change one of {', '.join(CHANGEABLE)}.")
        now = {field: getattr(before, field) for field in CHANGEABLE} | dict(fields)
        budget = dataclasses.replace(before, **checked(now), changed_at=datetime.now(UTC))
        with self._state().write() as connection:
            _require_free(connection, budget)
            changed = connection.execute(
                budgets.update().where(budgets.c.id == budget.id).values(_to_row(budget))
            ).rowcount
        if not changed:
            raise UnknownBudget(f"The budget {name!r} was removed meanwhile.")
        return budget

    def remove(self, name: str) -> None:
        """Raises UnknownBudget."""
        from ...store.tables import budgets

        budget = self.get(name)
        with self._state().write() as connection:
            connection.execute(budgets.delete().where(budgets.c.id == budget.id))

    def _now(self) -> tuple[int, tuple[Budget, ...], ByScope[Budget]]:
        """A look at the state's version where nothing changed: some microseconds."""
        state = self._state()
        version = state.version()
        known = self._known
        if known is None or known[0] != version:
            from sqlalchemy import select

            from ...store.tables import budgets

            with state.read() as connection:
                rows = connection.execute(select(budgets).order_by(budgets.c.created_at, budgets.c.id)).mappings().all()
            found = tuple(map(_from_row, rows))
            known = self._known = version, found, ByScope((budget.meter, budget) for budget in found)
        return known


def _require_free(connection: Connection, budget: Budget) -> None:
    """The name is no other budget's."""
    from sqlalchemy import select

    from ...store.tables import budgets

    taken = select(budgets.c.id).where(budgets.c.name == budget.name, budgets.c.id != budget.id)
    if connection.execute(taken).first() is not None:
        raise InvalidBudget(f"There is a budget {budget.name!r} already.", "Give another name, or change that one.")


def _from_row(row: Mapping[Any, Any]) -> Budget:
    fields = {name: row[name] for name in row if name != "amount"}
    limit = Decimal(row["amount"]) if row["unit"] == "money" else int(row["amount"])
    return Budget(**{**fields, "limit": limit, "thresholds": tuple(row["thresholds"])})


def _to_row(budget: Budget) -> dict[str, Any]:
    names = ("id", "name", "unit", "period", "tz", "hard", "unpriced", "created_at", "changed_at")
    row = {name: getattr(budget, name) for name in names}
    return {
        **row,
        "scope": dict(budget.scope),
        "amount": f"{budget.limit:f}" if isinstance(budget.limit, Decimal) else str(budget.limit),
        "thresholds": list(budget.thresholds),
    }
