"""The process that runs typed SQL, apart from the program that asks. `sql_console` starts it.

DuckDB's own limits do not hold against every statement: `SELECT len(range(1000000000))` takes 8 GB under a memory limit
of 100 MB and does not heed an interrupt for 12 s (measured). So statements run here, where a watcher ends the whole
process when one uses too much memory or time, and where the system forbids writing to files. Each state of the ledger
gets its own connection: segments attached read-only, the tail copied in, then files and settings locked for good.

Requests come on standard input and answers go to standard output, in frames of `send` and `receive`.
"""

from __future__ import annotations

import json
import os
import pickle
import struct
import sys
import threading
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..errors import LedgerDamaged, LLMManagerError, QueryFailed, QueryTooLong
from ..store.home import Home
from .database import attach, connect, may_be_damage
from .memory import resident_mb
from .reader import Reader
from .repricing import fill_rates, macros_sql
from .schema import COLUMNS
from .sql_guard import check, first_line
from .view import View

if TYPE_CHECKING:
    import duckdb

OVER_TIME = 71
OVER_MEMORY = 72
"""Exit codes of a worker that its watcher ended."""

_LOOK_EVERY = 0.02
_GRACE = 1.0
"""Seconds after the interrupt until the process is ended."""

_TRIES = 8
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """One statement's time, and its result's rows and size. `memory_mb` is DuckDB's, `process_mb` the worker's."""

    seconds: float = 30.0
    rows: int = 200_000
    result_mb: int = 128
    memory_mb: int = 200
    process_mb: int = 700


def send(stream: IO[bytes], *frames: bytes) -> None:
    stream.write(b"".join(struct.pack(">Q", len(frame)) + frame for frame in frames))
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """One frame. Raises EOFError when the other side is gone."""
    return _exactly(stream, struct.unpack(">Q", _exactly(stream, 8))[0])


class Worker:
    """Runs one statement after the other on the newest state of the ledger."""

    def __init__(self, home: Home, limits: Limits) -> None:
        self._home = home
        self._limits = limits
        self._reader = Reader(home)
        self._token: Hashable = None
        self._view: View | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None

    def run(
        self,
        query: str,
        params: Mapping[str, Any] | Sequence[Any] | None,
        rates: Sequence[tuple[Any, ...]] | None = None,
    ) -> bytes:
        """The result as an Arrow stream. Raises QueryRefused, QueryFailed, QueryTooLong, LedgerDamaged."""
        import duckdb

        while True:
            connection, view = self._current()
            if rates is not None:
                fill_rates(connection, rates)
            try:
                return self._answer(connection, query, params)
            except duckdb.InterruptException:
                raise QueryTooLong(
                    f"The statement ran longer than {self._limits.seconds:g} seconds.",
                    "Ask for a shorter span: WHERE started_at > now() - INTERVAL 30 DAY.",
                ) from None
            except duckdb.OutOfMemoryException:
                raise QueryTooLong(
                    f"The statement needs more than {self._limits.memory_mb} MB of memory.",
                    "Group or filter before sorting and joining.",
                ) from None
            except duckdb.Error as error:
                if not may_be_damage(error):
                    raise QueryFailed(
                        first_line(error), "Check the statement; DESCRIBE usage lists the columns."
                    ) from None
                self._token = None  # the connection may be of no more use
                if not self._reader.leave_out_damaged(view, error):
                    raise LedgerDamaged(f"The ledger could not be read: {first_line(error)}") from None

    def _answer(
        self, connection: duckdb.DuckDBPyConnection, query: str, params: Mapping[str, Any] | Sequence[Any] | None
    ) -> bytes:
        with connection.cursor() as cursor, _watched(cursor, self._limits):
            statement = check(cursor, query)
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            return _stream(cursor.sql(statement, params=params), self._limits)

    def _current(self) -> tuple[duckdb.DuckDBPyConnection, View]:
        token = self._reader.token()
        if self._connection is None or self._view is None or token != self._token:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._view = self._build()
            self._token = token
            _forbid_writing()
        return self._connection, self._view

    def _build(self) -> tuple[duckdb.DuckDBPyConnection, View]:
        import duckdb

        for last in reversed(range(_TRIES)):
            with self._reader.snapshot() as snapshot:
                connection = connect(f"{self._limits.memory_mb}MB", spills=False)
                try:
                    for segment in snapshot.view.segments:
                        attach(connection, self._home, segment.info, segment.alias)
                except duckdb.Error:  # merged away since the reader attached it
                    connection.close()
                    if last == 0:
                        raise
                    continue
                tail = snapshot.view.tail
                tail.create(connection)
                connection.register("rows_of_tail", snapshot.arrow(f"FROM {tail.table}"))
                connection.execute(f"INSERT INTO {tail.table} FROM rows_of_tail")
                connection.unregister("rows_of_tail")
                connection.execute(f"CREATE VIEW usage AS {snapshot.view.sql()}")
                fill_rates(connection, ())
                for statement in macros_sql(tuple(COLUMNS)):
                    connection.execute(statement)
                connection.execute("SET enable_external_access = false")
                connection.execute("SET lock_configuration = true")
                return connection, snapshot.view
        raise AssertionError("the last try returns or raises")


def main() -> None:
    """Answer requests until standard input ends. Arguments: the home's path, the limits as JSON."""
    home, limits = Home(Path(sys.argv[1])), Limits(**json.loads(sys.argv[2]))
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)  # whatever prints must not end up among the answers
    worker = Worker(home, limits)
    while True:
        try:
            request = receive(requests)
        except EOFError:
            return
        try:
            table = worker.run(*pickle.loads(request))
        except LLMManagerError as error:
            send(answers, json.dumps([type(error).__name__, error.message, error.hint]).encode(), b"")
        except Exception as error:  # noqa: BLE001  # the asker waits for an answer, whatever went wrong
            send(answers, json.dumps(["QueryFailed", f"{type(error).__name__}: {first_line(error)}", ""]).encode(), b"")
        else:
            send(answers, b"null", table)


def _stream(result: duckdb.DuckDBPyRelation, limits: Limits) -> bytes:
    import pyarrow as pa

    reader = result.to_arrow_reader(_ROWS_AT_ONCE)
    sink = pa.BufferOutputStream()
    rows = 0
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
            if rows > limits.rows or sink.tell() > limits.result_mb * 2**20:
                raise QueryTooLong(
                    f"The result has more than {limits.rows:,} rows or {limits.result_mb} MB.",
                    "Group in SQL, or add a LIMIT.",
                )
    return bytes(sink.getvalue())


@contextmanager
def _watched(cursor: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[None]:
    """Interrupt what runs too long; end the process when that does not help, or when it takes too much memory."""
    done = threading.Event()
    deadline = time.monotonic() + limits.seconds

    def watch() -> None:
        while not done.wait(_LOOK_EVERY):
            if resident_mb() > limits.process_mb:
                os._exit(OVER_MEMORY)
            late = time.monotonic() - deadline
            if late > _GRACE:
                os._exit(OVER_TIME)
            if late > 0:
                cursor.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _forbid_writing() -> None:
    """From here on the system lets this process write no byte to any file. Windows has no such limit."""
    if os.name != "nt":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data
