"""What the rest of the program asks of the ledger: keep a record, and say what was used and what it cost.

What can be asked is in `questions`; here is what the answers come from, and how long it is kept open.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import StoreError
from ..store.home import Home
from ..types import UsageRecord
from .questions import Questions
from .recorder import Recorder

if TYPE_CHECKING:
    import pandas as pd

    from ..settings import SettingsService
    from ..store.state import State
    from .advice import Advisor
    from .alerts import Alerts
    from .around import Around
    from .budgets import Budgets
    from .drainer import Drainer
    from .pricing import Price
    from .question import Question
    from .reader import Reader, Snapshot
    from .sql_console import SqlConsole
    from .view import Problem

T = TypeVar("T")

_log = logging.getLogger(__name__)

_BACKLOG = 16 * 2**20
"""Bytes waiting in the spools above which a question drains first: no program may have drained for days."""

_BACKLOG_SECONDS = 30.0

_AT_ONCE = 3
"""Questions side by side. DuckDB itself works in as many threads as there are cores; what the third one fills is the
time in which another one is planned, or made into a DataFrame."""

_FLUSH_SECONDS = 30.0
_KEEP_SPOOL_DAYS = 7.0


class UsageService(Questions):
    """The usage ledger of one home. Safe for threads.

    Recording loads neither a database nor prices nor settings: `settings` and `price` are called only when draining,
    `state` when budgets are asked for, `around` for alerts and advice.
    """

    def __init__(
        self,
        home: Home,
        settings: Callable[[], SettingsService] | None = None,
        price: Price | None = None,
        state: Callable[[], State] | None = None,
        around: Callable[[], Around] | None = None,
        is_sample: bool = False,
    ) -> None:
        self._home = home
        self._settings = settings
        self._price = price
        self._state = state
        self._around = around
        self._is_sample = is_sample
        self._recorder = Recorder(home)
        self._lock = threading.Lock()
        self._reader_made: Reader | None = None
        self._console_made: SqlConsole | None = None
        self._drainer: Drainer | None = None
        self._budgets_made: Budgets | None = None
        self._alerts_made: Alerts | None = None
        self._current = threading.local()
        self._backlog_at = 0.0

    def record(self, record: UsageRecord) -> None:
        """Keep a record: on return it survives the end of this process and is visible. Raises RecordNotKept."""
        self._recorder.record(record)

    def flush(self) -> None:
        """Move all records that wait in spools into segments, priced, now. Raises StoreError."""
        from .drain import drain_all

        with _store_errors():
            busy = drain_all(self._home, price=self._price, wait=_FLUSH_SECONDS).busy
        if busy:
            raise StoreError(f"Another program has been draining the ledger for {_FLUSH_SECONDS:g} s.", "Try again.")

    def sql(self, query: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> pd.DataFrame:
        """The result of one SELECT over the view `usage`, with `params` bound to `$name` or `?`.

        DECIMAL columns and sums of them are objects of `Decimal`, exact; avg() of money is a float already in SQL.
        `started_at` is UTC without a zone. At most 200,000 rows, 30 seconds and 200 MB. Instead of usage, FROM may
        have usage_priced(), usage_priced_at(time) or usage_priced_on(model id): the same with repriced_usd.
        Raises QueryRefused, QueryFailed, QueryTooLong, LedgerDamaged.
        """
        self._drain_backlog()
        return self._console.run(query, params, self._rates_for(query, params))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All questions asked in this block, by this thread, are about the same records: figures on a page agree."""
        if self._snapshot is not None:
            yield
            return
        self._drain_backlog()
        with self._reader.snapshot() as self._current.snapshot:
            try:
                yield
            finally:
                self._current.snapshot = None

    def side_by_side(self, *questions: Callable[[], T]) -> list[T]:
        """The answers of several questions about the same records, asked at once in threads of their own.

        `side_by_side(lambda: ws.usage.summary(), lambda: ws.usage.groups("model"))`. The first error is raised.
        """
        if self._snapshot is not None or len(questions) < 2:
            with self.snapshot():
                return [question() for question in questions]
        self._drain_backlog()
        with self._reader.snapshots(len(questions)) as snapshots, ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._ask_on, snapshots, questions))

    def _ask_on(self, snapshot: Snapshot, question: Callable[[], T]) -> T:
        self._current.snapshot = snapshot
        try:
            return question()
        finally:
            self._current.snapshot = None

    @property
    def budgets(self) -> Budgets:
        """Limits on what calls may spend, and how they stand."""
        made = self._budgets_made
        if made is None:
            from .budgets import Budgets

            if self._state is None:
                raise StoreError("Budgets need the state of a workspace.", "Use Workspace.open().usage.budgets.")
            with self._lock:
                made = self._budgets_made
                if made is None:
                    made = self._budgets_made = Budgets(
                        self._home, state=self._state, settings=self._settings, ledger=self
                    )
        return made

    @property
    def alerts(self) -> Alerts:
        """What is the matter; `ws.usage.alerts()` for those that are open."""
        made = self._alerts_made
        if made is None:
            from .alerts import Alerts

            if self._state is None:
                raise StoreError("Alerts need the state of a workspace.", "Use Workspace.open().usage.alerts.")
            with self._lock:
                made = self._alerts_made
                if made is None:
                    made = self._alerts_made = Alerts(
                        self._home,
                        self,
                        state=self._state,
                        settings=self._settings,
                        around=self._around,
                        is_sample=self._is_sample,
                    )
        return made

    @property
    def advice(self) -> Advisor:
        """What to do about spend; `ws.usage.advice()` for all of it."""
        from .advice import Advisor

        if self._state is None or self._around is None:
            raise StoreError("Advice needs the state of a workspace.", "Use Workspace.open().usage.advice.")
        return Advisor(self, state=self._state, settings=self._settings, around=self._around)

    def ask(self, question: Question[T]) -> T:
        """The answer to a question of this room's own, which has no name here."""
        return self._answer(question)

    def snapshot_now(self) -> AbstractContextManager[Snapshot]:
        """All records as of now, also where this thread has a `snapshot` open."""
        return self._reader.snapshot()

    def token(self) -> Hashable:
        """Changes when new records are visible, and when files were rearranged: the key of a cache of answers."""
        return self._reader.token()

    def problems(self) -> list[Problem]:
        """What part of the ledger cannot be shown, with its rows and period; empty when all is well."""
        return self._reader.problems()

    def keep_draining(self) -> None:
        """Drain, merge and sweep in a background thread of this process from now on, until `close`."""
        from .drainer import Drainer

        with self._lock:
            if self._drainer is None:
                self._drainer = Drainer(
                    self._home,
                    price=self._price,
                    keep_spool_days=self._keep_spool_days,
                    recount=self._refresh_budgets,
                )
            self._drainer.start()

    def close(self) -> None:
        """End what was started. Everything works again afterwards."""
        with self._lock:
            reader, self._reader_made = self._reader_made, None
            console, self._console_made = self._console_made, None
            drainer, self._drainer = self._drainer, None
            budgets, self._budgets_made = self._budgets_made, None
            alerts, self._alerts_made = self._alerts_made, None
        if alerts is not None:
            alerts.close()
        if drainer is not None:
            drainer.stop()
        if budgets is not None:
            budgets.close()
        if reader is not None:
            reader.close()
        if console is not None:
            console.close()
        self._recorder.close()

    def _refresh_budgets(self) -> None:
        """Also where no call is made: for calls whose process ended, and costs known only now."""
        if self._state is not None:
            self.budgets.refresh()

    def _keep_spool_days(self) -> float:
        return float(self._settings().get("usage.keep_spool_days")) if self._settings else _KEEP_SPOOL_DAYS

    def _ask(self, question: Callable[[Snapshot], T]) -> T:
        with self.snapshot():
            assert self._snapshot is not None
            return self._snapshot.ask(question)

    @property
    def _snapshot(self) -> Snapshot | None:
        return getattr(self._current, "snapshot", None)

    @property
    def _reader(self) -> Reader:
        from .reader import Reader

        with self._lock:
            if self._reader_made is None:
                self._reader_made = Reader(self._home)
            return self._reader_made

    @property
    def _console(self) -> SqlConsole:
        from .sql_console import SqlConsole

        with self._lock:
            if self._console_made is None:
                self._console_made = SqlConsole(self._home)
            return self._console_made

    def _drain_backlog(self) -> None:
        """Drain what was left undrained for long, so that a question does not read it as text each time."""
        from .drain import drain_all
        from .manifest import load_newest
        from .spool import undrained_bytes

        now = time.monotonic()
        if now < self._backlog_at:
            return
        self._backlog_at = now + _BACKLOG_SECONDS
        if undrained_bytes(self._home, load_newest(self._home).spools) > _BACKLOG:
            try:
                with _store_errors():
                    drain_all(self._home, price=self._price, wait=0.0)
            except StoreError as error:  # the question can still be answered, from the spools themselves
                _log.warning("%s", error)


@contextmanager
def _store_errors() -> Iterator[None]:
    """What the disk or DuckDB cannot do, as our own error."""
    import duckdb

    try:
        yield
    except (OSError, duckdb.Error) as error:
        raise StoreError(
            f"The ledger could not be written: {error}",
            "No record is lost. Check free space on the disk and try again.",
        ) from None
