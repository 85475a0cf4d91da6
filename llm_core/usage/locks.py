"""The two locks of a ledger: `commit.lock`, held for milliseconds, and `merge.lock`, held while a merge builds a file.

They spare work, they do not keep the ledger right: creating the next manifest does that, with no lock at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hold(path: Path, wait: float = 0.0) -> Iterator[bool]:
    """Hold a lock for the `with` block. Gives False, at once or after `wait` seconds, when another holds it.

    It is asked for every 2 ms: a slower asker starves beside a process that drains in a tight loop.
    """
    from filelock import FileLock, Timeout  # 30 ms and 8 MB that a program which only records does not pay

    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=wait, poll_interval=0.002)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
