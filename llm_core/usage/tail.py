"""The reader's own table of records that are kept but not drained yet: this is what makes a record visible at once.

It starts where the manifest's offsets end and then takes in new bytes only. A line that is no record is left out here;
the drainer will put it in quarantine and report it.
"""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING

import orjson

from ..store.home import Home, cache_folder
from .manifest import Manifest, SpoolMark
from .schema import COLUMNS
from .spool import SUFFIX, collect

if TYPE_CHECKING:
    import duckdb

LIMIT = 64 * 2**20
"""Bytes of undrained lines shown at most, about 70,000 records."""

_AT_ONCE = 8 * 2**20
_ENDED_SECONDS = 3 * 3600.0
_UNREAD = SpoolMark(0, math.inf)
_COLUMNS = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
_READ_COLUMNS = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items()) + "}"
_SHAPE = orjson.dumps(COLUMNS).decode()


class Tail:
    """A table of the undrained rows after one manifest. Not safe for threads: its reader holds a lock."""

    def __init__(self, home: Home, manifest: Manifest, table: str) -> None:
        self.table = table
        self.bytes = 0
        """Bytes taken in so far: grows whenever rows become visible."""
        self.is_whole = True
        """False when more is waiting than LIMIT."""
        self.problems: tuple[str, ...] = ()
        self._home = home
        self._marks = dict(manifest.spools)
        self._ended: set[str] = set()

    def create(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(f"CREATE TABLE {self.table} ({_COLUMNS})")

    def load(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take in what was appended since the last time."""
        more = self._has_grown()
        while more and self.bytes < LIMIT:
            batch = collect(self._home, self._marks, limit=_AT_ONCE)
            if batch.pieces:
                _insert(connection, self.table, b"\n".join(piece.lines for piece in batch.pieces))
            for piece in batch.pieces:
                self._marks[piece.spool] = SpoolMark(piece.end, time.time())
                self.bytes += len(piece.lines)
            self.problems, more = batch.problems, batch.more
        self.is_whole = not more

    def _has_grown(self) -> bool:
        """Whether any spool has bytes that are not read yet. Every question asks this, of hundreds of files.

        A spool that was drained to its end hours ago is looked at once only: its writer has left it after an hour.
        """
        grown = False
        for name in os.listdir(self._home.spool):  # noqa: PTH208  # pathlib takes three times as long
            if name in self._ended or not name.endswith(SUFFIX):
                continue
            mark = self._marks.get(name, _UNREAD)
            try:
                size = os.stat(self._home.spool / name).st_size  # noqa: PTH116
            except FileNotFoundError:
                continue
            if size != mark.offset:
                grown = True
            elif mark.grown_at < time.time() - _ENDED_SECONDS:
                self._ended.add(name)
        return grown


def _insert(connection: duckdb.DuckDBPyConnection, table: str, lines: bytes) -> None:
    """One read_json takes all lines, several times as fast as from_json, unless one of them is bad or no file can be
    written. Not to be called in a transaction: an error would end it."""
    import duckdb

    source = cache_folder("spill") / f"{os.urandom(6).hex()}.jsonl"
    try:
        source.write_bytes(lines)
        path = os.fspath(source).replace("'", "''")
        connection.execute(
            f"INSERT INTO {table} SELECT * FROM read_json('{path}', columns={_READ_COLUMNS}, "
            "format='newline_delimited') WHERE id IS NOT NULL AND started_at IS NOT NULL"
        )
    except (OSError, duckdb.Error):
        _insert_good(connection, table, lines)
    finally:
        source.unlink(missing_ok=True)


def _insert_good(connection: duckdb.DuckDBPyConnection, table: str, lines: bytes) -> None:
    """`from_json` of a line that is no JSON raises, hence TRY; one that is no object gives a row without an id."""
    connection.execute(
        f"""
        INSERT INTO {table} SELECT unnest(row) FROM (
            SELECT TRY(from_json(line, $shape)) AS row
            FROM (SELECT unnest(string_split($lines, chr(10))) AS line) WHERE line <> ''
        ) WHERE row.id IS NOT NULL AND row.started_at IS NOT NULL
        """,
        {"shape": _SHAPE, "lines": _text(lines)},
    )


def _text(lines: bytes) -> str:
    try:
        return lines.decode()
    except UnicodeDecodeError:
        return "\n".join(line.decode() for line in lines.split(b"\n") if _is_text(line))


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
