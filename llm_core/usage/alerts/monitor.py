"""The monitor: looks at the figures every few minutes and sends what is due. One process of a home does it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import LLMManagerError

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from .events import Alert

_log = logging.getLogger(__name__)

FIRST_LOOK_SECONDS = 5.0
TICK_SECONDS = 5.0
"""How often is looked for messages that are due, and, by those without it, for the lock."""
_LONGEST_PAUSE = 600.0

Told = Callable[[Sequence["Alert"]], object]
"""Told of alerts that began."""


class Monitor:
    """Watches in the background until `stop`. Whichever process holds the home's lock file does; its end frees it."""

    def __init__(
        self,
        lock: Path,
        evaluate: Callable[[], Sequence[Alert]],
        send: Callable[[], None],
        check_seconds: Callable[[], float],
        *,
        first_look: float = FIRST_LOOK_SECONDS,
        tick: float = TICK_SECONDS,
    ) -> None:
        self._path = lock
        self._evaluate = evaluate
        self._send = send
        self._check_seconds = check_seconds
        self._first_look = first_look
        self._tick = tick
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock: BaseFileLock | None = None
        self._failures = 0

    @property
    def is_watching(self) -> bool:
        """Whether this process is the one."""
        return self._lock is not None

    def start(self) -> None:
        """Start the thread, unless it runs."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="llm-manager-alerts", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, after the look it is at, and leave the watch to others."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=10.0)
        self._release()

    def take(self) -> bool:
        """Become the one that watches; False where another process is."""
        from filelock import FileLock, Timeout

        if self._lock is None:
            lock = FileLock(self._path, mode=0o600, thread_local=False)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                return False
            self._lock = lock
        return True

    def watch(self, told: Told = lambda alerts: None, *, first_look: float = 0.0) -> None:
        """Watch on this thread until `stop`. `told` is called after each look that something began in."""
        due = time.monotonic() + first_look
        while not self._stopping.wait(min(self._tick, max(0.0, due - time.monotonic()))):
            every = self._check_seconds()
            try:
                if not every or not self.take():
                    due = time.monotonic() + self._tick
                    continue
                if time.monotonic() >= due:
                    begun = self._evaluate()
                    due = time.monotonic() + every
                    self._failures = 0
                    if begun:
                        told(begun)
                self._send()
            except (LLMManagerError, OSError) as error:
                self._failures += 1
                due = time.monotonic() + min(every * 2**self._failures, _LONGEST_PAUSE)
                _log.warning("Alerts could not be looked into: %s", error)
        self._release()

    def _run(self) -> None:
        try:
            self.watch(first_look=self._first_look)
        except Exception:
            _log.exception("The monitor of alerts ended")
            self._release()
            raise

    def _release(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()
