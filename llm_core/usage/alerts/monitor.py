"""The monitor: looks at the figures every few minutes and sends what is due. One process of a home does it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from .events import Alert

_log = logging.getLogger(__name__)

FIRST_LOOK_SECONDS = 5.0
TICK_SECONDS = 5.0
"""How often is looked for messages that are due, and, by those without it, for the lock."""
_LONGEST_PAUSE = 600.0
_LISTEN_SECONDS = 0.2

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
        arrived: Callable[[], object] = lambda: None,
        first_look: float = FIRST_LOOK_SECONDS,
        tick: float = TICK_SECONDS,
    ) -> None:
        self._path = lock
        self._evaluate = evaluate
        self._send = send
        self._check_seconds = check_seconds
        self._arrived = arrived
        self._first_look = first_look
        self._tick = tick
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock: BaseFileLock | None = None

    @property
    def is_watching(self) -> bool:
        """Whether this process is the one."""
        return self._lock is not None

    def start(self, told: Told = lambda alerts: None, *, first_look: float | None = None) -> None:
        """Start the thread, unless it runs. `told` is called on it, after each look that something began in."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            seconds = self._first_look if first_look is None else first_look
            self._thread = threading.Thread(
                target=self._run, args=(told, seconds), name="llm-manager-alerts", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the thread, after the look it is at, and leave the watch to others."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=10.0)
        self.leave()

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

    def watch(self, told: Told = lambda alerts: None) -> None:
        """Watch, beginning now, and wait for `stop`; Ctrl+C ends it and goes on to the caller.

        The looks have a thread of their own here too: a library that is asked by the thread that gets the signal can
        make an error of its own of it (DuckDB does), and the watch would go on.
        """
        self.start(told, first_look=0.0)
        try:
            while self._thread is not None and self._thread.is_alive():
                time.sleep(_LISTEN_SECONDS)
        finally:
            self.stop()

    def _run(self, told: Told, first_look: float) -> None:
        """What goes wrong is logged and tried again, later each time: a locked file is no reason to end for good."""
        pause, due = 0.0, time.monotonic() + first_look
        try:
            while not self._stopping.wait(min(self._tick, max(0.0, due - time.monotonic()))):
                try:
                    due = self._step(due, told)
                    pause = 0.0
                except Exception:  # noqa: BLE001  # whatever it is, a later look may succeed
                    pause = min(max(2 * pause, self._tick), _LONGEST_PAUSE)
                    due = time.monotonic() + pause
                    _log.exception("Alerts could not be looked into. Next try in %.0f s.", pause)
        finally:
            self.leave()

    def _step(self, due: float, told: Told) -> float:
        """Do what is due, if this process is the one that watches. Returns when the next look is."""
        every = self._check_seconds()
        if not every or not self.take():
            return time.monotonic() + self._tick
        if time.monotonic() >= due:
            due = time.monotonic() + every
            begun = self._evaluate()
            if begun:
                told(begun)
        self._send()
        return due

    def leave(self) -> None:
        """Leave the watch to others, once what is being sent has arrived: whoever takes over would send it too."""
        if self._lock is not None:
            self._arrived()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()
