"""Price lists in the state: the one in use, those that were, and those that wait to be accepted."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from sqlalchemy import Connection, insert, select, update

from ..errors import StoreError
from ..store.tables import price_lists
from .price_table import PriceTable


@dataclass(frozen=True, slots=True)
class StoredList:
    """A stored list without its rates. `edition` names what it was compiled from; `made_on` is the day it was found."""

    digest: str
    edition: str
    made_on: date
    found_at: datetime
    accepted_at: datetime | None


def stored(connection: Connection) -> list[StoredList]:
    """All of them, the oldest first."""
    columns = (price_lists.c.digest, price_lists.c.source, price_lists.c.made_on, price_lists.c.found_at)
    rows = connection.execute(select(*columns, price_lists.c.accepted_at).order_by(price_lists.c.found_at))
    return [StoredList(*row) for row in rows]


def in_use(lists: list[StoredList]) -> StoredList | None:
    """The one accepted last."""
    accepted = [each for each in lists if each.accepted_at is not None]
    return max(accepted, key=lambda each: (each.accepted_at, each.digest), default=None)


def waiting(lists: list[StoredList]) -> StoredList | None:
    """The newest that was found after the one in use, and was never accepted."""
    current = in_use(lists)
    newer = [each for each in lists if each.accepted_at is None and (not current or each.found_at > current.found_at)]
    return newer[-1] if newer else None


def keep(connection: Connection, table: PriceTable, edition: str, *, accepted: bool) -> None:
    """Keep a list, if no list with the same rates is kept."""
    now = datetime.now(UTC)
    found = connection.execute(select(price_lists.c.digest).where(price_lists.c.digest == table.digest)).first()
    if found is None:
        connection.execute(
            insert(price_lists).values(
                digest=table.digest,
                source=edition,
                made_on=now.date(),
                found_at=now,
                accepted_at=now if accepted else None,
                data=zlib.compress(table.to_json(), 9),
            )
        )


def accept(connection: Connection, digest: str) -> bool:
    """Use this list from now on. False where there is none of that digest."""
    changed = connection.execute(
        update(price_lists).where(price_lists.c.digest == digest).values(accepted_at=datetime.now(UTC))
    )
    return changed.rowcount > 0


def load(connection: Connection, digest: str) -> PriceTable:
    """Raises StoreError for a list that another version of this program wrote."""
    data = connection.execute(select(price_lists.c.data).where(price_lists.c.digest == digest)).scalar_one()
    return _table(digest, data)


@lru_cache(maxsize=3)
def _table(digest: str, data: bytes) -> PriceTable:
    """Shared by all workspaces of a process: a list never changes."""
    try:
        return PriceTable.from_json(zlib.decompress(data))
    except zlib.error:
        raise StoreError("The stored price list is damaged.", "Put the newest good copy of the state back.") from None
