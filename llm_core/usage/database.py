"""How DuckDB is opened for reading: in memory, segments attached read-only, nothing fetched, printed or left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..store.home import Home, cache_folder
from .manifest import SegmentInfo

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "200MB"
"""Of DuckDB's own; the same speed as without a limit at 10M rows, measured."""

_CLOSE_SECONDS = 10.0
"""How long closing waits for questions that it has ended to be gone."""

AGAIN_SECONDS = 0.005
"""Until what may have been between two statements is interrupted again."""

_HARMFUL = frozenset(("late_materialization", "partial_aggregate_pushdown"))
"""Optimizers of 2.0.0. The first fails inside DuckDB when a row number is selected from a UNION with a small LIMIT; the
second copies the steps of a price into each other until planning takes seconds."""


def connect(memory_limit: str = MEMORY_LIMIT, *, spills: bool = True) -> duckdb.DuckDBPyConnection:
    """An in-memory database in UTC. What does not fit in memory goes to the user's cache folder, or is an error."""
    import duckdb

    spill_folder = os.fspath(cache_folder("spill") / str(os.getpid())) if spills else ""
    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "temp_directory": spill_folder,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "preserve_insertion_order": "false",
        }
    )
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")
    there = {name for (name,) in connection.execute("SELECT * FROM duckdb_optimizers()").fetchall()}
    connection.execute(f"SET disabled_optimizers = '{','.join(_HARMFUL & there)}'")
    return connection


def close(connection: duckdb.DuckDBPyConnection, cursors: Sequence[duckdb.DuckDBPyConnection | None]) -> None:
    """A connection whose cursor is answering refuses to be closed, and one between two statements hears nothing."""
    import duckdb

    give_up = time.monotonic() + _CLOSE_SECONDS
    while True:
        interrupt(*cursors)
        try:
            return connection.close()
        except duckdb.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(AGAIN_SECONDS)


def interrupt(*connections: duckdb.DuckDBPyConnection | None) -> None:
    """End what they are asked at the moment; one that is asked nothing does not notice."""
    import duckdb

    for connection in connections:
        with suppress(duckdb.Error):  # closed meanwhile
            if connection is not None:
                connection.interrupt()


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment's file, attached under an alias."""

    info: SegmentInfo
    alias: str
    columns: frozenset[str]

    @property
    def table(self) -> str:
        return f"{self.alias}.usage"


def attach(connection: duckdb.DuckDBPyConnection, home: Home, info: SegmentInfo, alias: str) -> Segment:
    """Attach a segment read-only. Raises duckdb.Error when the file is gone, or damaged where it is read for this."""
    path = os.fspath(home.segments / info.name).replace("'", "''")
    connection.execute(f"ATTACH '{path}' AS {alias} (READ_ONLY)")
    try:
        connection.execute(f"SELECT * FROM {alias}.usage LIMIT 0")
        return Segment(info, alias, frozenset(name for name, *_ in connection.description or ()))
    except BaseException:
        connection.execute(f"DETACH {alias}")
        raise


def may_be_damage(error: duckdb.Error) -> bool:
    """Damaged blocks raise DuckDB's base error (2.0) or one about I/O (1.5); a broken structure, one of its own."""
    import duckdb

    own = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)
    return isinstance(error, own) or type(error) is duckdb.Error


def ends_the_database(error: duckdb.Error) -> bool:
    """Errors after which DuckDB refuses all further work on the same in-memory database."""
    import duckdb

    return isinstance(error, (duckdb.FatalException, duckdb.InternalException))
