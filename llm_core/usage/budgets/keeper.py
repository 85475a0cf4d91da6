"""The thread that settles what ended, some milliseconds later, and has the ledger counted anew while calls are made."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

_GATHER_SECONDS = 0.05
"""What ends within this time is settled in one transaction."""


class Keeper:
    """Starts its thread at the first need. `settle` and `refresh` are called on it; what they raise is logged."""

    def __init__(self, settle: Callable[[], None], refresh: Callable[[], None]) -> None:
        self._settle = settle
        self._refresh = refresh
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._is_refresh_due = False
        self._process = os.getpid()

    def wake(self, *, refresh: bool = False) -> None:
        """Something ended; with `refresh`, the counts are old too."""
        if refresh:
            self._is_refresh_due = True
        if self._thread is None:
            self._start()
        self._wake.set()

    def close(self) -> None:
        """Settle what ended, and end. In a forked child there is no thread."""
        if self._process != os.getpid():
            return
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            atexit.unregister(self.close)
            self._stop.set()
            self._wake.set()
            thread.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(target=self._run, args=(self._stop,), name="budget-keeper", daemon=True)
                self._thread.start()
                atexit.register(self.close)

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._wake.wait()
            stop.wait(_GATHER_SECONDS)
            self._wake.clear()
            self._do(self._settle)
            if self._is_refresh_due and not stop.is_set():
                self._do(self._refresh)
                self._is_refresh_due = False

    def _do(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as error:  # noqa: BLE001  # a later call tries again
            _log.warning("Budgets: %s", error)
