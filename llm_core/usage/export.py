"""Writes records to a file: CSV, Parquet or JSON lines, oldest first, with every digit of money.

    CSV       text quoted and safe to open in a spreadsheet (see `csv_cells`); unknown is an empty cell without quotes,
              empty text one with quotes; times as 2026-03-10 12:00:00.5, in UTC; tags and raw usage as JSON
    Parquet   the types of the view: cost_usd DECIMAL(18,10), started_at TIMESTAMP in UTC, tags MAP
    JSON lines   cost_usd as text, since most readers would make a float of it; times as 2026-03-10T12:00:00.500000Z

The columns have the names of the view, so each file can be read back. It is written beside its last name, slice of time
by slice of time, and gets the name when it is whole: nobody sees half a file, and a stop leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ExportStopped, InvalidInput, StoreError
from .csv_cells import quoted_sql
from .files import rename, sync_file, sync_folder
from .filters import Condition, known, quoted
from .reader import Snapshot
from .schema import COLUMNS
from .view import joined

if TYPE_CHECKING:
    import pyarrow.parquet as parquet

Progress = Callable[[int, int], None]
"""Told (records done, records in all) after each slice."""
Stop = Callable[[], bool]
"""Asked before each slice; True ends the export."""

FORMATS: tuple[str, ...] = ("csv", "parquet", "jsonl")
SLICE_ROWS = 50_000
"""A slice is a number of whole hours with so many records, or one hour with more. It is sorted in memory."""

_TEXT = frozenset(("VARCHAR", "JSON"))


class _Writer(Protocol):
    """Adds slices to a file."""

    def add(self, snapshot: Snapshot, select: str, values: dict[str, Any]) -> int: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Export:
    """Records that match `where`, to be written to `path`. Raises InvalidInput and UnknownColumn when made."""

    where: Condition
    path: Path
    format: str
    columns: tuple[str, ...]
    overwrite: bool
    progress: Progress | None = None
    stop: Stop | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise InvalidInput(f"There is no format {self.format!r}.", f"Use one of {', '.join(FORMATS)}.")
        if not self.columns:
            raise InvalidInput("An export needs a column.", "Name one, or leave them out for all.")
        for column in self.columns:
            known(column, tuple(COLUMNS))
        if self.path.is_dir() or not self.path.parent.is_dir():
            raise InvalidInput(f"{self.path} cannot be a file.", "Give the name of a file in a folder that is there.")
        self._refuse_existing()

    def run(self, snapshot: Snapshot) -> int:
        """Write the file. Returns the number of records. Raises ExportStopped, StoreError, LedgerDamaged."""
        slices = list(_slices(snapshot, self.where))
        total, done = sum(rows for _, _, rows in slices), 0
        with _beside(self.path) as folder:
            whole = folder / "whole"
            writer = self._writer(whole, folder / "part")
            try:
                for start, end, _ in slices or [(datetime.min, datetime.min, 0)]:
                    if self.stop is not None and self.stop():
                        raise ExportStopped("The export was stopped.", "No file was made.")
                    done += self._add(snapshot, writer, start, end)
                    if self.progress is not None:
                        self.progress(done, total)
            finally:
                writer.close()
            self._finish(whole)
        return done

    def _writer(self, whole: Path, part: Path) -> _Writer:
        return _Parquet(whole) if self.format == "parquet" else _Lines(whole, part, self.format, self.columns)

    def _add(self, snapshot: Snapshot, writer: _Writer, start: datetime, end: datetime) -> int:
        """One slice of time, in order."""
        sources = [source for source in snapshot.sources if source.overlaps(start, end)] or snapshot.sources[:1]
        needed = dict.fromkeys((*self.columns, *self.where.columns, "started_at", "id"))
        items = ", ".join(f"{_ITEM[self.format](name)} AS {quoted(name)}" for name in self.columns)
        select = (
            f"SELECT {items} FROM ({joined(sources, needed)}) AS usage "
            f"WHERE usage.started_at >= $slice_start AND usage.started_at < $slice_end AND {self.where.sql} "
            f"ORDER BY usage.started_at, usage.id"
        )
        return writer.add(snapshot, select, {**self.where.values, "slice_start": start, "slice_end": end})

    def _finish(self, whole: Path) -> None:
        try:
            sync_file(whole)
            if self.overwrite:
                whole.replace(self.path)
            else:
                self._name_once(whole)
            sync_folder(self.path.parent)
        except OSError as error:
            raise StoreError(f"{self.path} could not be written: {error.strerror}.") from None

    def _name_once(self, whole: Path) -> None:
        """Unlike a rename, a link is refused where another program made such a file meanwhile."""
        try:
            os.link(whole, self.path)
        except FileExistsError:
            self._refuse_existing()
        except OSError:  # a disk without links
            self._refuse_existing()
            rename(whole, self.path)

    def _refuse_existing(self) -> None:
        if not self.overwrite and os.path.lexists(self.path):
            raise InvalidInput(f"{self.path} exists.", "Give another name, or say that it shall be overwritten.")


class _Lines:
    """CSV and JSON lines: DuckDB writes each slice as a file, which is added to the whole one."""

    def __init__(self, whole: Path, part: Path, format: str, columns: Sequence[str]) -> None:  # noqa: A002
        self._whole = whole.open("wb")
        self._part = part
        self._is_csv = format == "csv"
        self._texts = ", ".join(f"'{name}'" for name in columns if COLUMNS[name] in _TEXT or name == "tags")
        self._has_header = False

    def add(self, snapshot: Snapshot, select: str, values: dict[str, Any]) -> int:
        options = "FORMAT json"
        if self._is_csv:
            quote = f", FORCE_QUOTE ({self._texts})" if self._texts else ""
            options = f"FORMAT csv, HEADER {str(not self._has_header).lower()}{quote}"
        self._has_header = True
        rows = snapshot.copy(select, values, self._part, options)
        with self._part.open("rb") as part:
            shutil.copyfileobj(part, self._whole, 2**20)
        return rows

    def close(self) -> None:
        self._whole.close()


class _Parquet:
    """Slices as row groups of one file: out of DuckDB as Arrow, where money is exact; it cannot add to such a file."""

    def __init__(self, whole: Path) -> None:
        self._whole = whole
        self._file: parquet.ParquetWriter | None = None

    def add(self, snapshot: Snapshot, select: str, values: dict[str, Any]) -> int:
        import pyarrow.parquet as parquet

        table = snapshot.arrow(select, values)
        if self._file is None:
            self._file = parquet.ParquetWriter(self._whole, table.schema, compression="zstd")
        self._file.write_table(table)
        return int(table.num_rows)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _csv_item(name: str) -> str:
    if name == "tags":
        return quoted_sql("to_json(tags)::VARCHAR")
    return quoted_sql(f"{quoted(name)}::VARCHAR") if COLUMNS[name] in _TEXT else quoted(name)


def _json_item(name: str) -> str:
    if name == "started_at":
        return "strftime(usage.started_at, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return "cost_usd::VARCHAR" if name == "cost_usd" else quoted(name)


def _parquet_item(name: str) -> str:
    return f"{name}::VARCHAR" if COLUMNS[name] == "JSON" else quoted(name)


_ITEM = {"csv": _csv_item, "jsonl": _json_item, "parquet": _parquet_item}
"""A column as it goes into a file of each format, as SQL."""


def _slices(snapshot: Snapshot, where: Condition) -> Iterator[tuple[datetime, datetime, int]]:
    """Spans of whole hours, oldest first, with their numbers of records."""
    hours = snapshot.rows(
        f"SELECT date_trunc('hour', started_at) AS hour, count(*) FROM {snapshot.usage(*where.columns)} "
        f"WHERE {where.sql} GROUP BY hour ORDER BY hour",
        where.values,
    )
    start, rows = None, 0
    for hour, count in hours:
        if start is not None and rows + count > SLICE_ROWS:
            yield start, hour, rows
            start, rows = None, 0
        start, rows = start or hour, rows + count
    if start is not None:
        yield start, hours[-1][0] + timedelta(hours=1), rows


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A folder for work beside the file, that is gone afterwards."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}-", suffix=".tmp", dir=path.parent))
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror}.") from None
    try:
        yield folder
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror}.", "Check free space on the disk.") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
