"""Models about to be shut down that are still in use, and what their calls would cost on the recommended one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...errors import LLMManagerError
from ...types import split_model_id
from ..queries import groups
from .piece import DAYS, Advice, Ground, key_of, whole

_AHEAD = 90
"""Days."""


def models_that_end(ground: Ground) -> Iterator[Advice]:
    spend = ground.ledger.groups(["connection", "model"], ground.start, ground.now)
    radar = ground.around.radar(spend)
    for row in radar.to_dict("records"):
        if row["days_left"] is None or row["days_left"] > _AHEAD:
            continue
        left = row["days_left"]
        when = "was shut down" if left <= 0 else f"is shut down in {left} day{'' if left == 1 else 's'}"
        connection, model = split_model_id(row["id"])
        asked = groups(ground.where(connection=connection, model=model), "task")
        calls, spent = whole(row["calls_30d"]), row["spend_30d"]
        tasks = f" and is active for {', '.join(row['tasks'])}" if row["tasks"] else ""
        yield Advice(
            kind="ending",
            key=key_of("ending", row["id"]),
            subject=row["id"],
            title=f"{ground.title(row['id'])} {when} ({row['ends_on'].day} {row['ends_on']:%B %Y})",
            action=f"Test {ground.title(row['replacement'])} on your prompts and make it active before."
            if row["replacement"]
            else "Choose another model, test it on your prompts, and make it active before.",
            saved_usd=None,
            basis=f"It took {calls:,} calls in the last {DAYS} days"
            + (f" for ${spent:,.2f}" if spent else "")
            + f"{tasks}. {_instead(ground, row, connection, model)}".rstrip(),
            evidence=ground.ledger.ask(asked),
            sql=asked.shown(),
            untested=bool(row["replacement"]),
        )


def _instead(ground: Ground, row: dict[Any, Any], connection: str, model: str) -> str:
    """What the replacement would have cost, where that is known."""
    if not row["replacement"] or not row["spend_30d"]:
        return ""
    try:
        found = ground.ledger.reprice(ground.start, ground.now, model=row["replacement"], by=("connection", "model"))
    except LLMManagerError:  # its price is not known
        return ""
    title = ground.title(row["replacement"])
    for one in found.to_dict("records"):
        if (one["connection"], one["model"]) == (connection, model) and one["repriced_usd_of_both"] is not None:
            return f"The same calls would have cost ${one['repriced_usd_of_both']:,.2f} on {title}."
    return ""
