"""The state database: small, transactional, shared by many processes. SQLite in WAL mode.

It hands out SQLAlchemy connections and tells cheaply when anything changed; what the rows mean is known to the rooms.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from ..errors import StoreError
from .faults import busy, told_plainly
from .home import Home
from .migrations import bring_up_to_date

BUSY_SECONDS = 10.0


class State:
    """Opens `home.state`, made or migrated first where needed. Safe to share between threads, not across a fork.

    Raises StateTooNew, StateDamaged, StateBusy.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._writing = threading.Lock()
        self._asking = threading.Lock()
        self.engine = _engine(home)
        try:
            with told_plainly(home):
                bring_up_to_date(self.engine, home)
                # Opened by hand and never used to write: data_version tells of every other connection's commits.
                self._observer = sqlite3.connect(
                    home.state, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
                )
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the state for the length of the block. Raises StateBusy, StateDamaged."""
        with told_plainly(self._home), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, the only writer while it lasts: committed at the block's end, undone if it raises.

        Keep the block short, call no provider in it, and do not open another inside it. Raises StateBusy, StateDamaged.
        """
        # Waiting threads queue here: SQLite's own wait polls, which is many times slower with 32 of them.
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise busy(self._home)
        try:
            with told_plainly(self._home), self.engine.connect() as connection:
                connection = connection.execution_options(write=True)
                with connection.begin():
                    yield connection
        finally:
            self._writing.release()

    def version(self) -> int:
        """A number that differs after any commit by any process; cheap enough to ask on every call.

        It means something only beside an earlier answer of the same State.
        """
        with told_plainly(self._home), self._asking:
            try:
                return int(self._observer.execute("PRAGMA data_version").fetchone()[0])
            except sqlite3.ProgrammingError:
                raise StoreError("This workspace was closed.", "Open it again.") from None

    def close(self) -> None:
        self.engine.dispose()
        with self._asking:
            self._observer.close()


def _engine(home: Home) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(home.state)),
        connect_args={"timeout": BUSY_SECONDS},
        max_overflow=-1,
        hide_parameters=True,  # values bound to a statement stay out of its errors
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # we begin our transactions ourselves, see below
        connection.execute("PRAGMA foreign_keys=ON")
        # In WAL mode this survives the death of a process; only a power cut may take the last commits, never the file.
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        """A writer takes its lock at once: a read that later writes could be refused for a stale view."""
        writes = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
