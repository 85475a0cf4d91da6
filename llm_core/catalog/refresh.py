"""Asks connections what they offer: one, all at once, or each from time to time in the background.

What came of asking is kept for every process; a failure keeps what was known and says why.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from ..errors import (
    LLMManagerError,
    MissingKey,
    NoModelList,
    SampleWorkspace,
    StoreError,
    TimedOut,
    UnknownConnection,
    VaultError,
)
from ..providers.protocol import Adapter, Deadline
from ..store.home import Home
from ..store.listings import ListingCheck, keep_listing, kept_checks, note_check
from ..store.state import State
from ..types import LLMProvider

if TYPE_CHECKING:
    from ..settings import SettingsService

log = logging.getLogger(__name__)

LISTING_SECONDS = 30.0
ALL_SECONDS = 60.0
AT_ONCE = 8
FIRST_LOOK_SECONDS = 30.0
LOOK_SECONDS = 60.0
FAILED_AGAIN_AFTER = timedelta(hours=1)

Outcome = LLMManagerError | int
"""How many models a connection offered, or why it could not be asked."""
Progress = Callable[[int, int, str], object]
"""Told (how many are done, of how many, the connection just done)."""


class Connections(Protocol):
    """What this room asks of ProviderService."""

    def get(self, name: str) -> LLMProvider: ...

    def list(self) -> list[LLMProvider]: ...

    def adapter(self, name: str) -> Adapter: ...


class Refresher:
    """Safe to share between threads."""

    def __init__(self, state: State, providers: Connections, settings: SettingsService, home: Home) -> None:
        self._state = state
        self._providers = providers
        self._settings = settings
        self._home = home
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._running: set[Deadline] = set()
        self._in_vain: dict[str, datetime] = {}
        """When a connection could not be asked in the background for want of its key: each try may ask a keyring."""

    def one(self, connection: str, seconds: float = LISTING_SECONDS) -> int:
        """How many models it offers. Raises what `ModelService.refresh` does."""
        return self._ask(connection, seconds, self._is_about_the_connection)

    def all(self, progress: Progress | None = None) -> dict[str, Outcome]:
        """Every connection that is switched on, in their order; `progress` is called on this thread."""
        names = [connection.name for connection in self._providers.list() if connection.enabled]
        return self._ask_all(names, self._is_about_the_connection, progress)

    def checks(self) -> dict[str, ListingCheck]:
        with self._state.read() as transaction:
            return kept_checks(transaction)

    def keep_checking(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._look, name="llm-manager-models", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the background thread, and stop waiting for connections that are being asked."""
        self._stopping.set()
        with self._lock:
            running = list(self._running)
        for deadline in running:
            deadline.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)

    def _ask(self, name: str, seconds: float, worth_noting: Callable[[LLMManagerError], bool]) -> int:
        deadline = Deadline(seconds)
        with self._lock:
            self._running.add(deadline)
        try:
            found = self._providers.adapter(name).list_models(deadline)
        except NoModelList:
            self._note(name, "")
            raise
        except LLMManagerError as error:
            if worth_noting(error):
                self._note(name, str(error))
            raise
        finally:
            with self._lock:
                self._running.discard(deadline)
        with self._state.write() as transaction:
            return keep_listing(transaction, name, found, datetime.now(UTC))

    def _ask_all(
        self,
        names: Iterable[str],
        worth_noting: Callable[[LLMManagerError], bool],
        progress: Progress | None = None,
    ) -> dict[str, Outcome]:
        names, whole = list(names), Deadline(ALL_SECONDS)
        outcomes: dict[str, Outcome] = {}

        def ask(name: str) -> Outcome:
            left = whole.left() or 0.0
            try:
                if left == 0 or self._stopping.is_set():
                    raise TimedOut(f"{name} was not asked: the others took all the time.", "Ask it alone.")
                return self._ask(name, min(left, LISTING_SECONDS), worth_noting)
            except LLMManagerError as error:
                return error

        with ThreadPoolExecutor(AT_ONCE, "llm-manager-models") as pool:
            running = {pool.submit(ask, name): name for name in names}
            for done, one in enumerate(as_completed(running), start=1):
                outcomes[running[one]] = one.result()
                if progress is not None:
                    progress(done, len(names), running[one])
        return {name: outcomes[name] for name in names}

    def _note(self, name: str, error: str) -> None:
        if not self._stopping.is_set():
            with self._state.write() as transaction:
                note_check(transaction, name, datetime.now(UTC), error)

    @staticmethod
    def _is_about_the_connection(error: LLMManagerError) -> bool:
        """Not about the state of this workspace, or a name that does not exist."""
        if isinstance(error, StoreError):
            return isinstance(error, VaultError)
        return not isinstance(error, (UnknownConnection, SampleWorkspace))

    @classmethod
    def _is_about_the_provider(cls, error: LLMManagerError) -> bool:
        """Not about keys either: another process may have the passphrase or the variable that this one lacks."""
        return cls._is_about_the_connection(error) and not isinstance(error, (VaultError, MissingKey))

    def _look(self) -> None:
        wait = FIRST_LOOK_SECONDS
        while not self._stopping.wait(wait):
            wait = LOOK_SECONDS
            try:
                self._check_those_due()
            except (LLMManagerError, OSError) as error:
                log.debug("Connections could not be asked for their models: %s", error)

    def _check_those_due(self) -> None:
        """In one process of a home at a time: by the time another has the lock, nothing is due."""
        from filelock import FileLock, Timeout

        if not self._due():
            return
        try:
            with FileLock(self._home.listing_lock, blocking=False):
                outcomes = self._ask_all(self._due(), self._is_about_the_provider)
        except Timeout:
            return
        for name, outcome in outcomes.items():
            if isinstance(outcome, LLMManagerError):
                log.info("The models of %s could not be listed: %s", name, outcome)
                if not self._is_about_the_provider(outcome):
                    self._in_vain[name] = datetime.now(UTC)

    def _due(self) -> list[str]:
        """Connections that are switched on and were last asked longer ago than is wanted; a failure is tried sooner."""
        hours = self._settings.get("models.check_hours")
        if not hours:
            return []
        checks, now, age = self.checks(), datetime.now(UTC), timedelta(hours=hours)
        again = min(age, FAILED_AGAIN_AFTER)

        def is_due(name: str) -> bool:
            check, in_vain = checks.get(name), self._in_vain.get(name)
            if in_vain is not None and now - in_vain < again:
                return False
            return check is None or now - check.checked_at >= (again if check.error else age)

        return [one.name for one in self._providers.list() if one.enabled and is_due(one.name)]
