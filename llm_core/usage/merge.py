"""Merges small segments into larger ones, so that a query opens few files. Never blocks draining.

The merged file is built under `merge.lock` alone, which may take seconds; only swapping it in takes `commit.lock`.
A build of more than a million rows runs in a process of its own: its memory goes when it ends.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from ..errors import LedgerDamaged
from ..store.home import Home
from .files import remove
from .locks import hold
from .manifest import Manifest, SegmentInfo, commit, load_newest
from .schema import COLUMNS_VERSION
from .segment_file import is_intact, write_segment
from .staging import private_connection, quoted

TIERS = (8_000, 64_000, 512_000, 4_000_000, 16_000_000)
"""Upper bounds of rows. A segment of 16M rows or more is sealed: it is never merged again."""

FILES_PER_TIER = 8
MAX_UNSEALED = 24

_SORT_BELOW = 100_000
_CHILD_FROM = 1_000_000
_MEMORY_LIMIT = "100MB"
_SWAP_WAIT = 60.0
_log = logging.getLogger(__name__)


class Merger:
    """Merges the segments of one home. Remembers which of them are damaged, and leaves those alone."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._damaged: set[str] = set()

    def merge(self) -> SegmentInfo | None:
        """Merge once. Returns the new segment; None when nothing is due, or another process merges now.

        Raises OSError (also when the disk has less than 1.3 times the inputs free), duckdb.Error, LedgerDamaged; then
        nothing is changed.
        """
        with hold(self._home.merge_lock) as held:
            inputs = self._inputs() if held else ()
            if not inputs:
                return None
            _require_space(self._home, inputs)
            rows = sum(segment.rows for segment in inputs)
            merged = (build if rows < _CHILD_FROM else _build_in_child)(self._home, inputs)
            try:
                with hold(self._home.commit_lock, _SWAP_WAIT) as commit_held:
                    is_live = commit_held and swap(self._home, inputs, merged)
            except (OSError, LedgerDamaged):
                remove(self._home.segments / merged.name)
                raise
            if not is_live:
                remove(self._home.segments / merged.name)
            return merged if is_live else None

    def _inputs(self) -> tuple[SegmentInfo, ...]:
        """What is due and, by its checksum, intact: damage is neither copied nor able to hold up the other segments."""
        while True:
            inputs = choose(load_newest(self._home), self._damaged)
            damaged = {segment.name for segment in inputs if not is_intact(self._home, segment)}
            if not damaged:
                return inputs
            self._damaged |= damaged
            _log.warning("Damaged and not merged: %s. Run `llm-manager doctor`.", ", ".join(sorted(damaged)))


def choose(manifest: Manifest, avoid: Collection[str] = ()) -> tuple[SegmentInfo, ...]:
    """The segments to merge now: eight of the lowest tier that has eight, else the smallest tiers when there are
    more than 24 unsealed. Empty when neither holds."""
    tiers: list[list[SegmentInfo]] = [[] for _ in TIERS]
    for segment in manifest.segments:
        tier = _tier(segment.rows)
        if tier < len(TIERS) and segment.name not in avoid and segment.columns_version <= COLUMNS_VERSION:
            tiers[tier].append(segment)
    for members in tiers:
        if len(members) >= FILES_PER_TIER:
            return tuple(members[:FILES_PER_TIER])
    surplus = sum(map(len, tiers)) - MAX_UNSEALED
    chosen: list[SegmentInfo] = []
    for members in tiers:
        if surplus <= 0 or len(chosen) > surplus:
            break
        chosen += members
    return tuple(chosen)


def swap(home: Home, inputs: Sequence[SegmentInfo], merged: SegmentInfo) -> bool:
    """Put the merged segment in the place of its inputs, which go to the trash. False when one of them is not live."""
    names = {segment.name for segment in inputs}
    while True:
        manifest = load_newest(home)
        if not names <= {segment.name for segment in manifest.segments}:
            return False
        rest = tuple(segment for segment in manifest.segments if segment.name not in names)
        trash = {**manifest.trash, **dict.fromkeys(names, time.time())}
        if commit(home, manifest.next(segments=(*rest, merged), trash=trash)):
            return True


def build(home: Home, inputs: Sequence[SegmentInfo]) -> SegmentInfo:
    """One segment with all rows of the inputs in time order, which no manifest names yet.

    Rows are sorted where that is cheap; else the inputs follow each other by their first record. At 2M rows a sort ran
    out of memory under 400 MB.
    """
    ordered = sorted(inputs, key=lambda segment: segment.min_started_at)
    rows = sum(segment.rows for segment in ordered)
    with private_connection(home, _MEMORY_LIMIT) as connection:
        for number, segment in enumerate(ordered):
            connection.execute(f"ATTACH {quoted(home.segments / segment.name)} AS input_{number} (READ_ONLY)")
        union = " UNION ALL BY NAME ".join(f"SELECT * FROM input_{number}.usage" for number in range(len(ordered)))
        order = " ORDER BY started_at" if rows < _SORT_BELOW else ""
        return write_segment(connection, home.segments, rows, f"SELECT * FROM ({union}){order}")


def _tier(rows: int) -> int:
    return next((number for number, bound in enumerate(TIERS) if rows < bound), len(TIERS))


def _require_space(home: Home, inputs: Sequence[SegmentInfo]) -> None:
    needed = int(1.3 * sum(segment.bytes for segment in inputs))
    free = shutil.disk_usage(home.segments).free
    if free < needed:
        raise OSError(f"Merging needs {needed:,} bytes of free disk space, and there are {free:,}.")


def _build_in_child(home: Home, inputs: Sequence[SegmentInfo]) -> SegmentInfo:
    """`build` in a new interpreter, which takes the inputs and gives the merged segment as JSON."""
    package = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"from {__name__} import answer_parent; answer_parent()", str(home.path)],
        input=json.dumps([segment.to_json() for segment in inputs]),
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LedgerDamaged(f"Merging {len(inputs)} segments failed: {done.stderr.strip()[-500:]}")
    return SegmentInfo.from_json(json.loads(done.stdout))


def answer_parent() -> None:
    """What the process started by `_build_in_child` does."""
    inputs = [SegmentInfo.from_json(segment) for segment in json.load(sys.stdin)]
    sys.stdout.write(json.dumps(build(Home(Path(sys.argv[1])), inputs).to_json()))
