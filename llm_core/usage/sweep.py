"""Removes what the ledger needs no more: old manifests, replaced segments, orphans, and spools drained long ago.

A file goes only when none of the manifests that are kept needs it, so that falling back to an older one after damage
loses nothing. Clocks are used for nothing else in the ledger; a time in the future counts as now.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import LedgerDamaged
from ..store.home import Home
from .files import remove, remove_folder
from .locks import hold
from .manifest import KEPT, Manifest, SpoolMark, commit, load, load_newest, numbers, path_of
from .spool import SpoolFile, list_spools

DAY = 24 * 3600.0
GRACE = 600.0
"""Seconds a replaced segment stays for readers that are about to attach it."""

_ORPHAN_AGE = 3600.0


@dataclass(frozen=True, slots=True)
class Swept:
    """How many files of each kind were removed. `busy`: another process held the lock, nothing was done."""

    manifests: int = 0
    segments: int = 0
    orphans: int = 0
    spools: int = 0
    busy: bool = False


def sweep(home: Home, *, keep_spool_days: float = 7.0, now: float | None = None) -> Swept:
    """Remove what has had its time. A spool is kept `keep_spool_days`, at least one, after its last byte was drained.

    Raises LedgerDamaged, LedgerTooNew, OSError.
    """
    with hold(home.commit_lock) as held:
        if not held:
            return Swept(busy=True)
        return _sweep(home, max(1.0, keep_spool_days) * DAY, time.time() if now is None else now)


def _sweep(home: Home, keep_spool: float, now: float) -> Swept:
    newest = load_newest(home)
    kept, old = _kept_and_old(home)
    manifests = sum(remove(path_of(home, number)) for number in old)
    needed = {segment.name for manifest in (newest, *kept) for segment in manifest.segments}
    trash = _trash_left(home, newest, needed, now)
    orphans = _remove_orphans(home, needed | newest.trash.keys(), now)
    spools, removed = _spools_left(home, newest, kept, keep_spool, now)
    # The files first, then the manifest without them: a spool without its mark would be drained again.
    if trash != newest.trash or spools != newest.spools:
        commit(home, newest.next(trash=trash, spools=spools))
    return Swept(manifests, len(newest.trash) - len(trash), orphans, removed)


def _kept_and_old(home: Home) -> tuple[list[Manifest], list[int]]:
    """The newest readable manifests, and the numbers below the last of them. Damaged ones do not count as kept."""
    kept: list[Manifest] = []
    listed = numbers(home)
    for position, number in enumerate(listed):
        if len(kept) == KEPT:
            return kept, listed[position:]
        try:
            kept.append(load(home, number))
        except (LedgerDamaged, FileNotFoundError):
            continue
    return kept, []


def _trash_left(home: Home, newest: Manifest, needed: set[str], now: float) -> dict[str, float]:
    left = {name: min(since, now) for name, since in newest.trash.items()}
    for name, since in list(left.items()):
        if now - since >= GRACE and name not in needed and remove(home.segments / name):
            del left[name]
    return left


def _remove_orphans(home: Home, known: set[str], now: float) -> int:
    """Files that a killed process left: built but never committed, or half built. Young ones may be in the making."""
    with os.scandir(home.segments) as entries:
        unknown = [Path(entry.path) for entry in entries if entry.name not in known]
    unknown += home.manifests.glob(".*.tmp")
    removed = 0
    for path in unknown:
        try:
            is_old = now - path.stat().st_mtime >= _ORPHAN_AGE
        except FileNotFoundError:
            continue
        if is_old and path.is_dir():
            remove_folder(path)
        elif is_old:
            remove(path)
        removed += is_old
    return removed


def _spools_left(
    home: Home, newest: Manifest, kept: Sequence[Manifest], keep: float, now: float
) -> tuple[dict[str, SpoolMark], int]:
    """The marks to go on with, and how many spools were removed.

    A spool goes when its time is over and it is drained to its end in every kept manifest, the newest among them. A
    file in which nothing was ever written has no mark; its time counts from when it was made.
    """
    marks = {name: SpoolMark(mark.offset, min(mark.grown_at, now)) for name, mark in newest.spools.items()}
    sizes = {spool.name: spool for spool in list_spools(home)}
    removed = 0
    for name, spool in sizes.items():
        mark = marks.get(name, SpoolMark(0, spool.modified))
        is_drained = all(manifest.offset(name) == spool.size for manifest in kept)
        if is_drained and now - mark.grown_at >= keep and _still_has(spool) and remove(spool.path):
            marks.pop(name, None)
            removed += 1
    gone = [name for name, mark in marks.items() if name not in sizes and now - mark.grown_at >= keep]
    return {name: mark for name, mark in marks.items() if name not in gone}, removed


def _still_has(spool: SpoolFile) -> bool:
    """Whether nothing was written since the file was listed: nobody should, unless a clock has lied."""
    return spool.path.stat().st_size == spool.size
