"""The database's failures, told as this package's errors. The original is never chained: it can hold bound values."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from ..errors import StateBusy, StateDamaged, StoreError
from .home import Home

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNUSABLE = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "reading or writing it failed",
    sqlite3.SQLITE_READONLY: "it cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "access is denied",
}


@contextmanager
def told_plainly(home: Home) -> Iterator[None]:
    """Raises StateBusy, StateDamaged or StoreError for a failure of the file; any other error passes as it is."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        ours = _as_ours(error.orig if isinstance(error, DBAPIError) else error, home)
        if ours is None:
            raise
        raise ours from None


def damaged(home: Home, what: str) -> StateDamaged:
    return StateDamaged(
        f"The state file {home.state} {what}. It was left as it is.",
        f"Put the newest good copy from {home.backups} in its place, or move the file away to start anew.",
    )


def busy(home: Home) -> StateBusy:
    return StateBusy(
        f"The state file {home.state} is held by another program.", "Try again; if it stays so, close that program."
    )


def _as_ours(error: BaseException | None, home: Home) -> StoreError | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF  # the rest of the number is SQLite's finer reason
    if primary in _DAMAGED:
        return damaged(home, "is damaged or is not a database")
    if primary in _BUSY:
        return busy(home)
    if primary in _UNUSABLE:
        return StoreError(
            f"The state file {home.state} cannot be used: {_UNUSABLE[primary]}.",
            "Check the disk and the folder's owner.",
        )
    return None
