"""File steps that must survive a crash and a busy Windows: sync, rename, link, remove.

On Windows a file that anyone has open can be neither replaced nor removed, and scanners open new files for a moment:
there each step is tried five times within a second before its error is raised.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)
_WINDOWS = os.name == "nt"
_WAITS = (0.05, 0.1, 0.25, 0.6) if _WINDOWS else ()
_NO_HARD_LINKS = frozenset(
    code
    for name in ("EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "EINVAL")
    if (code := getattr(errno, name, None)) is not None
)


def sync_file(path: Path) -> None:
    """Have the system write the file's bytes to its disk. (macOS may still hold them in the drive's own cache.)"""
    handle = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Make names made or removed in a folder durable. Windows has no such call and needs none."""
    if _WINDOWS:
        return
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def rename(source: Path, target: Path) -> None:
    _try_again(lambda: source.rename(target))


def remove(path: Path) -> bool:
    """Remove a file. True when it is gone, or was gone before; False when somebody still holds it (Windows)."""
    try:
        _try_again(lambda: path.unlink(missing_ok=True))
    except PermissionError:
        if _WINDOWS:
            return False
        raise
    return True


def remove_folder(path: Path) -> None:
    """Remove a folder with all in it, as far as it can be removed now."""
    shutil.rmtree(path, ignore_errors=True)


def create_once(path: Path, content: bytes) -> bool:
    """Create a file with its whole content, synced, unless the name exists. False: another process made it first.

    A temporary file gets the name by a hard link, so nobody sees it half written. Where there are no hard links
    (exFAT, some shares) the name is created first and then filled: its reader must tell a part from the whole.
    Raises OSError, and then the name was not created.
    """
    temporary = path.with_name(f".{os.getpid()}-{os.urandom(6).hex()}.tmp")
    try:
        _write_new(temporary, content)
        try:
            _try_again(lambda: os.link(temporary, path))
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            try:
                _write_new(path, content)
            except FileExistsError:
                return False
    finally:
        temporary.unlink(missing_ok=True)
    try:
        sync_folder(path.parent)
    except OSError as error:  # the name is there and others act on it: this is not a failure to create it
        _log.warning("%s could not be synced to disk: %s", path.parent, error)
    return True


def _write_new(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _try_again(step: Callable[[], T]) -> T:
    for wait in _WAITS:
        try:
            return step()
        except PermissionError:
            time.sleep(wait)
    return step()
