"""Reads the ledger: one in-memory DuckDB per process, with the segments attached read-only and a tail of its own.

The view `usage` joins the segments of the newest manifest and the tail, so a query sees every record that any process
has been told is kept, each once. No lock is shared with writers, drainer or other readers. A file that is gone or
damaged is left out and reported by `problems`; the rest stays usable.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ..errors import LedgerDamaged, QueryFailed, StoreError
from ..store.home import Home
from . import ending
from .database import (
    AGAIN_SECONDS,
    MEMORY_LIMIT,
    Segment,
    attach,
    close,
    connect,
    ends_the_database,
    interrupt,
    may_be_damage,
)
from .frames import to_frame
from .manifest import Manifest, SegmentInfo, load_newest, numbers
from .segment_file import file_digest
from .tail import Tail
from .view import Problem, Source, View, joined

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

T = TypeVar("T")

_TRIES = 8
_KEEP_ATTACHED = 60.0
"""Seconds that a replaced segment stays attached."""

_RETRY_LOST = 10.0
"""Seconds until a segment that could not be attached is tried again."""

_END_SECONDS = 2.0
"""What threads have to let go of their snapshots when the program ends; an interrupted question takes milliseconds."""


class SegmentLeftOut(Exception):
    """A segment turned out damaged during a query. The snapshot goes on without it: ask again."""


class Reader:
    """This process's view of the ledger. Safe for threads; nothing is opened before the first query."""

    def __init__(
        self, home: Home, *, memory_limit: str = MEMORY_LIMIT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._home = home
        self._memory_limit = memory_limit
        self._clock = clock
        self._lock = threading.RLock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._view: View | None = None
        self._follow_at: float | None = None
        """When to look for segments again although the manifest is the same."""
        self._attached: dict[str, Segment] = {}
        self._unused: dict[str, float] = {}
        self._damaged: set[str] = set()
        self._in_use: list[Snapshot] = []
        self._made = 0
        self._has_ended = False
        ending.end_with_program(self)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """All queries on this see the same records: those kept when it began. Raises LedgerDamaged."""
        snapshot = Snapshot(self)
        try:
            yield snapshot
        finally:
            snapshot.close()

    @contextmanager
    def snapshots(self, count: int) -> Iterator[list[Snapshot]]:
        """Several on the same records, one for each thread. Raises LedgerDamaged."""
        made: list[Snapshot] = []
        try:
            with self._lock:  # nobody takes in new records meanwhile
                for _ in range(count):
                    made.append(Snapshot(self, made[0].view if made else None))
            yield made
        finally:
            for snapshot in made:
                snapshot.close()

    def token(self) -> Hashable:
        """Changes when new records are visible, and with each drain and merge. About 0.1 ms when nothing is new."""
        with self._lock:
            view = self._refresh()
            return view.manifest.generation, view.tail.bytes, len(view.lost)

    def problems(self) -> list[Problem]:
        """What cannot be shown at present; empty when all is well."""
        with self._lock:
            return self._refresh().problems()

    def close(self) -> None:
        """Close the database, and end questions under way. Using the reader again opens a new one."""
        with self._lock:
            connection, cursors = self._forget(), [snapshot.cursor for snapshot in self._in_use]
        if connection is not None:
            close(connection, cursors)

    def end(self) -> None:
        """Close for good, because the program ends: what is being asked is interrupted, and its thread with it.

        Threads that live to the end keep alive what they can reach, and a DuckDB that is kept so complains at length
        on stderr, or crashes in the middle of a question. So nothing of it may be left in their reach.
        """
        self._has_ended = True
        until = time.monotonic() + _END_SECONDS
        while self._in_use and time.monotonic() < until:
            interrupt(self._connection, *(snapshot.cursor for snapshot in self._in_use))
            time.sleep(AGAIN_SECONDS)
        if not self._lock.acquire(timeout=_END_SECONDS):  # a thread that hangs in the file system
            return
        try:
            for snapshot in self._in_use:
                snapshot.drop()
            self._in_use.clear()
            self.close()
        finally:
            self._lock.release()

    def end_thread_if_ended(self) -> None:
        """After `end` only threads ask that the program left behind. They end quietly; nobody waits for an answer."""
        if self._has_ended and threading.current_thread() is not threading.main_thread():
            raise SystemExit

    def begin(self, snapshot: Snapshot, view: View | None = None) -> None:
        """Give it a cursor in a read-only transaction on the newest state, until `give_back`.

        With `view`, which must be the newest, new records are not looked for.
        """
        with self._lock:
            self.end_thread_if_ended()
            view = view or self._refresh()
            cursor = self._open().cursor()
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            # A transaction sees a database as it was when it first used it, so the tail is touched under the lock.
            found = cursor.execute(
                f"SELECT count(*), min(started_at), max(started_at) FROM {view.tail.table}"
            ).fetchall()
            snapshot.view, snapshot.cursor, snapshot.sources = view, cursor, view.sources(*found[0])
            self._in_use.append(snapshot)

    def give_back(self, snapshot: Snapshot) -> None:
        with self._lock:
            if snapshot in self._in_use:
                self._in_use.remove(snapshot)
        snapshot.drop()

    def leave_out_damaged(self, view: View, error: duckdb.Error) -> bool:
        """Check all bytes of the segments a failed query may have read. True when some are left out from now on."""
        with self._lock:
            if ends_the_database(error):
                self._forget()
            damaged = {segment.info.name for segment in view.segments if not self._is_intact(segment.info)}
            if damaged - self._damaged:
                self._damaged |= damaged
                self._follow_at = self._clock()
            return bool(damaged)

    def _refresh(self) -> View:
        """Follow the newest manifest and take in what was recorded since."""
        now = self._clock()
        view = self._view
        newest = max(numbers(self._home), default=0)
        is_due = self._follow_at is not None and now >= self._follow_at
        if view is None or newest != view.manifest.highest or is_due:
            view = self._follow(now)
        view.tail.load(self._open())
        self._detach_unused(now)
        return view

    def _follow(self, now: float) -> View:
        """Attach what the newest manifest names, then swap the view in one transaction."""
        for last in reversed(range(_TRIES)):
            manifest = load_newest(self._home)
            segments, lost = self._attach_all(manifest)
            # A file may be gone because it was merged while we looked: then there is a newer manifest.
            if not lost or last == 0 or load_newest(self._home).generation == manifest.generation:
                break
        self._damaged &= {info.name for info in manifest.segments}
        left_out = tuple(info for info in manifest.segments if info in lost or info.name in self._damaged)
        self._made += 1
        view = View(manifest, segments, left_out, Tail(self._home, manifest, f"tail_{self._made}"))
        self._swap(self._view, view)
        self._view = view
        self._follow_at = now + _RETRY_LOST if lost else None
        live = {segment.info.name for segment in segments}
        self._unused = {name: self._unused.get(name, now) for name in self._attached.keys() - live}
        return view

    def _attach_all(self, manifest: Manifest) -> tuple[tuple[Segment, ...], list[SegmentInfo]]:
        import duckdb

        found, lost = [], []
        for info in manifest.segments:
            if info.name in self._damaged:
                continue
            if info.name not in self._attached:
                self._made += 1
                try:
                    self._attached[info.name] = attach(self._open(), self._home, info, f"s{self._made}")
                except duckdb.Error:
                    lost.append(info)
                    continue
            found.append(self._attached[info.name])
        return tuple(found), lost

    def _swap(self, old: View | None, new: View) -> None:
        connection = self._open()
        new.tail.create(connection)
        try:
            new.tail.load(connection)  # before the transaction, which a bad line would end
            connection.execute("BEGIN")
            try:
                connection.execute(f"CREATE OR REPLACE VIEW usage AS {new.sql()}")
                if old is not None:
                    connection.execute(f"DROP TABLE {old.tail.table}")
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
        except BaseException:
            connection.execute(f"DROP TABLE {new.tail.table}")
            raise

    def _detach_unused(self, now: float) -> None:
        """Let a replaced segment go after a while, and not while a snapshot may still read it."""
        import duckdb

        used = {segment.info.name for snapshot in self._in_use for segment in snapshot.view.segments}
        for name in [name for name, since in self._unused.items() if now - since >= _KEEP_ATTACHED]:
            if name not in used:
                del self._unused[name]
                try:
                    self._open().execute(f"DETACH {self._attached.pop(name).alias}")
                except duckdb.Error:  # it stays attached, which does no harm
                    continue

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = connect(self._memory_limit)
        return self._connection

    def _forget(self) -> duckdb.DuckDBPyConnection | None:
        connection, self._connection, self._view = self._connection, None, None
        self._attached = {}
        self._unused = {}
        return connection

    def _is_intact(self, info: SegmentInfo) -> bool:
        try:
            return file_digest(self._home.segments / info.name) == info.blake2b
        except OSError:
            return False


class Snapshot:
    """The records at one moment. Made by `Reader.snapshot`; for one thread. `sources` are the tables of its view."""

    view: View
    sources: tuple[Source, ...]
    cursor: duckdb.DuckDBPyConnection | None = None
    """None once the snapshot is closed."""

    def __init__(self, reader: Reader, view: View | None = None) -> None:
        self._reader = reader
        reader.begin(self, view)

    @property
    def extent(self) -> tuple[datetime, datetime] | None:
        """The oldest and the newest `started_at` there are."""
        known = [(s.oldest, s.newest) for s in self.sources if s.oldest is not None and s.newest is not None]
        return (min(oldest for oldest, _ in known), max(newest for _, newest in known)) if known else None

    def usage(self, *columns: str, start: datetime | None = None, end: datetime | None = None) -> str:
        """The view with these columns only, for a FROM: with 25 files a third of the time that the whole view takes.

        Sources that hold nothing from `start` to `end` are left out. DuckDB would find that out too, but then it knows
        nothing any more of the values in the others, and counts groups the slow way.
        """
        able = [source for source in self.sources if source.overlaps(start, end)]
        return f"({joined(able or self.sources[:1], dict.fromkeys(columns))}) AS usage"

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """As `frame`, as plain rows."""
        with self._asking() as cursor:
            return cursor.execute(sql, values).fetchall()

    def frame(self, sql: str, values: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """What a SELECT gives; a column `cost_usd` must be text, which becomes Decimal.

        Raises QueryFailed, LedgerDamaged, and SegmentLeftOut, which `ask` deals with.
        """
        with self._asking() as cursor:
            cursor.execute(sql, values)
            return to_frame(cursor)

    def arrow(self, sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """As `frame`, as an Arrow table, where money is exact too."""
        with self._asking() as cursor:
            return cursor.sql(sql, params=values).to_arrow_table()

    def copy(self, sql: str, values: Mapping[str, Any], path: Path, options: str) -> int:
        """Write what a SELECT gives to a file, with options of COPY. Returns the number of rows.

        Raises StoreError where the file cannot be written.
        """
        import duckdb

        target = os.fspath(path).replace("'", "''")
        with self._asking() as cursor:
            try:
                return int(cursor.execute(f"COPY ({sql}) TO '{target}' ({options})", values).fetchall()[0][0])
            except duckdb.IOException as error:
                if os.fspath(path) in str(error):
                    message = f"The file could not be written: {error}"
                    raise StoreError(message, "Check free space on the disk.") from None
                raise

    def ask(self, question: Callable[[Snapshot], T]) -> T:
        """The question's answer, without the segments that turn out damaged while it is asked."""
        while True:
            try:
                return question(self)
            except SegmentLeftOut:  # each time one segment fewer, so this ends
                continue

    def close(self) -> None:
        self._reader.give_back(self)

    def drop(self) -> None:
        """Close the cursor and let it go."""
        cursor, self.cursor = self.cursor, None
        if cursor is not None:
            close(cursor, (cursor,))

    @contextmanager
    def _asking(self) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        cursor = self.cursor
        if cursor is None:
            self._reader.end_thread_if_ended()
            raise QueryFailed("A question came after its snapshot was closed.")
        try:
            yield cursor
        except duckdb.Error as error:
            self._reader.end_thread_if_ended()
            self._explain(error)

    def _explain(self, error: duckdb.Error) -> NoReturn:
        import duckdb

        if isinstance(error, duckdb.OutOfMemoryException):
            raise QueryFailed("This needs more memory than is allowed.", "Choose a shorter span of time.") from None
        if not may_be_damage(error):
            raise error
        left_out = self._reader.leave_out_damaged(self.view, error)
        self.close()
        self._reader.begin(self)
        if left_out:
            raise SegmentLeftOut from None
        raise LedgerDamaged(f"The ledger could not be read: {error}", "Run `llm-manager doctor`.") from None
