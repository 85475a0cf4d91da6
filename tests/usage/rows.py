"""Records for the tests of the read side, and what Python makes of them, as a model to compare SQL with."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from llm_core import UsageRecord
from llm_core.types import USAGE_FIELDS

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def record(**fields: Any) -> UsageRecord:
    """A record of one call on NOON, unless the fields say otherwise."""
    return UsageRecord(
        **{"provider": "openai", "connection": "openai", "model": "gpt-6-luna", "started_at": NOON, **fields}
    )


def measures(records: Iterable[UsageRecord]) -> dict[str, Any]:
    """What summary, series and groups must say of these records, latency apart."""
    rows = list(records)
    costs = [row.cost_usd for row in rows if row.cost_usd is not None]
    used = [row.usage for row in rows if row.usage is not None]
    sums = {name: sum(getattr(usage, name) for usage in used) if used else None for name in USAGE_FIELDS}
    return {
        "cost_usd": sum(costs, Decimal(0)) if costs else None,
        "priced": len(costs) / len(rows) if rows else None,
        "unpriced": len(rows) - len(costs),
        "calls": sum(row.attempt == 1 and row.part == 0 for row in rows),
        "attempts": sum(row.part == 0 for row in rows),
        "records": len(rows),
        "errors": sum(row.status in ("error", "partial", "interrupted") for row in rows),
        **sums,
    }


def by(records: Iterable[UsageRecord], key: Callable[[UsageRecord], Hashable]) -> dict[Hashable, dict[str, Any]]:
    """The measures of each group of records."""
    grouped: dict[Hashable, list[UsageRecord]] = {}
    for row in records:
        grouped.setdefault(key(row), []).append(row)
    return {name: measures(rows) for name, rows in grouped.items()}


def at_rank(values: Iterable[float], quantile: float) -> float:
    """The value at this quantile's rank, exactly."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(quantile * len(ordered)) - 1)]


def plain(row: Any) -> dict[str, Any]:
    """A row of a DataFrame as the model writes it: None for every kind of missing value, `priced` to nine decimals."""
    found = {name: None if value is None or value != value else value for name, value in _items(row)}
    return {name: round(value, 9) if isinstance(value, float) else value for name, value in found.items()}


def rounded(expected: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 9) if isinstance(value, float) else value for name, value in expected.items()}


def _items(row: Any) -> Iterable[tuple[str, Any]]:
    import pandas as pd

    for name, value in row.items():
        yield name, None if value is pd.NA or value is pd.NaT else value
