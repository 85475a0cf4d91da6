"""What is in a ledger, for tests of the write side: through the reader that everybody uses, or in segments alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import duckdb

from llm_core.store.home import Home
from llm_core.usage.manifest import Manifest, commit, load_newest
from llm_core.usage.reader import Reader
from llm_core.usage.recorder import Recorder
from llm_core.usage.segments import SegmentLedger
from llm_core.usage.spool import list_spools

from .rows import record


def ids(home: Home) -> Counter[str]:
    """Every visible id, drained or not, with how often it is there."""
    reader = Reader(home)
    try:
        with reader.snapshot() as snapshot:
            return Counter(snapshot.frame("SELECT id FROM usage")["id"].tolist())
    finally:
        reader.close()


def rows(home: Home, order: str = "started_at, id") -> list[dict[str, Any]]:
    """The rows in segments, exact, as dicts."""
    return query(home, f"SELECT * FROM usage ORDER BY {order}")


def query(home: Home, sql: str) -> list[dict[str, Any]]:
    """A query over the segments alone."""
    with duckdb.connect() as connection:
        SegmentLedger(home).attach(connection)
        cursor = connection.execute(sql)
        names = [name for name, *_ in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def write(home: Home, count: int, **fields: Any) -> list[str]:
    """Record some, through a recorder of its own, and so in a spool of their own. Returns their ids."""
    recorder = Recorder(home)
    made = [record(**fields) for _ in range(count)]
    for each in made:
        recorder.record(each)
    return [each.id for each in made]


def only_spool(home: Home) -> Path:
    (spool,) = list_spools(home)
    return spool.path


def commit_next(home: Home, **changes: Any) -> Manifest:
    """Commit a generation after the newest."""
    manifest = load_newest(home).next(**changes)
    assert commit(home, manifest)
    return manifest
