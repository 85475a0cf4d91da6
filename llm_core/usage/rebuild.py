"""Makes a ledger anew from all that is left of it: every readable segment file and every spool, one row for each id.

For when all manifests are gone, or a segment is damaged whose records are still in its inputs or in the spools.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StoreError
from ..store.home import Home
from . import quarantine
from .files import rename
from .locks import hold
from .manifest import Manifest, SegmentInfo, SpoolMark, commit, numbers
from .pricing import Price, price_batch
from .schema import COLUMNS_VERSION
from .segment_file import extent, file_digest, write_segment
from .spool import collect
from .staging import private_connection, quoted, stage

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY_LIMIT = "500MB"
_LOCK_WAIT = 120.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The ledger after a rebuild. `damaged` names segment files that could not be read; they lie in quarantine."""

    rows: int
    segments: int
    from_spools: int
    damaged: tuple[str, ...]


def rebuild(home: Home, *, price: Price | None = None) -> Rebuilt:
    """Commit a new generation with every record that can be found, each id once.

    Whole files stay as they are; a file that repeats some ids of larger ones is written anew without them; one that
    repeats them all goes to the trash. Writers may go on meanwhile. Raises StoreError when another process holds the
    ledger for two minutes, OSError, duckdb.Error; then the old state stays.
    """
    with hold(home.merge_lock, _LOCK_WAIT) as merging, hold(home.commit_lock, _LOCK_WAIT) as committing:
        if not (merging and committing):
            raise StoreError("The ledger is in use by another process.", "Stop the app, then try again.")
        with private_connection(home, _MEMORY_LIMIT) as connection:
            return _Rebuild(home, connection, price).run()


class _Rebuild:
    def __init__(self, home: Home, connection: DuckDBPyConnection, price: Price | None) -> None:
        self._home = home
        self._connection = connection
        self._price = price
        self._segments: list[SegmentInfo] = []
        self._spools: dict[str, SpoolMark] = {}
        self._trash: list[str] = []
        self._damaged: list[str] = []
        self._from_spools = 0
        connection.execute("CREATE TEMP TABLE seen (id VARCHAR)")

    def run(self) -> Rebuilt:
        for path, _ in sorted(self._sizes(), key=lambda entry: -entry[1]):
            self._take_file(path)
        self._take_spools()
        now = time.time()
        manifest = Manifest(0, 0.0, "", highest=max(numbers(self._home), default=0)).next(
            segments=self._segments, spools=self._spools, trash=dict.fromkeys(self._trash, now)
        )
        if not commit(self._home, manifest):
            raise StoreError("The ledger changed while it was rebuilt.", "Stop all programs that use it and try again.")
        for name in self._damaged:
            rename(self._home.segments / name, self._home.quarantine / name)
        return Rebuilt(manifest.rows, len(self._segments), self._from_spools, tuple(self._damaged))

    def _sizes(self) -> Iterator[tuple[Path, int]]:
        """The readable segment files with their rows. Every column is read, so that no damage comes to light later."""
        import duckdb

        for path in sorted(self._home.segments.glob("*.duckdb")):
            try:
                with self._attached(path):
                    rows, _ = self._connection.execute(
                        "SELECT count(*), bit_xor(hash(r)) FROM segment_file.usage AS r"
                    ).fetchall()[0]
            except duckdb.Error:
                self._damaged.append(path.name)
            else:
                yield path, rows

    def _take_file(self, path: Path) -> None:
        with self._attached(path):
            table = "segment_file.usage"
            rows, oldest, newest = extent(self._connection, table)
            fresh = self._fresh(table)
            if oldest and newest and fresh == rows:
                self._connection.execute(f"INSERT INTO seen SELECT id FROM {table}")
                self._segments.append(
                    SegmentInfo(
                        path.name, rows, path.stat().st_size, oldest, newest, COLUMNS_VERSION, file_digest(path)
                    )
                )
            else:
                self._trash.append(path.name)
                self._write_fresh(table, fresh)

    def _take_spools(self) -> None:
        more = True
        while more:
            batch = collect(self._home, self._spools)
            bad = stage(self._connection, batch, self._home.segments)
            if self._price:
                price_batch(self._connection, self._price)
            fresh = self._fresh("batch")
            self._write_fresh("batch", fresh)
            quarantine.keep(self._home, bad)
            self._from_spools += fresh
            self._spools.update(batch.marks(time.time()))
            more = batch.more

    def _fresh(self, table: str) -> int:
        """How many ids of a table were not seen yet."""
        found = self._connection.execute(f"SELECT count(DISTINCT id) FROM {table} ANTI JOIN seen USING (id)").fetchall()
        return int(found[0][0])

    def _write_fresh(self, table: str, fresh: int) -> None:
        if fresh:
            select = f"SELECT DISTINCT ON (id) * FROM {table} ANTI JOIN seen USING (id) ORDER BY started_at"
            segment = write_segment(self._connection, self._home.segments, fresh, select)
            self._connection.execute(f"INSERT INTO seen SELECT DISTINCT id FROM {table} ANTI JOIN seen USING (id)")
            self._segments.append(segment)

    @contextmanager
    def _attached(self, path: Path) -> Iterator[None]:
        self._connection.execute(f"ATTACH {quoted(path)} AS segment_file (READ_ONLY)")
        try:
            yield
        finally:
            self._connection.execute("DETACH segment_file")
