"""The file steps of the vault and its audit log: locks, whole-file replacement, modes, leftovers of a crash.

A file is either the old one or the new one, whatever ends the process. Modes mean nothing on Windows.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ..errors import VaultBusy, VaultLocked, VaultNotWritten

T = TypeVar("T")

LOCK_SECONDS = 20.0
_WINDOWS = os.name == "nt"
_WAITS = (0.05, 0.1, 0.25, 0.6, 1.0) if _WINDOWS else ()
"""On Windows a file that somebody reads or scans can be neither replaced nor removed for that moment."""
_NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs")

Signature = tuple[int, int, int, int]


@contextmanager
def locked(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock file: one holder among all threads and processes. Raises VaultBusy after `seconds`."""
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=seconds, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise VaultBusy(f"{path.name} is held by another program.", "Try again in a moment.") from None
    except OSError as error:
        raise VaultNotWritten(f"{path} cannot be used: {error.strerror}.", "Check the folder's owner.") from None
    try:
        yield
    finally:
        lock.release()


def signature(path: Path) -> Signature | None:
    """Differs after the file was replaced; None where there is none. Cheap."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def read_private(path: Path) -> bytes:
    """The file's bytes; a mode that lets others in is closed first. Raises FileNotFoundError, VaultLocked."""
    try:
        content = _try_again(path.read_bytes)
        if not _WINDOWS:
            found = path.stat()
            if found.st_uid not in (os.geteuid(), 0):
                raise VaultLocked(f"{path} belongs to another user.", "Only its owner can use it.")
            if stat.S_IMODE(found.st_mode) & 0o077:
                path.chmod(0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise VaultLocked(f"{path} cannot be read: {error.strerror}.", "Check its owner and mode (0600).") from None
    return content


def replace(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put `content` in the file's place; on failure the old file stands. Raises VaultNotWritten.

    `durable`: it is on disk when this returns. Without, a power cut may bring an older or an empty file back.
    """
    temporary = path.with_name(f".{path.name}-{os.getpid()}-{os.urandom(6).hex()}.tmp")
    try:
        try:
            _write_new(temporary, content, durable)
            _try_again(lambda: temporary.replace(path))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        raise VaultNotWritten(
            f"{path.name} could not be written: {error.strerror}. What was there stands.",
            "Free some space, or check the folder's owner, and try again.",
        ) from None


def append(path: Path, content: bytes) -> None:
    """Add bytes at the file's end and have them on disk. A crash may leave a part of them. Raises OSError."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)


def remove(path: Path) -> None:
    _try_again(lambda: path.unlink(missing_ok=True))


def sweep(*paths: Path) -> None:
    """Remove the temporary files that ended processes left beside these. Call it while holding their lock."""
    for path in paths:
        for left in path.parent.glob(f".{path.name}-*.tmp"):
            remove(left)


def sync_folder(path: Path) -> None:
    """Make a changed name durable. Windows has no such call and needs none."""
    if _WINDOWS:
        return
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def network_file_system(path: Path) -> str | None:
    """The kind of network file system that `path` lies on, where that is known (Linux); locks may not hold there."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    best, kind = "", ""
    place = os.path.realpath(path)
    for mount in mounts:
        fields = mount.split(" ")
        point = fields[1].replace("\\040", " ")
        if len(point) >= len(best) and (place == point or place.startswith(point.rstrip("/") + "/")):
            best, kind = point, fields[2]
    return kind if kind.startswith(_NETWORK) else None


def _write_new(path: Path, content: bytes, durable: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(handle)


def _try_again(step: Callable[[], T]) -> T:
    for wait in _WAITS:
        try:
            return step()
        except PermissionError:
            time.sleep(wait)
    return step()
