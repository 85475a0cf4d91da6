"""The ledger on this machine: immutable segment files, listed in numbered manifests."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..store.home import Home
from . import quarantine
from .database import attach
from .files import remove
from .ledger import Appended
from .manifest import SegmentInfo, SpoolMark, commit, load_newest
from .pricing import Price, price_batch
from .schema import COLUMNS
from .segment_file import write_segment
from .spool import Batch
from .staging import private_connection, stage

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class SegmentLedger:
    """The local form of `ledger.Ledger`. `price` prices records that came without a cost; None leaves them unpriced."""

    def __init__(self, home: Home, price: Price | None = None, *, wall: Callable[[], float] = time.time) -> None:
        self._home = home
        self._price = price
        self._wall = wall

    def marks(self) -> Mapping[str, SpoolMark]:
        return load_newest(self._home).spools

    def append(self, batch: Batch) -> Appended | None:
        segment, appended = self._build(batch)
        kept = None
        try:
            kept = quarantine.keep(self._home, appended.bad)
            is_in = self._commit(batch, segment)
        except OSError:
            self._drop(segment, kept)
            raise
        if not is_in:
            self._drop(segment, kept)
            return None
        return appended

    def attach(self, connection: DuckDBPyConnection) -> None:
        manifest = load_newest(self._home)
        columns = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in COLUMNS.items())
        tables = [f"SELECT {columns} WHERE false"]
        for number, info in enumerate(manifest.segments):
            tables.append(f"SELECT * FROM {attach(connection, self._home, info, f'segment_{number}').table}")
        shown = [f"({_all_equal(entry)}) IS NOT TRUE" for entry in manifest.hidden]
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW usage AS FROM ({' UNION ALL BY NAME '.join(tables)}) "
            f"WHERE {' AND '.join(shown) or 'true'}"
        )

    def _build(self, batch: Batch) -> tuple[SegmentInfo | None, Appended]:
        """The batch as a segment that nobody knows of yet; None when no line of it is a record."""
        with private_connection(self._home) as connection:
            bad = stage(connection, batch, self._home.segments)
            priced = price_batch(connection, self._price) if self._price else 0
            rows = connection.execute("SELECT count(*) FROM batch").fetchall()[0][0]
            segment = None
            if rows:
                select = "SELECT * FROM batch ORDER BY started_at"
                segment = write_segment(connection, self._home.segments, rows, select)
        return segment, Appended(rows, priced, tuple(bad))

    def _commit(self, batch: Batch, segment: SegmentInfo | None) -> bool:
        """Whether the batch got in. A generation that came between is no hindrance unless it took lines of ours."""
        while True:
            manifest = load_newest(self._home)
            if any(manifest.offset(piece.spool) != piece.offset for piece in batch.pieces):
                return False
            segments = (*manifest.segments, segment) if segment else manifest.segments
            spools = {**manifest.spools, **batch.marks(self._wall())}
            if commit(self._home, manifest.next(segments=segments, spools=spools)):
                return True

    def _drop(self, segment: SegmentInfo | None, kept: Path | None) -> None:
        if segment:
            remove(self._home.segments / segment.name)
        if kept:
            remove(kept)


def _all_equal(entry: Mapping[str, str]) -> str:
    literals = {name: "'" + value.replace("'", "''") + "'" for name, value in entry.items()}
    return " AND ".join(f'"{name}"::VARCHAR = {literal}' for name, literal in literals.items())
