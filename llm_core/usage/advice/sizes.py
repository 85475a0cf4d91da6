"""Oversized prompts and answers: a few that are many times as long as the others of their kind."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..filters import Condition
from ..question import Query, Writer, as_found, select, with_steps
from .groups import WORK, filters_of
from .piece import LEAST_CALLS, LEAST_USD, Advice, Ground, cents, key_of, text, whole, work_in_words

if TYPE_CHECKING:
    import pandas as pd

    from ...types import LLMModel

_TAIL = 6
"""The 95th percentile is so many times the median, or more: work of mixed sizes stays below."""
_CUT = 4
"""What is longer than so many times the median is counted as too much."""
_SHARE = Decimal("0.1")
"""Of the work's cost that the excess must be."""


def oversized(ground: Ground) -> Iterator[Advice]:
    for column, noun in (("input_tokens", "prompts"), ("output_tokens", "answers")):
        asked = _tails(ground.where(), column)
        for row in ground.ledger.ask(asked).to_dict("records"):
            if whole(row["calls"]) < LEAST_CALLS or whole(row["p95"]) < _TAIL * whole(row["p50"]):
                continue
            model = ground.model(row["connection"], row["model"])
            saved = _saved(row, model, column) if model is not None else None
            if saved is not None and saved >= max(LEAST_USD, _SHARE * (row["cost_usd"] or 0)):
                yield _advice(ground, row, saved, column, noun)


def _tails(where: Condition, column: str) -> Query[pd.DataFrame]:
    """By kind of work: calls, cost, median and 95th percentile of the column, and the tokens beyond _CUT medians."""
    group = ", ".join(WORK)
    same = " AND ".join(f"long.{name} IS NOT DISTINCT FROM usual.{name}" for name in WORK)

    def write(writer: Writer) -> str:
        usage = writer.usage(
            where,
            *("started_at", *WORK, "cost_usd", "status", "part", "cache_read_tokens"),
            *("input_tokens", "output_tokens"),
        )
        matching = f"{writer.where(where)} AND status = 'ok' AND part = 0 AND {column} > 0"
        usual = select(
            [
                *(*WORK, "count(*) AS calls", f"{writer.money('sum(cost_usd)')} AS cost_usd"),
                f"quantile_disc({column}, 0.5) AS p50",
                f"quantile_disc({column}, 0.95) AS p95",
                "sum(cache_read_tokens) / nullif(sum(input_tokens), 0) AS cached",
            ],
            usage,
            matching,
            group="ALL",
        )
        long = select(
            [
                *(f"usual.{name}" for name in (*WORK, "calls", "cost_usd", "p50", "p95", "cached")),
                f"sum(greatest(long.{column} - {_CUT} * usual.p50, 0))::BIGINT AS excess",
                f"count(*) FILTER (long.{column} > {_CUT} * usual.p50) AS too_long",
            ],
            f"(SELECT {group}, {column} FROM {usage} WHERE {matching}) AS long JOIN usual ON {same}",
            group="ALL",
            order="excess DESC, connection, model, app, task",
        )
        return with_steps([("usual", usual)], long)

    return Query(write, as_found)


def _saved(row: dict[Any, Any], model: LLMModel, column: str) -> Decimal | None:
    """The excess at the model's price, for prompts with their usual share from the cache."""
    if column == "output_tokens":
        price = model.output_price
    else:
        price = model.input_price
        if price is not None and model.cache_read_price is not None:
            price -= Decimal(str(row["cached"] or 0)) * (price - model.cache_read_price)
    return None if price is None else whole(row["excess"]) * price / 10**6


def _advice(ground: Ground, row: dict[Any, Any], saved: Decimal, column: str, noun: str) -> Advice:
    model, app, task = f"{row['connection']}:{row['model']}", text(row["app"]), text(row["task"])
    title = ground.title(model)
    asked = _tails(ground.where(**filters_of(row)), column)
    return Advice(
        kind="sizes",
        key=key_of("sizes", column, model, app, task),
        subject=model,
        title=f"A few very long {noun} of {work_in_words(app, task, title)} cost ${saved:,.2f} a month",
        action="Set max_tokens, or ask for shorter answers."
        if noun == "answers"
        else "Look at the longest prompts in the call history: a document or a history that could be cut is in them.",
        saved_usd=cents(saved),
        basis=f"{title}: half of the {noun} have {whole(row['p50']):,} tokens or fewer, one in twenty "
        f"{whole(row['p95']):,} or more. Saved if the {whole(row['too_long']):,} longer than {_CUT} times the middle "
        "one were that long.",
        evidence=ground.ledger.ask(asked),
        sql=asked.shown(),
    )
