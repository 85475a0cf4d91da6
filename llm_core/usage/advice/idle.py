"""Keys that nobody uses: a key that is out in the world and does no work is a risk without a use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..filters import Condition, condition
from ..question import Query, Writer, as_found, select
from .piece import DAYS, Advice, Ground, key_of

if TYPE_CHECKING:
    import pandas as pd


def idle_keys(ground: Ground) -> Iterator[Advice]:
    """Only where it is known since when: from the last call, or from the day the key was stored."""
    with_key = [each for each in ground.around.connections() if each.enabled and each.key_source is not None]
    if not with_key:
        return
    found = ground.ledger.ask(_last_calls(condition(None, ground.now, {"connection": [one.name for one in with_key]})))
    last: dict[str, datetime] = {
        row["connection"]: row["last_at"].to_pydatetime().replace(tzinfo=UTC) for row in found.to_dict("records")
    }
    for each in with_key:
        since = max((at for at in (last.get(each.name), each.key_made_at) if at is not None), default=None)
        if since is None or (ground.now - since).days < DAYS:
            continue
        asked = _last_calls(condition(None, None, {"connection": each.name}))
        at = last.get(each.name)
        used = f"Its last call was on {at.day} {at:%B %Y}." if at else "It was never used."
        yield Advice(
            kind="idle",
            key=key_of("idle", each.name),
            subject=each.name,
            title=f"The key of {ground.title(each.name)} has not been used for {(ground.now - since).days} days",
            action="Disconnect it, and revoke the key at the provider; or keep it, if it is meant to wait.",
            saved_usd=None,
            basis=f"{used} No money: a key that nobody uses can only be lost.",
            evidence=ground.ledger.ask(asked),
            sql=asked.shown(),
        )


def _last_calls(where: Condition) -> Query[pd.DataFrame]:
    def write(writer: Writer) -> str:
        return select(
            ["connection", "count(*) AS records", "max(started_at) AS last_at"],
            writer.usage(where, "started_at", "connection"),
            writer.where(where),
            group="ALL",
            order="connection",
        )

    return Query(write, as_found)
