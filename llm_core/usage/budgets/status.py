"""How budgets stand, as a DataFrame for pages and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .budget import Budget, in_words_scope
from .transaction import Count, Hold, Transaction

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("id", "name", "scope", "unit", "period", "tz", "hard", "limit", "spent", "held", "in_flight", "left", "used"),
    *("threshold", "projection", "priced", "starts_at", "resets_at"),
)
_EARLY = 0.05
"""Share of a period before which its pace says nothing."""


def status_frame(budgets: Sequence[Budget], transaction: Transaction) -> pd.DataFrame:
    """Columns as in COLUMNS; see `Budgets.status`."""
    open_holds = [hold for hold in transaction.holds() if hold.state != "settled"]
    return as_frame([_row(budget, transaction.count(budget.meter), open_holds, transaction.at) for budget in budgets])


def as_frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _row(budget: Budget, count: Count | None, open_holds: Sequence[Hold], now: datetime) -> dict[str, Any]:
    span = budget.meter.span(now)
    if count is None:  # made a moment ago: nothing is counted yet
        count = Count(budget.meter, span, 0)
    taken = count.spent + count.held
    in_flight = sum(hold.amounts.of(budget.unit) for hold in open_holds if count.covers(hold))
    used = taken / budget.most if budget.most else float(taken > 0)
    return {
        "id": budget.id,
        "name": budget.name,
        "scope": in_words_scope(budget.scope),
        "unit": budget.unit,
        "period": budget.period,
        "tz": budget.tz,
        "hard": budget.hard,
        "limit": budget.limit,
        "spent": budget.told(count.spent),
        "held": budget.told(count.held),
        "in_flight": budget.told(in_flight),
        "left": budget.told(max(0, budget.most - taken)),
        "used": used,
        "threshold": max((share for share in budget.thresholds if used >= share), default=None),
        "projection": _projection(budget, taken, now),
        "priced": count.priced / count.records if count.records else None,
        "starts_at": span.start,
        "resets_at": span.end,
    }


def _projection(budget: Budget, taken: int, now: datetime) -> Any:
    span = budget.meter.span(now)
    if span.start is None or span.end is None:
        return None
    share = (now - span.start) / (span.end - span.start)
    return budget.told(round(taken / share)) if share >= _EARLY else None
