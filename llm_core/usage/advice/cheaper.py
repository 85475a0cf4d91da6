"""A cheaper model for the same calls: one that can do all that theirs can, at what it would have cost for them.

The nearest in price that saves a quarter is named, since a small step down is the likelier to do as well; the cheaper
ones are in the evidence. Whether quality holds is for a test to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..filters import Condition
from ..percent import percent
from ..question import Query, Showing, Writer, as_found, literal, select
from .piece import LEAST_USD, Advice, Ground, cents, key_of, text, whole

if TYPE_CHECKING:
    import pandas as pd

    from ...types import LLMModel

_GROUPS = ("connection", "model", "task")
_MOST_GROUPS = 5
_MOST_TRIED = 3
_LEAST_SPENT = Decimal(5)
_SAVES = Decimal("0.25")
_A_YEAR = timedelta(days=365)
_ALWAYS_NEEDED = frozenset({"chat", "transcription", "embeddings", "tools", "schema"})
"""Records do not tell whether calls used tools or a schema: where their model can, the other must."""


def cheaper_models(ground: Ground) -> Iterator[Advice]:
    """For the work that costs most."""
    rows = ground.ledger.ask(_work(ground.where())).to_dict("records")
    tried: dict[str, pd.DataFrame] = {}
    for row in rows[:_MOST_GROUPS]:
        cost = row["cost_usd"]
        if cost is None or cost < _LEAST_SPENT:
            break
        model = ground.model(row["connection"], row["model"])
        if model is None or not model.capabilities:
            continue
        compared = (_compared(ground, row, other, tried) for other in _candidates(ground, row, model))
        found = [one for one in compared if one is not None]
        best = next((one for one in found if one["saved_usd"] >= max(LEAST_USD, _SAVES * one["cost_usd"])), None)
        if best is not None:
            yield _advice(ground, row, best, found)


def _work(where: Condition) -> Query[pd.DataFrame]:
    """By connection, model and task: calls, cost, sums of what has a price, and the largest prompt and answer."""
    sums = ("input_tokens", "cache_read_tokens", "output_tokens", "reasoning_tokens", "input_audio_tokens", "images")
    read = (*_GROUPS, "cost_usd", "attempt", "part", *sums)

    def write(writer: Writer) -> str:
        return select(
            [
                *_GROUPS,
                "count(*) FILTER (attempt = 1 AND part = 0) AS calls",
                f"{writer.money('sum(cost_usd)')} AS cost_usd",
                *(f"coalesce(sum({name}), 0)::BIGINT AS {name}" for name in sums),
                "coalesce(max(input_tokens), 0) AS largest_input",
                "coalesce(max(output_tokens), 0) AS largest_output",
            ],
            writer.usage(where, *read),
            writer.where(where),
            group="ALL",
            order="sum(usage.cost_usd) DESC NULLS LAST, connection, model, task",
        )

    return Query(write, as_found)


def _candidates(ground: Ground, row: dict[Any, Any], model: LLMModel) -> list[str]:
    """Ids of models that could do it for less, by their list prices, the dearest first."""
    needed = (model.capabilities & _ALWAYS_NEEDED) | _seen(row)
    task = text(row["task"])
    most = (1 - _SAVES) * row["cost_usd"]
    found = [
        (usd, other.id)
        for other in ground.around.models(task)
        if other.id != model.id
        and other.provider != "local"
        and other.state == "available"
        and needed <= other.capabilities
        and not _is_of_the_past(other, model)
        and whole(other.context_window) >= row["largest_input"] + row["largest_output"]
        and (other.max_output_tokens is None or other.max_output_tokens >= row["largest_output"])
        and (usd := _at_list_price(row, other)) is not None
        and usd <= most
    ]
    return [id for _, id in sorted(found, key=lambda one: (-one[0], one[1]))[:_MOST_TRIED]]  # noqa: A001


def _is_of_the_past(other: LLMModel, model: LLMModel) -> bool:
    """Made more than a year before: it will hardly do as well."""
    if other.released_on is None or model.released_on is None:
        return False
    return model.released_on - other.released_on > _A_YEAR


def _seen(row: dict[Any, Any]) -> frozenset[str]:
    """What the records show that the calls need."""
    used = {"reasoning": "reasoning_tokens", "audio": "input_audio_tokens", "images": "images"}
    return frozenset(word for word, column in used.items() if row[column])


def _at_list_price(row: dict[Any, Any], model: LLMModel) -> Decimal | None:
    """About what the calls would cost: to choose by, before they are priced one by one."""
    if model.input_price is None or model.output_price is None:
        return None
    cached = whole(row["cache_read_tokens"])
    cache_price = model.input_price if model.cache_read_price is None else model.cache_read_price
    fresh = whole(row["input_tokens"]) - cached
    return (fresh * model.input_price + cached * cache_price + whole(row["output_tokens"]) * model.output_price) / 10**6


def _compared(
    ground: Ground,
    row: dict[Any, Any],
    id: str,  # noqa: A002
    tried: dict[str, pd.DataFrame],
) -> dict[str, Any] | None:
    """What the same calls cost and would have cost; None where the other price is not known for all of them."""
    if id not in tried:
        tried[id] = ground.ledger.reprice(ground.start, ground.now, model=id, by=_GROUPS)
    for found in tried[id].to_dict("records"):
        if all(text(found[name]) == text(row[name]) for name in _GROUPS):
            cost, repriced = found["cost_usd_of_both"], found["repriced_usd_of_both"]
            if cost is None or repriced is None or found["repriced"] < found["priced"]:
                return None
            return {"model": id, "cost_usd": cost, "repriced_usd": repriced, "saved_usd": cost - repriced}
    return None


def _advice(ground: Ground, row: dict[Any, Any], best: dict[str, Any], found: Sequence[dict[str, Any]]) -> Advice:
    import pandas as pd

    own, task = f"{row['connection']}:{row['model']}", text(row["task"])
    now, other = ground.title(own), ground.title(best["model"])
    work = f"the {task} calls of {now}" if task else f"the calls of {now}"
    less = percent(1 - best["repriced_usd"] / best["cost_usd"])
    filters = {name: text(row[name]) for name in _GROUPS}
    return Advice(
        kind="cheaper",
        key=key_of("cheaper", own, task, best["model"]),
        subject=own,
        title=f"{other} would do {work} for {less} less (untested)",
        action=f"Test {other} on your own prompts for {task or 'this work'}, then make it active.",
        saved_usd=cents(best["saved_usd"]),
        basis=f"{whole(row['calls']):,} calls of the last 30 days cost ${best['cost_usd']:,.2f}; with as many tokens "
        f"on {other} they would have cost ${best['repriced_usd']:,.2f}.",
        evidence=pd.DataFrame(found),
        sql=_sql(best["model"], ground.where(**filters)),
        untested=True,
    )


def _sql(id: str, where: Condition) -> str:  # noqa: A002
    return select(
        ["count(*) AS records", "sum(cost_usd) AS cost_usd", "sum(repriced_usd) AS repriced_usd"],
        f"usage_priced_on({literal(id)})",
        f"{Showing().where(where)} AND cost_usd IS NOT NULL AND repriced_usd IS NOT NULL",
    )
