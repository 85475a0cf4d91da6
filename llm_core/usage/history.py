"""The newest records, page by page.

Segments are asked one by one, the one with the newest record first, and the rest is skipped as soon as no older segment
can hold a record of the page. A sort over the whole view takes 4 to 14 times as long and up to 1.5 GB (measured).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ..errors import InvalidInput
from .filters import Condition, known, naive_utc, quoted
from .frames import MONEY
from .reader import Snapshot
from .schema import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_COLUMNS: tuple[str, ...] = tuple(name for name in COLUMNS if name != "raw_usage")
MAX_ROWS = 10_000


class Place(NamedTuple):
    """A record's place in the order of pages."""

    started_at: datetime
    id: str


def history(
    snapshot: Snapshot, where: Condition, *, limit: int, before: Place | None, columns: Sequence[str]
) -> pd.DataFrame:
    """The `limit` newest matching records that come after `before` in this order: newest first, then by id downwards.

    `started_at` is aware, in UTC. Records that arrive between two pages never shift the second one.
    """
    if not 1 <= limit <= MAX_ROWS:
        raise InvalidInput(f"A page of {limit} records is not possible.", f"Ask for 1 to {MAX_ROWS:,}.")
    names = [known(column, tuple(COLUMNS)) for column in columns]
    missing = [name for name in Place._fields if name not in names]
    if before is not None:
        where = _after(where, before)
    page = _newest(snapshot, where, [*names, *missing], limit)
    page["started_at"] = page["started_at"].dt.tz_localize("UTC")
    return page.drop(columns=missing)


def _newest(snapshot: Snapshot, where: Condition, names: Sequence[str], limit: int) -> pd.DataFrame:
    import pandas as pd

    select = ", ".join(f"{quoted(name)}::VARCHAR AS {name}" if name == MONEY else quoted(name) for name in names)
    page: pd.DataFrame | None = None
    for source in sorted(snapshot.sources, key=lambda source: source.newest or datetime.min, reverse=True):
        full = page is not None and len(page) == limit
        oldest = page["started_at"].iloc[-1].to_pydatetime() if full and page is not None else None
        if oldest is not None and source.newest is not None and source.newest < oldest:
            break
        bound = "started_at >= $oldest" if oldest is not None else "true"
        found = snapshot.frame(
            f"""
            SELECT {select} FROM ({source.sql}) WHERE {bound} AND {where.sql}
            ORDER BY started_at DESC, id DESC LIMIT {limit}
            """,
            {**where.values, **({"oldest": oldest} if oldest is not None else {})},
        )
        if page is None or page.empty:
            page = found
        elif not found.empty:
            both = pd.concat([page, found], ignore_index=True)
            page = both.sort_values(["started_at", "id"], ascending=False, ignore_index=True).head(limit)
    assert page is not None  # the tail is always a source
    return page


def _after(where: Condition, before: Place) -> Condition:
    started_at, record = naive_utc(before[0]), str(before[1])
    return Condition(
        f"{where.sql} AND started_at <= $before_at AND (started_at < $before_at OR id < $before_id)",
        {**where.values, "before_at": started_at, "before_id": record},
    )
