"""Counts how often each key was handed out, per day, over all processes. Counts are not part of the audit chain.

Kept in memory and added to the file now and then, so handing out a key stays cheap: kill -9 loses the last half minute
of counts, never a key.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from ..errors import VaultError
from ..store.home import Home
from . import disk

log = logging.getLogger(__name__)

FLUSH_SECONDS = 30.0
DAYS_KEPT = 400


@dataclass(frozen=True, slots=True)
class Reads:
    total: int = 0
    today: int = 0
    last: datetime | None = None


class ReadCounts:
    """This process's counts, and the shared file that they are added to."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._new: Counter[tuple[str, str]] = Counter()
        self._last: dict[str, datetime] = {}
        self._flushed = float("-inf")

    def count(self, entry: str) -> None:
        now = datetime.now(UTC)
        with self._lock:
            self._new[entry, now.date().isoformat()] += 1
            self._last[entry] = now
            due = time.monotonic() - self._flushed >= FLUSH_SECONDS
        if due:
            self.flush()

    def flush(self) -> None:
        """Add what was counted to the file. When that cannot be done now, the counts wait for the next time."""
        if self._pid != os.getpid():
            return  # a child after a fork: these counts are its parent's
        with self._lock:
            self._flushed = time.monotonic()
            new, last = self._new, self._last
            self._new, self._last = Counter(), {}
        if not new:
            return
        try:
            with disk.locked(self._home.key_reads_lock, seconds=0.2):
                counts = _added(self._read(), new, last)
                disk.replace(self._home.key_reads, orjson.dumps(counts), durable=False)
        except VaultError as error:
            log.debug("Key reads are counted later: %s", error)
            with self._lock:
                self._new.update(new)
                self._last = {**last, **self._last}

    def forget(self, entries: set[str]) -> None:
        """Drop the counts of deleted keys."""
        with self._lock:
            self._new = Counter({key: count for key, count in self._new.items() if key[0] not in entries})
            self._last = {entry: at for entry, at in self._last.items() if entry not in entries}
        try:
            with disk.locked(self._home.key_reads_lock, seconds=1.0):
                found = self._read()
                if entries & set(found):
                    kept = {entry: counts for entry, counts in found.items() if entry not in entries}
                    disk.replace(self._home.key_reads, orjson.dumps(kept))
        except VaultError as error:
            log.debug("Counts of a deleted key are left: %s", error)

    def of_all(self) -> dict[str, Reads]:
        """By entry id, with this process's newest."""
        with self._lock:
            found = _added(self._read(), self._new, self._last)
        today = datetime.now(UTC).date().isoformat()
        return {
            entry: Reads(sum(kept["days"].values()), kept["days"].get(today, 0), datetime.fromisoformat(kept["last"]))
            for entry, kept in found.items()
        }

    def _read(self) -> dict[str, dict[str, Any]]:
        """The file, or nothing where it is not what it should be: counts are not worth an error."""
        try:
            found = orjson.loads(self._home.key_reads.read_bytes())
            return {
                str(entry): {
                    "days": {date.fromisoformat(day).isoformat(): int(count) for day, count in kept["days"].items()},
                    "last": datetime.fromisoformat(kept["last"]).isoformat(),
                }
                for entry, kept in found.items()
            }
        except (OSError, AttributeError, KeyError, TypeError, ValueError):
            return {}


def _added(
    found: dict[str, dict[str, Any]], new: Counter[tuple[str, str]], last: dict[str, datetime]
) -> dict[str, dict[str, Any]]:
    oldest = (datetime.now(UTC).date() - timedelta(days=DAYS_KEPT)).isoformat()
    for (entry, day), count in new.items():
        days = found.setdefault(entry, {"days": {}, "last": last[entry].isoformat()})["days"]
        days[day] = days.get(day, 0) + count
    for entry, at in last.items():
        found[entry]["last"] = max(found[entry]["last"], at.isoformat())
    for kept in found.values():
        kept["days"] = {day: count for day, count in kept["days"].items() if day >= oldest}
    return found
