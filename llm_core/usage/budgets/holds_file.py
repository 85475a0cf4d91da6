"""`holds.sqlite`: money in flight. What each call under way may take, and what each meter has spent and holds.

It is a file of its own because it changes with every call, while the state changes when a person does something: caches
keyed on the state stay good. It can be removed while no program runs; then only calls under way are forgotten.

Two tables. `holds`: one row for each request on the wire, and for those over whose record is not yet counted in
`spent`, or whose cost is not known. `meters`: for each meter and period, `spent` of the records in the ledger and
`held`, the sum of all rows of `holds` that it covers. Every change of a hold changes `held` in the same transaction.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ...errors import StateTooNew, StoreError
from .transaction import Keys, Settlement, Transaction

VERSION = 1
BUSY_SECONDS = 10.0
_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO facts VALUES ('refreshes', 0), ('refreshed_at', 0);
CREATE TABLE IF NOT EXISTS meters (
    meter TEXT NOT NULL, start INTEGER NOT NULL, spent INTEGER NOT NULL, held INTEGER NOT NULL,
    records INTEGER NOT NULL, priced INTEGER NOT NULL, PRIMARY KEY (meter, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holds (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL, at INTEGER NOT NULL,
    labels BLOB NOT NULL, money INTEGER, tokens INTEGER, calls INTEGER NOT NULL, bundle TEXT
) WITHOUT ROWID;
"""


class HoldsFile:
    """One connection to the file, for all threads of this process. It is made when missing.

    Raises StoreError where the file cannot be used, StateTooNew.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._ended: deque[Settlement] = deque()
        self._keys = Keys(-1)

    def settle(self, settlement: Settlement) -> None:
        """Have a hold end with the next transaction of this process. Waits for nothing: fit for an event loop.

        Should the process die before, its record tells the same (`Refresh`).
        """
        self._ended.append(settlement)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """The only writer while it lasts: committed at the block's end, undone if it raises. Never on an event loop.

        What ended in this process until now is settled in it, so that no call is refused for what its caller has over.
        """
        # Threads queue here: SQLite's own wait polls, which is several times slower with 32 of them.
        with self._lock, self._told_plainly():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            ended = [self._ended.popleft() for _ in range(len(self._ended))]
            try:
                transaction = Transaction(connection, self._clock(), self._keys)
                for settlement in ended:
                    transaction.settle(settlement)
                yield transaction
                transaction.write_counts()
                connection.execute("COMMIT")
                self._keys = transaction.keys
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._ended.extendleft(reversed(ended))
                raise

    def settle_all(self) -> None:
        if self._ended:
            with self.transaction():
                pass

    def exists(self) -> bool:
        return self._connection is not None or self._path.exists()

    def close(self) -> None:
        """Raises StoreError where what ended cannot be settled any more."""
        self.settle_all()
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.touch(mode=0o600)
            opened = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
            )
            try:
                self._prepare(opened)
            except BaseException:
                opened.close()
                raise
            self._connection = opened
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise StateTooNew(f"{self._path} was written by a newer LLM Manager.", "Update this program.")
        _use_wal(connection)
        # It survives the death of a process; only a power cut may take the last commits, never the file.
        connection.execute("PRAGMA synchronous=NORMAL")
        if found < VERSION:
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version={VERSION}; COMMIT;")

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"What budgets hold cannot be kept in {self._path}: {error}.",
                "Free disk space or check the folder. A damaged file can be removed while no program uses it.",
            ) from None


def _use_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait here for another process that does the same."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
