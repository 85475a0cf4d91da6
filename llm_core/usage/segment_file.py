"""One segment: an immutable DuckDB file with one table `usage`. Written once under a temporary name, then only read."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LedgerDamaged
from ..store.home import Home
from .files import remove, rename, sync_file, sync_folder
from .manifest import SegmentInfo
from .schema import COLUMNS_VERSION
from .staging import TABLE_COLUMNS, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STORAGE_VERSION = "v1.5.0"
"""The oldest DuckDB that can open our files. DuckDB 2 reads this format as fast as its own."""

_SMALL_ROWS = 4_000
_SMALL_BLOCK = 16_384
"""Below 4,000 rows smaller blocks make the file a tenth of the size (45 KB instead of 537 KB); above, a larger one."""


def write_segment(connection: DuckDBPyConnection, folder: Path, rows: int, select: str) -> SegmentInfo:
    """Write the rows of one SELECT, in its order, to a new segment file in `folder`, synced and under its last name.

    One INSERT: one for each part would leave half of the file free blocks. `rows` is how many the SELECT gives; any
    other number raises LedgerDamaged. Also raises OSError, duckdb.Error; then no file is left.
    """
    path = folder / f"{os.urandom(8).hex()}.duckdb"
    temporary = path.with_suffix(".duckdb.tmp")
    block = f", BLOCK_SIZE {_SMALL_BLOCK}" if rows < _SMALL_ROWS else ""
    try:
        connection.execute(f"ATTACH {quoted(temporary)} AS segment (STORAGE_VERSION '{STORAGE_VERSION}'{block})")
        try:
            connection.execute(f"CREATE TABLE segment.usage ({TABLE_COLUMNS})")
            connection.execute(f"INSERT INTO segment.usage BY NAME {select}")
            found, oldest, newest = extent(connection, "segment.usage")
            connection.execute("CHECKPOINT segment")
        finally:
            connection.execute("DETACH segment")
        if found != rows or oldest is None or newest is None:
            raise LedgerDamaged(f"A segment should have got {rows} rows and got {found}.", "It was not used.")
        sync_file(temporary)
        digest = file_digest(temporary)
        rename(temporary, path)
        sync_folder(folder)
    finally:
        remove(temporary)
        remove(temporary.with_name(temporary.name + ".wal"))
    return SegmentInfo(path.name, rows, path.stat().st_size, oldest, newest, COLUMNS_VERSION, digest)


def file_digest(path: Path) -> str:
    """BLAKE2b-128 of a file's bytes, in hex: about a second for each GB."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def extent(connection: DuckDBPyConnection, table: str) -> tuple[int, datetime | None, datetime | None]:
    """Rows of a table, its oldest and its newest started_at."""
    return connection.execute(f"SELECT count(*), min(started_at), max(started_at) FROM {table}").fetchall()[0]


def is_intact(home: Home, segment: SegmentInfo) -> bool:
    """Whether the file is there with the very bytes that were written."""
    path = home.segments / segment.name
    try:
        return path.stat().st_size == segment.bytes and file_digest(path) == segment.blake2b
    except OSError:
        return False
