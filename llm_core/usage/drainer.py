"""The background thread that keeps the ledger in order while the app runs: drains, merges and sweeps when due.

Records are visible without it: readers see what waits in the spools. It exists so that little waits there.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable

from ..store.home import Home
from .drain import drain
from .manifest import load_newest
from .merge import Merger
from .pricing import Price
from .spool import undrained_bytes
from .sweep import sweep

DRAIN_BYTES = 4 * 2**20
DRAIN_SECONDS = 30.0
"""Drain when this much waits, or when anything has waited this long: 5.6 times less disk writing than every second."""

_LOOK_SECONDS = 1.0
_SWEEP_SECONDS = 60.0
_LONGEST_PAUSE = 60.0
_log = logging.getLogger(__name__)


class Drainer:
    """Drains in the background until `stop`. An error is logged and tried again, later each time, up to a minute."""

    def __init__(
        self,
        home: Home,
        *,
        price: Price | None = None,
        keep_spool_days: Callable[[], float] = lambda: 7.0,
        recount: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._price = price
        self._keep_spool_days = keep_spool_days
        self._recount = recount
        """Of what budgets have spent: after each drain, and once a minute."""
        self._monotonic = monotonic
        self._merger = Merger(home)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self._waiting_since: float | None = None
        self._swept_at: float | None = None
        self._problems: tuple[str, ...] = ()

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread, unless it runs. After a fork the child has none until it calls this."""
        if self.is_running:
            return
        self._stop = threading.Event()
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, args=(self._stop,), name="usage-drainer", daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Stop the thread and wait for what it is doing, a merge at the longest. In a forked child there is none."""
        atexit.unregister(self.stop)
        if self._process != os.getpid():
            self._thread = None
            return
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None

    def step(self) -> None:
        """Do what is due now. Raises what drain, merge and sweep raise."""
        now = self._monotonic()
        if self._is_drain_due(now):
            self._drain()
            while self._merger.merge():
                pass
            self._recount()
        if self._swept_at is None or now - self._swept_at >= _SWEEP_SECONDS:
            self._swept_at = now
            sweep(self._home, keep_spool_days=self._keep_spool_days())
            self._recount()

    def _run(self, stop: threading.Event) -> None:
        pause = _LOOK_SECONDS
        while not stop.wait(pause):
            try:
                self.step()
                pause = _LOOK_SECONDS
            except Exception:  # noqa: BLE001  # whatever it is, a later step may succeed
                pause = min(2 * pause, _LONGEST_PAUSE)
                _log.exception("Draining the ledger failed; records stay in the spool. Next try in %.0f s.", pause)

    def _is_drain_due(self, now: float) -> bool:
        waiting = undrained_bytes(self._home, load_newest(self._home).spools)
        if not waiting:
            self._waiting_since = None
            return False
        if self._waiting_since is None:
            self._waiting_since = now
        return waiting >= DRAIN_BYTES or now - self._waiting_since >= DRAIN_SECONDS

    def _drain(self) -> None:
        self._waiting_since = None
        more = True
        while more and not self._stop.is_set():
            done = drain(self._home, price=self._price)
            more = done.more
            for problem in set(done.problems) - set(self._problems):
                _log.warning("%s", problem)
            self._problems = done.problems
