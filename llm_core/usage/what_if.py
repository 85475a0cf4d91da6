"""What records would cost at another time or on another model, beside what they did cost: one SELECT.

Shown, it reads FROM one of the functions that price in typed SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .filters import Condition, quoted
from .question import Showing, literal, select
from .repricing import PRICED_BY, Bands, priced_sql, rate_rows, rates_sql

if TYPE_CHECKING:
    import pandas as pd

    from .reader import Snapshot

_ALONE = ("cost_usd", "attempt", "part")
_NEW_MONEY = ("repriced_usd", "cost_usd_of_both", "repriced_usd_of_both")


@dataclass(frozen=True, slots=True)
class Repriced:
    """As `UsageService.reprice`. `by` are columns of the view, `at` is UTC without a zone."""

    where: Condition
    by: tuple[str, ...]
    at: datetime | None
    model: str | None
    bands: Bands

    def run(self, snapshot: Snapshot) -> pd.DataFrame:
        where, values = self.where, dict(self.where.values)
        columns = (*where.columns, *PRICED_BY, *self.by, *_ALONE)
        matching = f"{snapshot.usage(*columns, start=where.start, end=where.end)} WHERE {where.sql}"
        keys = (
            []
            if self.model
            else snapshot.rows(f"SELECT DISTINCT connection, provider, model FROM {matching}", where.values)
        )
        rates, of_rates = rates_sql(rate_rows(self.bands, keys, [self.model] if self.model else []))
        values |= of_rates
        if self.at is not None:
            values["moment"] = self.at
        if self.model is not None:
            values["repriced_on"] = self.model
        priced = priced_sql(
            f"(SELECT * FROM {matching})",
            [*self.by, *_ALONE],
            moment="u.started_at" if self.at is None else "$moment::TIMESTAMP",
            model=None if self.model is None else "$repriced_on",
        )
        told = self._told(f"({priced}) AS usage", money=lambda sql: f"{sql}::VARCHAR")
        frame = snapshot.frame(f"WITH rates AS MATERIALIZED ({rates})\n{told}", values)
        for name in _NEW_MONEY:
            frame[name] = _money(frame[name])
        return frame

    def shown(self) -> str:
        asked = ", ".join(literal(value) for value in (self.model, self.at) if value is not None)
        name = "usage_priced_on" if self.model is not None else "usage_priced" if self.at is None else "usage_priced_at"
        return self._told(f"{name}({asked}) AS usage", Showing().where(self.where))

    def _told(self, priced: str, where: str = "true", *, money: Callable[[str], str] = str) -> str:
        lead = [quoted(name) for name in self.by]
        items = [
            *lead,
            "count(*) FILTER (attempt = 1 AND part = 0) AS calls",
            "count(*) AS records",
            f"{money('sum(usage.cost_usd)')} AS cost_usd",
            "count(usage.cost_usd) / nullif(count(*), 0) AS priced",
            f"{money('sum(usage.repriced_usd)')} AS repriced_usd",
            "count(usage.repriced_usd) / nullif(count(*), 0) AS repriced",
            f"{money('sum(usage.cost_usd) FILTER (usage.repriced_usd IS NOT NULL)')} AS cost_usd_of_both",
            f"{money('sum(usage.repriced_usd) FILTER (usage.cost_usd IS NOT NULL)')} AS repriced_usd_of_both",
        ]
        order = ", ".join(("sum(usage.cost_usd) DESC NULLS LAST", *lead))
        return select(items, priced, where, group="ALL" if lead else "", order=order)


def _money(texts: Any) -> Any:
    import pandas as pd

    return pd.Series([None if text is None else Decimal(text) for text in texts], dtype=object)
