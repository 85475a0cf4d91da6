"""Spool lines into the temporary table `batch` of a private DuckDB connection, the bad ones apart."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ..store.home import Home
from .files import remove_folder
from .quarantine import BadLine
from .schema import COLUMNS
from .spool import Batch

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE_COLUMNS = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
_JSON_COLUMNS = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items()) + "}"


@contextmanager
def private_connection(home: Home, memory_limit: str = "250MB") -> Iterator[DuckDBPyConnection]:
    """A DuckDB in memory of its own, one thread, that may spill into a folder which goes with it."""
    import duckdb

    spill = home.segments / f"{os.urandom(6).hex()}.tmp"
    config: dict[str, Any] = {
        "threads": 1,
        "memory_limit": memory_limit,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(":memory:", config=config)
    try:
        connection.execute("SET enable_progress_bar = false")  # it would be printed, after two seconds
        yield connection
    finally:
        connection.close()
        remove_folder(spill)


def quoted(path: Path) -> str:
    """A path as an SQL literal: ATTACH and read_json take no bound value in every version."""
    return "'" + str(path).replace("'", "''") + "'"


def stage(connection: DuckDBPyConnection, batch: Batch, folder: Path) -> list[BadLine]:
    """Fill the table `batch` with the records of a batch and return what in it is no record.

    One read_json takes all lines. It fails as a whole for one bad line: then the lines are looked at one by one, and
    those that only DuckDB refuses (a wrong type) are found by halving. Raises OSError, duckdb.Error (disk full).
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE batch ({TABLE_COLUMNS})")
    bad = [
        BadLine(piece.spool, piece.offset + len(piece.lines), "cut off: its writer ended in mid-line", piece.torn)
        for piece in batch.pieces
        if piece.torn
    ]
    chunk = folder / f"{os.urandom(6).hex()}.chunk.tmp"
    try:
        if not _insert_all(connection, batch, chunk):
            bad += _insert_good(connection, batch, chunk)
    finally:
        chunk.unlink(missing_ok=True)
    return bad


def _insert_all(connection: DuckDBPyConnection, batch: Batch, chunk: Path) -> bool:
    """Take every line at once. False, and nothing taken, unless each gave one record with an id and a time."""
    if _insert(connection, (piece.lines for piece in batch.pieces), chunk) is not None:
        return False
    records = sum(piece.lines.count(b"\n{") for piece in batch.pieces)
    if connection.execute("SELECT count(*), count(id), count(started_at) FROM batch").fetchone() == (records,) * 3:
        return True
    connection.execute("DELETE FROM batch")
    return False


def _insert_good(connection: DuckDBPyConnection, batch: Batch, chunk: Path) -> list[BadLine]:
    bad: list[BadLine] = []
    good: list[tuple[str, int, bytes]] = []
    for line in _lines(batch):
        reason = _why_no_record(line[2])
        if reason:
            bad.append(BadLine(line[0], line[1], reason, line[2]))
        else:
            good.append(line)
    waiting = [good]
    while waiting:
        lines = waiting.pop()
        reason = _insert(connection, (content for _, _, content in lines), chunk)
        if reason is None:
            continue
        if len(lines) == 1:
            bad.append(BadLine(lines[0][0], lines[0][1], reason, lines[0][2]))
        else:
            waiting += [lines[: len(lines) // 2], lines[len(lines) // 2 :]]
    return bad


def _insert(connection: DuckDBPyConnection, contents: Iterable[bytes], chunk: Path) -> str | None:
    """Take lines as they are, all or none. Returns why not, when a line is to blame."""
    import duckdb

    with chunk.open("wb") as file:
        for content in contents:
            file.write(content)
            file.write(b"\n")
    try:
        connection.execute(
            f"INSERT INTO batch SELECT * FROM read_json({quoted(chunk)}, columns={_JSON_COLUMNS}, "
            "format='newline_delimited')"
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        return re.sub(r'in file ".*?", in line \d+', "", str(error).partition("\n")[0])[:300]
    return None


def _lines(batch: Batch) -> Iterator[tuple[str, int, bytes]]:
    """Spool, offset and content of each line that is not blank."""
    for piece in batch.pieces:
        offset = piece.offset
        for line in piece.lines.split(b"\n"):
            if line.strip():
                yield piece.spool, offset, line
            offset += len(line) + 1


def _why_no_record(line: bytes) -> str | None:
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}"
    if not isinstance(content, dict):
        return "not a JSON object"
    missing = [name for name in ("id", "started_at") if content.get(name) is None]
    return f"without {' and '.join(missing)}" if missing else None
