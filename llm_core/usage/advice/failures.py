"""Failures that were paid for: attempts that ended in an error or broke off, and cost money all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..filters import Condition
from ..question import Query, Writer, as_found, select
from .piece import LEAST_USD, Advice, Ground, cents, key_of, whole

if TYPE_CHECKING:
    import pandas as pd


def failures_paid_for(ground: Ground) -> Iterator[Advice]:
    for row in ground.ledger.ask(_paid(ground.where(), ())).to_dict("records"):
        if row["cost_usd"] is None or row["cost_usd"] < LEAST_USD:
            continue
        model = f"{row['connection']}:{row['model']}"
        asked = _paid(ground.where(connection=row["connection"], model=row["model"]), ("app", "status", "error_kind"))
        figures = ground.ledger.ask(asked)
        kind = figures["error_kind"].iloc[0]
        mostly = kind.replace("_", " ") if isinstance(kind, str) else "of unknown cause"
        yield Advice(
            kind="failures",
            key=key_of("failures", model),
            subject=model,
            title=f"Answers of {ground.title(model)} that failed cost ${row['cost_usd']:,.2f} a month",
            action="Raise call.timeout where answers are cut off, ask for shorter ones, or stream them.",
            saved_usd=cents(row["cost_usd"]),
            basis=f"{whole(row['records']):,} attempts of the last 30 days were billed and brought no whole answer "
            f"(mostly {mostly}).",
            evidence=figures,
            sql=asked.shown(),
        )


def _paid(where: Condition, further: tuple[str, ...]) -> Query[pd.DataFrame]:
    names = ("connection", "model", *further)

    def write(writer: Writer) -> str:
        return select(
            [*names, "count(*) AS records", f"{writer.money('sum(cost_usd)')} AS cost_usd"],
            writer.usage(where, *names, "status", "cost_usd"),
            f"{writer.where(where)} AND status IN ('error', 'partial', 'interrupted') AND cost_usd > 0",
            group="ALL",
            order=f"sum(usage.cost_usd) DESC, {', '.join(names)}",
        )

    return Query(write, as_found)
