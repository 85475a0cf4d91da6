"""The files that records wait in: their names, and what of them is not in the ledger yet.

A name is `<host>-<pid>-<random>.jsonl`. Only the process named there writes to it, for an hour at most, and each file
has a name of its own. A line is whole when its newline is there. Nothing here changes a file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..store.home import Home
from .manifest import SpoolMark
from .processes import host_name, is_running, this_process

SUFFIX = ".jsonl"
MAX_BATCH = 64 * 2**20
"""Bytes of lines drained at once."""

_SETTLE_SECONDS = 10.0
_SURELY_OVER_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """A spool file as it was when it was looked at. `modified` is in Unix seconds."""

    name: str
    path: Path
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of one spool file, from `offset` on. `torn` is what a writer that is gone left behind them."""

    spool: str
    offset: int
    lines: bytes
    torn: bytes = b""

    @property
    def end(self) -> int:
        return self.offset + len(self.lines) + len(self.torn)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one drain takes. `problems` are sentences about spools that were left out; `more` says lines are left."""

    pieces: tuple[Piece, ...]
    problems: tuple[str, ...] = ()
    more: bool = False

    def marks(self, now: float) -> dict[str, SpoolMark]:
        """How far each spool is drained once this batch is in the ledger."""
        return {piece.spool: SpoolMark(piece.end, now) for piece in self.pieces}


def new_spool_name() -> str:
    return f"{this_process()}-{os.urandom(6).hex()}{SUFFIX}"


def list_spools(home: Home) -> list[SpoolFile]:
    """All spool files, by name. One that is removed meanwhile is left out."""
    return sorted(_list(home), key=lambda spool: spool.name)


def undrained_bytes(home: Home, marks: Mapping[str, SpoolMark]) -> int:
    """Bytes that wait in the spools."""
    return sum(max(0, spool.size - _offset(marks, spool.name)) for spool in _list(home))


def collect(home: Home, marks: Mapping[str, SpoolMark], *, limit: int = MAX_BATCH, now: float | None = None) -> Batch:
    """The lines past `marks`, at most `limit` bytes of them, always to the end of a line.

    A last line without its end is taken (as torn) only when its writer is gone; that of a live writer waits.
    """
    now = time.time() if now is None else now
    pieces: list[Piece] = []
    problems: list[str] = []
    room = limit
    for spool in list_spools(home):
        offset = _offset(marks, spool.name)
        if spool.size < offset:
            problems.append(
                f"{spool.name} has {spool.size} bytes, yet {offset} were drained. It was cut, and is left out."
            )
        if spool.size <= offset:
            continue
        try:
            piece = _read(spool, offset, room, now, takes_any=room == limit)
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"{spool.name} cannot be read: {error.strerror}. It is left out.")
            continue
        if piece.end > offset:
            pieces.append(piece)
        if offset + room < spool.size:
            return Batch(tuple(pieces), tuple(problems), more=True)
        room -= piece.end - offset
    return Batch(tuple(pieces), tuple(problems))


def _list(home: Home) -> Iterator[SpoolFile]:
    with os.scandir(home.spool) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX):
                try:
                    found = os.stat(entry.path)  # noqa: PTH116  # DirEntry.stat may be out of date on Windows
                except FileNotFoundError:
                    continue
                yield SpoolFile(entry.name, Path(entry.path), found.st_size, found.st_mtime)


def _offset(marks: Mapping[str, SpoolMark], name: str) -> int:
    mark = marks.get(name)
    return mark.offset if mark else 0


def _read(spool: SpoolFile, offset: int, room: int, now: float, *, takes_any: bool) -> Piece:
    """The whole lines in the next `room` bytes. A line longer than a whole batch is no record: its parts are taken."""
    with spool.path.open("rb") as file:
        file.seek(offset)
        content = file.read(min(room, spool.size - offset))
    end = content.rfind(b"\n") + 1
    if offset + len(content) < spool.size:
        return Piece(spool.name, offset, content[: end or len(content) * takes_any])
    if end == len(content) or not _has_ended(spool, now):
        return Piece(spool.name, offset, content[:end])
    return Piece(spool.name, offset, content[:end], content[end:])


def _has_ended(spool: SpoolFile, now: float) -> bool:
    """Whether nobody will write to the file again: its process is gone, or must have left it long ago.

    A process of another container may seem gone while it runs; so a file touched a moment ago is never over.
    """
    idle = now - spool.modified
    if idle < _SETTLE_SECONDS:
        return False
    if idle > _SURELY_OVER_SECONDS:
        return True
    host, pid = _writer(spool.name)
    return host == host_name() and not is_running(pid)


def _writer(name: str) -> tuple[str, int]:
    host, _, rest = name.rpartition("-")[0].rpartition("-")
    return host, int(rest) if rest.isascii() and rest.isdigit() else 0
