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
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from ...errors import StateTooNew, StoreError
from .budget import UNITS, Amounts, Meter
from .periods import Span

VERSION = 1
BUSY_SECONDS = 10.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
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

Key = tuple[str, int]
"""A meter's key and when its period began, in microseconds since 1970; the least number for one without a beginning."""

_ALWAYS = -(2**62)


@dataclass(slots=True)
class Count:
    """What a meter has counted in one period. `records` are those in the ledger, `priced` those of known cost."""

    meter: Meter
    span: Span
    spent: int
    held: int = 0
    records: int = 0
    priced: int = 0
    changed: bool = False

    @property
    def key(self) -> Key:
        return self.meter.key, start_of(self.span)

    def covers(self, hold: Hold) -> bool:
        start, end = self.span.start, self.span.end
        return (start is None or start <= hold.at) and (end is None or hold.at < end) and self.meter.covers(hold.labels)


@dataclass(frozen=True, slots=True)
class Hold:
    """What is kept for one request (`call`, whose id its record will have) or for a run of them (`bundle`).

    `state` is open, claimed (its process is gone, its record is being written) or settled. `labels` are the columns of
    its record by name. `at` is when the request began.
    """

    id: str
    at: datetime
    labels: Mapping[str, Any] = field(repr=False)
    amounts: Amounts
    owner: str
    kind: str = "call"
    state: str = "open"
    bundle: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a hold ends: as what the call took, None where that is not known; without amounts it is released."""

    id: str
    amounts: Amounts | None
    further: tuple[Hold, ...] = ()
    """Settled holds for what is recorded beside it: further models that took part in the answer."""


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
                transaction = Transaction(connection, self._clock())
                for settlement in ended:
                    transaction.settle(settlement)
                yield transaction
                transaction.write_counts()
                connection.execute("COMMIT")
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


class Transaction:
    """What can be done to the file in one transaction. `counts` are changed here and written at its end."""

    def __init__(self, connection: sqlite3.Connection, at: datetime) -> None:
        self._connection = connection
        self.at = at
        """The moment of this transaction: later than that of the one before, as long as the clock is not put back."""
        self.counts: dict[Key, Count] = {}
        for key, start, spent, held, records, priced in connection.execute("SELECT * FROM meters"):
            meter, span = _known_span(key, start)
            self.counts[key, start] = Count(meter, span, spent, held, records, priced)

    @property
    def refreshes(self) -> int:
        """How often `replace` was done, by anybody."""
        return self._fact("refreshes")

    @property
    def age(self) -> float:
        """Seconds since the counts were last those of the ledger; below 0 where the clock was put back."""
        return (microseconds(self.at) - self._fact("refreshed_at")) / 1e6

    def count(self, meter: Meter, at: datetime | None = None) -> Count | None:
        """Of the period at `at`, now where not given; None where it was not counted yet."""
        return self.counts.get((meter.key, start_of(meter.span(at or self.at))))

    def counts_for(self, hold: Hold) -> list[Count]:
        return [count for count in self.counts.values() if count.covers(hold)]

    def insert(self, hold: Hold) -> None:
        """Its amounts come out of its bundle, as far as that goes."""
        self._connection.execute(
            "INSERT INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(hold.id, hold.kind, hold.state, hold.owner, microseconds(hold.at), orjson.dumps(hold.labels)),
                *(hold.amounts.money, hold.amounts.tokens, hold.amounts.calls, hold.bundle),
            ),
        )
        self._add(hold, Amounts(), hold.amounts)
        bundle = self.find(hold.bundle) if hold.bundle else None
        if bundle is not None:
            self.change(bundle, _minus(bundle.amounts, hold.amounts))

    def settle(self, settlement: Settlement) -> None:
        """What was held for more than it took goes back to its bundle, while that is open."""
        hold = self.find(settlement.id)
        if hold is None:  # its record was found in the ledger first
            return
        if settlement.amounts is None:
            self.change(hold, None)
            return
        taken = settlement.amounts
        amounts = Amounts(
            hold.amounts.money if taken.money is None else taken.money,
            hold.amounts.tokens if taken.tokens is None else taken.tokens,
            hold.amounts.calls,
        )
        self.change(hold, amounts, "settled")
        for further in settlement.further:
            self.insert(further)
        bundle = self.find(hold.bundle) if hold.bundle else None
        if bundle is not None:
            self.change(bundle, _plus(bundle.amounts, _minus(hold.amounts, amounts)))

    def change(self, hold: Hold, amounts: Amounts | None, state: str | None = None) -> None:
        """Give a hold other amounts; None removes it."""
        if amounts is None:
            self._connection.execute("DELETE FROM holds WHERE id = ?", (hold.id,))
        else:
            self._connection.execute(
                "UPDATE holds SET money = ?, tokens = ?, calls = ?, state = ? WHERE id = ?",
                (amounts.money, amounts.tokens, amounts.calls, state or hold.state, hold.id),
            )
        self._add(hold, hold.amounts, amounts or Amounts())

    def claim(self, hold: Hold, owner: str) -> None:
        """Take over the hold of a process that ended, to write its record: whoever else tries finds it changed."""
        self._connection.execute("UPDATE holds SET state = 'claimed', owner = ? WHERE id = ?", (owner, hold.id))

    def owners(self) -> list[str]:
        """The processes that have holds which are not settled."""
        return [
            owner for (owner,) in self._connection.execute("SELECT DISTINCT owner FROM holds WHERE state <> 'settled'")
        ]

    def find(self, id: str) -> Hold | None:  # noqa: A002
        row = self._connection.execute("SELECT * FROM holds WHERE id = ?", (id,)).fetchone()
        return None if row is None else _from_row(row)

    def holds(self) -> list[Hold]:
        return [_from_row(row) for row in self._connection.execute("SELECT * FROM holds")]

    def forget(self, ids: Iterable[str]) -> None:
        """Remove holds without counting: `replace` must follow."""
        self._connection.executemany("DELETE FROM holds WHERE id = ?", [(id,) for id in ids])  # noqa: A001

    def replace(self, counts: Iterable[Count]) -> None:
        """Take these counts, which are of the ledger as it is now, in place of all others. Settled holds that none of
        them covers go; what they hold is counted anew."""
        self._connection.execute("DELETE FROM meters")
        self.counts = {count.key: count for count in counts}
        for count in self.counts.values():
            count.held, count.changed = 0, True
        needless = []
        for hold in self.holds():
            covering = self.counts_for(hold)
            for count in covering:
                count.held += hold.amounts.of(count.meter.unit)
            if not covering and hold.state == "settled":
                needless.append(hold.id)
        self.forget(needless)
        self._connection.execute("UPDATE facts SET value = value + 1 WHERE name = 'refreshes'")
        self.note_refresh()

    def note_refresh(self) -> None:
        """The counts are those of the ledger as it is now."""
        self._connection.execute("UPDATE facts SET value = ? WHERE name = 'refreshed_at'", (microseconds(self.at),))

    def write_counts(self) -> None:
        self._connection.executemany(
            "INSERT INTO meters VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET held = excluded.held",
            [
                (*key, count.spent, count.held, count.records, count.priced)
                for key, count in self.counts.items()
                if count.changed
            ],
        )

    def _add(self, hold: Hold, before: Amounts, after: Amounts) -> None:
        for count in self.counts_for(hold):
            more = after.of(count.meter.unit) - before.of(count.meter.unit)
            if more:
                count.held += more
                count.changed = True

    def _fact(self, name: str) -> int:
        return int(self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()[0])


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


def start_of(span: Span) -> int:
    return _ALWAYS if span.start is None else microseconds(span.start)


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=4096)
def _known_span(key: str, start: int) -> tuple[Meter, Span]:
    meter = Meter.of(key)
    return meter, meter.span(_EPOCH if start == _ALWAYS else _EPOCH + start * _MICROSECOND)


def _from_row(row: tuple[Any, ...]) -> Hold:
    id, kind, state, owner, at, labels, money, tokens, calls, bundle = row  # noqa: A001
    amounts = Amounts(money, tokens, calls)
    return Hold(id, _EPOCH + at * _MICROSECOND, orjson.loads(labels), amounts, owner, kind, state, bundle)


def _minus(left: Amounts, right: Amounts) -> Amounts:
    """What is left, nothing below 0."""
    return Amounts(*(max(0, left.of(unit) - right.of(unit)) for unit in UNITS))


def _plus(left: Amounts, right: Amounts) -> Amounts:
    return Amounts(*(left.of(unit) + right.of(unit) for unit in UNITS))
