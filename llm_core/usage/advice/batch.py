"""Batch where nobody waits: calls without streaming, at night or by jobs, of a model with a lower batch price."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ...types import Usage
from ..percent import percent
from .groups import evidence, habits, mean
from .piece import LEAST_CALLS, LEAST_USD, Advice, Ground, cents, key_of, text, whole, work_in_words

_MOSTLY = 0.7
"""Share of calls off hours, or by jobs, from which nobody is taken to wait."""
_MACHINE_TASKS = ("judge",)


def batch_where_nobody_waits(ground: Ground) -> Iterator[Advice]:
    for row in ground.ledger.ask(habits(ground.where(), ground.tz)).to_dict("records"):
        why = _why(row)
        saved = _saved(ground, row) if why else None
        if saved is not None and saved >= LEAST_USD:
            yield _advice(ground, row, saved, why)


def _why(row: dict[Any, Any]) -> str:
    """Why nobody seems to wait for the answers; empty where somebody may."""
    calls = whole(row["calls"])
    if calls < LEAST_CALLS or whole(row["streamed"]):
        return ""
    if whole(row["off_hours"]) >= _MOSTLY * calls:
        return f"{percent(whole(row['off_hours']) / calls)} of them at night or on weekends"
    if whole(row["jobs"]) >= _MOSTLY * calls:
        return "made by jobs"
    return "answers that are judged by a program" if text(row["task"]) in _MACHINE_TASKS else ""


def _saved(ground: Ground, row: dict[Any, Any]) -> Decimal | None:
    """The share by which batch is cheaper for the average call, of what the calls cost."""
    model, cost = f"{row['connection']}:{row['model']}", row["cost_usd"]
    average = Usage(
        input_tokens=mean(row, "input_tokens"),
        cache_read_tokens=min(mean(row, "cache_read_tokens"), mean(row, "input_tokens")),
        output_tokens=mean(row, "output_tokens"),
    )
    now, batched = ground.usd(model, average), ground.usd(model, average, "batch")
    if cost is None or not now or batched is None or batched >= now:
        return None
    return Decimal(cost * (1 - batched / now))


def _advice(ground: Ground, row: dict[Any, Any], saved: Decimal, why: str) -> Advice:
    model, app, task = f"{row['connection']}:{row['model']}", text(row["app"]), text(row["task"])
    title = ground.title(model)
    figures, sql = evidence(ground, row)
    return Advice(
        kind="batch",
        key=key_of("batch", model, app, task),
        subject=model,
        title=f"Batches would make {work_in_words(app, task, title)} ${saved:,.2f} a month cheaper",
        action="Send them through the provider's batch API: the same answers, within a day.",
        saved_usd=cents(saved),
        basis=f"{whole(row['calls']):,} calls of {title} that nobody seems to wait for (not streamed, {why}) cost "
        f"${row['cost_usd']:,.2f} in the last 30 days; in batch they would have cost ${row['cost_usd'] - saved:,.2f}.",
        evidence=figures,
        sql=sql,
    )
