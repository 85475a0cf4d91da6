"""Tells whether a folder lies on a network file system, where locks and shared memory cannot be trusted.

SQLite's write-ahead log needs memory that all who have it open share, which no network file system gives
(https://www.sqlite.org/wal.html, "all processes using a database must be on the same host computer"). A folder that a
virtual machine shares with its host is no better.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

_REMOTE = frozenset(
    (
        *(
            "nfs",
            "nfs3",
            "nfs4",
            "cifs",
            "smb",
            "smb2",
            "smb3",
            "smbfs",
            "afpfs",
            "ncpfs",
            "9p",
            "afs",
            "auristorfs",
            "coda",
        ),
        *("ceph", "lustre", "glusterfs", "gpfs", "beegfs", "panfs", "pvfs2", "orangefs", "webdav", "davfs", "davfs2"),
        *(
            "sshfs",
            "rclone",
            "s3fs",
            "gcsfuse",
            "goofys",
            "juicefs",
            "mfs",
            "vboxsf",
            "vmhgfs",
            "vmhgfs-fuse",
            "virtiofs",
        ),
        *("prl_fs", "grpcfuse", "macfuse", "osxfuse", "curlftpfs"),
    )
)
"""Kinds of file systems as systems name them, without a `fuse.` before them."""

_OCTAL = re.compile(r"\\([0-7]{3})")
_MAC_LINE = re.compile(r"^.+? on (?P<at>/.*) \((?P<kind>\w+)[,)]")
_DRIVE_REMOTE = 4


def network_kind(path: Path) -> str | None:
    """The kind of network file system that `path`, or what is there of it, lies on; None for a local one, or where the
    system does not tell."""
    platform: str = sys.platform
    if platform == "win32":
        return _on_windows(path)
    real = os.path.realpath(path)
    try:
        mounts = _linux_mounts() if platform == "linux" else _mac_mounts()
    except (OSError, ValueError):
        return None
    return kind_of(real, mounts)


def kind_of(real: str, mounts: Iterable[tuple[str, str]]) -> str | None:
    """The same of a path without links and of the mounts there are, as (mount point, kind), the oldest first."""
    deepest, found = -1, ""
    for at, kind in mounts:
        covers = real == at or real.startswith(at.rstrip("/") + "/")
        if covers and len(at) >= deepest:  # of two at one place the later lies on top
            deepest, found = len(at), kind
    name = found.removeprefix("fuse.")
    return name if name in _REMOTE else None


def read_mountinfo(text: str) -> list[tuple[str, str]]:
    """Of /proc/self/mountinfo, as `man 5 proc` describes it. Raises ValueError for what is not."""
    mounts = []
    for line in text.splitlines():
        place, _, kind = line.partition(" - ")
        at = _OCTAL.sub(lambda found: chr(int(found[1], 8)), place.split(" ")[4])
        mounts.append((at.encode("latin-1", "surrogateescape").decode("utf-8", "surrogateescape"), kind.split(" ")[0]))
    return mounts


def read_mount(text: str) -> list[tuple[str, str]]:
    """Of what the program `mount` prints on macOS: `//ann@host/share on /Volumes/share (smbfs, nodev)`."""
    return [(found["at"], found["kind"]) for line in text.splitlines() if (found := _MAC_LINE.match(line))]


def _linux_mounts() -> list[tuple[str, str]]:
    with open("/proc/self/mountinfo", encoding="latin-1") as file:  # noqa: PTH123
        return read_mountinfo(file.read())


def _mac_mounts() -> list[tuple[str, str]]:
    import subprocess

    try:
        done = subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=5, check=False)
    except subprocess.TimeoutExpired:  # a server that does not answer
        return []
    return read_mount(done.stdout)


def _on_windows(path: Path) -> str | None:
    import ctypes

    root = path.absolute().anchor
    if root.startswith("\\\\"):
        return "a share of another computer"
    kind = ctypes.WinDLL("kernel32").GetDriveTypeW(root)  # type: ignore[attr-defined,unused-ignore]
    return "a share of another computer" if kind == _DRIVE_REMOTE else None
