"""Records for the tests of the read side, and what Python makes of them, as a model to compare SQL with."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from llm_core import Usage, UsageRecord
from llm_core.types import STATUSES, USAGE_FIELDS
from llm_core.usage.merge import Merger

if TYPE_CHECKING:
    import pandas as pd

    from llm_core.usage import UsageService

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SPRING = datetime(2025, 3, 30, 1, tzinfo=UTC)
"""When clocks go forward in Berlin."""

_numbers = itertools.count()


def record(**fields: Any) -> UsageRecord:
    """A record of one call on NOON, unless the fields say otherwise."""
    return UsageRecord(
        **{"provider": "openai", "connection": "openai", "model": "gpt-6-luna", "started_at": NOON, **fields}
    )


def assorted(count: int, seed: int = 7) -> list[UsageRecord]:
    """Calls with and without cost, usage, tags and names, over three weeks around a clock change."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        used = chance.random() < 0.9
        tokens = int(10 ** chance.uniform(0, 5))
        made.append(
            record(
                id=f"id-{number:04d}",
                call_id=f"call-{number - (number % 9 == 1):04d}",
                attempt=1 + (number % 9 == 1),
                started_at=SPRING + timedelta(minutes=chance.randrange(-15_000, 15_000), microseconds=number),
                model=chance.choice(("gpt-6-luna", "gpt-6-sol", "Other", 'it\'s "odd"\n;--')),
                connection=chance.choice(("openai", "work")),
                user=chance.choice((None, "ann", "bo", "Ann Lee")),
                app=chance.choice((None, "", "chat app")),
                project=f"project {int(10 * chance.random() ** 2)}",
                mode=chance.choice(("standard", "batch")),
                status=chance.choice((*STATUSES, "ok", "ok")),
                usage=Usage(input_tokens=tokens, cache_read_tokens=tokens // 3, output_tokens=number % 50)
                if used
                else None,
                cost_usd=Decimal(chance.randrange(10**6)).scaleb(-10) * 1000 if chance.random() < 0.8 else None,
                latency_ms=round(10 ** chance.uniform(0, 5), 2) if chance.random() < 0.9 else None,
                ttft_ms=float(chance.randrange(1, 900)) if used else None,
                tags=chance.choice(({}, {"team": "search"}, {"team": "ads", "it's": "=1"}, {"Team": "search"})),
            )
        )
    return made


def keep(usage: UsageService, records: list[UsageRecord], *, drained: bool = False) -> list[UsageRecord]:
    """Record them. `drained` also merges as the app does: a segment for each example makes every question slow."""
    for row in records:
        usage.record(row)
    if drained:
        usage.flush()
        Merger(usage._home).merge()
    return records


def project() -> str:
    """A name for the records of one test alone."""
    return f"project {next(_numbers)}"


def only(frame: pd.DataFrame) -> Any:
    """The one row of a frame."""
    assert len(frame) == 1
    return frame.iloc[0]


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
        "tokens": sum(usage.input_tokens + usage.output_tokens for usage in used) if used else None,
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
