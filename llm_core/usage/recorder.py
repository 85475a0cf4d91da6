"""Keeps a usage record, durably against the end of this process, in microseconds: one write to this process's own file.

No thread, no lock, no fsync and no database here. A record is kept when its whole line was written and the file still
has its name: from then on `kill -9` loses nothing. (A power cut may lose what the system had not yet written to disk.)
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import RecordNotKept
from ..store.home import Home
from ..types import UsageRecord
from .encode import encode
from .spool import new_spool_name

MAX_BYTES = 16 * 2**20
MAX_SECONDS = 3600.0
"""A file is left after this time. So nothing is appended to one idle that long: it may be drained and removed."""

_LOOK_SECONDS = 1.0
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_WINDOWS = os.name == "nt"


_forks = 0
"""Grows in each forked child, which is how it knows that an open file is its parent's. Five times as fast as getpid."""


def _count_fork() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


class Recorder:
    """Appends records to spool files of this process. Safe for many threads, and after a fork.

    Two threads that find the file used up each open a new one: both are drained, and nobody waits.
    """

    def __init__(
        self,
        home: Home,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._folder = home.spool
        self._monotonic = monotonic
        self._wall = wall
        self._file: _SpoolFile | None = None

    def record(self, record: UsageRecord) -> None:
        """Keep a record. Raises RecordNotKept when it could not be written whole; never for what it holds."""
        line = encode(record)
        if not (self._append(line) or self._append(line) or self._append(line)):
            raise _not_kept(self._folder, "its file is removed each time")

    def close(self) -> None:
        """Leave the current file. Recording again opens a new one."""
        self._file = None

    def _append(self, line: bytes) -> bool:
        """Write one line. False when the file had lost its name, so that the line has to be written again elsewhere."""
        now = self._monotonic()
        file = self._file
        if file is None or file.is_used_up(now, self._wall()):
            file = self._open(now)
        try:
            written = os.write(file.descriptor, line)
        except OSError as error:
            if not file.is_empty():
                self._leave(file)
            raise _not_kept(self._folder, error.strerror) from None
        if written != len(line):
            self._leave(file)
            raise _not_kept(self._folder, "the disk is full")
        file.bytes += written
        if file.has_its_name(now):
            return True
        self._leave(file)
        return False

    def _open(self, now: float) -> _SpoolFile:
        try:
            self._file = file = _SpoolFile(self._folder / new_spool_name(), now, self._wall())
        except OSError as error:
            raise _not_kept(self._folder, error.strerror) from None
        return file

    def _leave(self, file: _SpoolFile) -> None:
        """Have the next record go to a new file. (One that an error left empty is as good as new and is not left:
        a program that goes on recording on a full disk would else make an empty file with each try.)"""
        if self._file is file:
            self._file = None


class _SpoolFile:
    """An open spool file. It is closed when the last thread that writes to it lets go, never under another's write."""

    __slots__ = ("bytes", "descriptor", "folder", "forks", "inode", "looked", "name", "opened", "opened_at", "path")

    def __init__(self, path: Path, opened: float, opened_at: float) -> None:
        self.path = path
        self.name = path.name
        self.opened = self.looked = opened
        self.opened_at = opened_at
        self.forks = _forks
        self.bytes = 0
        self.descriptor = os.open(path, _FLAGS, 0o600)
        self.inode = os.fstat(self.descriptor).st_ino
        self.folder = -1 if _WINDOWS else os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)

    def is_used_up(self, now: float, wall: float) -> bool:
        """Full, old or a parent's. The monotonic clock stands still while a laptop sleeps, the wall clock does not."""
        return (
            self.bytes >= MAX_BYTES
            or now - self.opened >= MAX_SECONDS
            or not 0 <= wall - self.opened_at < MAX_SECONDS
            or self.forks != _forks
        )

    def has_its_name(self, now: float) -> bool:
        """Whether the file is still in its folder, and, once a second, whether its whole path still leads to it.

        Not by `fstat` after each write: a count of links is deceived by a hard-linked backup, and who reads a file's
        times makes Linux update them with every write. On Windows an open file cannot lose its name.
        """
        if _WINDOWS:
            return True
        if now - self.looked < _LOOK_SECONDS:
            return os.access(self.name, os.F_OK, dir_fd=self.folder)
        self.looked = now
        try:
            return self.path.stat().st_ino == self.inode
        except OSError:
            return False

    def is_empty(self) -> bool:
        try:
            return os.fstat(self.descriptor).st_size == 0
        except OSError:
            return False

    def __del__(self) -> None:
        for name in ("descriptor", "folder"):
            try:
                os.close(getattr(self, name))
            except (AttributeError, OSError):  # never opened, or closed by a program that closes all files
                pass


def _not_kept(folder: Path, reason: str | None) -> RecordNotKept:
    return RecordNotKept(
        f"A usage record could not be written to {folder}: {reason}.", "Free disk space, or check the folder."
    )
