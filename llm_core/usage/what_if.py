"""What records would cost at another time or on another model, beside what they did cost: one SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .filters import GROUPABLE, Condition, known, naive_utc, quoted
from .repricing import PRICED_BY, Bands, priced_sql, rate_rows, rates_sql

if TYPE_CHECKING:
    import pandas as pd

    from .reader import Snapshot

_MONEY = ("repriced_usd", "cost_usd_of_both", "repriced_usd_of_both")
_MEASURES = """
    count(*) FILTER (attempt = 1 AND part = 0) AS calls, count(*) AS records,
    sum(cost_usd)::VARCHAR AS cost_usd, count(cost_usd) / nullif(count(*), 0) AS priced,
    sum(repriced_usd)::VARCHAR AS repriced_usd, count(repriced_usd) / nullif(count(*), 0) AS repriced,
    sum(priced.cost_usd) FILTER (repriced_usd IS NOT NULL)::VARCHAR AS cost_usd_of_both,
    sum(repriced_usd) FILTER (priced.cost_usd IS NOT NULL)::VARCHAR AS repriced_usd_of_both
"""


def repriced(
    snapshot: Snapshot, where: Condition, by: Sequence[str], at: datetime | None, model: str | None, bands: Bands
) -> pd.DataFrame:
    """As `UsageService.reprice`. Raises UnknownColumn, InvalidInput."""
    groups = [known(column, GROUPABLE) for column in by]
    kept = [*groups, "cost_usd", "attempt", "part"]
    matching = f"{snapshot.usage(*where.columns, *PRICED_BY, *kept)} WHERE {where.sql}"
    keys = [] if model else snapshot.rows(f"SELECT DISTINCT connection, provider, model FROM {matching}", where.values)
    rates, values = rates_sql(rate_rows(bands, keys, [model] if model else []))
    if at is not None:
        values["moment"] = naive_utc(at)
    if model is not None:
        values["repriced_on"] = model
    priced = priced_sql(
        f"(SELECT * FROM {matching})",
        kept,
        moment="u.started_at" if at is None else "$moment::TIMESTAMP",
        model=None if model is None else "$repriced_on",
    )
    lead = "".join(f"{quoted(column)}, " for column in groups)
    frame = snapshot.frame(
        f"WITH rates AS MATERIALIZED ({rates}) SELECT {lead} {_MEASURES} FROM ({priced}) AS priced "
        f"{'GROUP BY ALL' if lead else ''} "
        f"ORDER BY sum(priced.cost_usd) DESC NULLS LAST{', ' if lead else ''}{lead[:-2]}",
        {**where.values, **values},
    )
    for name in _MONEY:
        frame[name] = _money(frame[name])
    return frame


def _money(texts: Any) -> Any:
    import pandas as pd

    return pd.Series([None if text is None else Decimal(text) for text in texts], dtype=object)
