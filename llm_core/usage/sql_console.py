"""SQL typed by a person: run in a process of its own, so that no statement can harm the program that asks.

The first statement starts the process (about 0.3 s), the next ones reuse it; one ended by its limits is replaced.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .. import errors
from ..errors import QueryError, QueryFailed, QueryTooLong
from ..store.home import Home
from .frames import from_arrow
from .sql_worker import OVER_MEMORY, OVER_TIME, Limits, receive, send

if TYPE_CHECKING:
    import pandas as pd

AT_ONCE = 2
"""Statements that run at the same time; a third waits."""

_STUCK_SECONDS = 5.0
"""After its time limit, until a worker that did not end itself is killed."""

_ENVIRONMENT = frozenset(
    (
        *("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "LC_CTYPE", "TZ"),
        *("SYSTEMROOT", "WINDIR", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONHOME", "XDG_CACHE_HOME", "LLM_MANAGER_CACHE"),
    )
)
"""What a worker gets of the environment: nothing else, so no key."""

_START = """
import sys
first, *rest = sys.argv[3:]
sys.path.insert(0, first)
sys.path.extend(rest)
from llm_core.usage.sql_worker import main
main()
"""


class SqlConsole:
    """Runs statements over one ledger. Safe for threads."""

    def __init__(self, home: Home, limits: Limits | None = None) -> None:
        self._home = home
        self._limits = limits or Limits()
        self._free: list[_Worker] = []
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def run(
        self,
        query: str,
        params: Mapping[str, Any] | Sequence[Any] | None = None,
        rates: Sequence[tuple[Any, ...]] | None = None,
    ) -> pd.DataFrame:
        """The result of one SELECT over `usage`; `params` are bound to `$name` (a mapping) or `?` (a sequence).

        `rates`, as `repricing.rate_rows` gives them, are what the functions usage_priced ... price with.

        Raises QueryRefused, QueryFailed, QueryTooLong, LedgerDamaged.
        """
        import pyarrow as pa

        try:
            request = pickle.dumps((str(query), params, rates))
        except (pickle.PicklingError, TypeError, AttributeError):
            raise QueryFailed(
                "A parameter is of a kind that SQL does not know.", "Give text, numbers or times."
            ) from None
        with self._places:
            header, table = self._ask(request)
        if header is not None:
            name, message, hint = header
            raise getattr(errors, name)(message, hint)
        with pa.ipc.open_stream(table) as stream:
            return from_arrow(stream.read_all())

    def close(self) -> None:
        """End the processes. Running a statement again starts a new one."""
        free, self._free = self._free, []
        for worker in free:
            worker.end()

    def _ask(self, request: bytes) -> tuple[list[str] | None, bytes]:
        worker = self._take()
        try:
            answer = worker.ask(request)
        except BaseException:
            worker.end()
            raise
        self._free.append(worker)
        return answer

    def _take(self) -> _Worker:
        while True:
            try:
                worker = self._free.pop()
            except IndexError:
                return _Worker(self._home, self._limits)
            if worker.is_alive():
                return worker
            worker.end()


class _Worker:
    """One process. It ends with the program, with `end`, or when nobody holds this object any more."""

    def __init__(self, home: Home, limits: Limits) -> None:
        self._limits = limits
        if not sys.executable:
            raise QueryFailed("Typed SQL runs in a Python process of its own, and there is none to start.")
        limits_text = json.dumps(dataclasses.asdict(limits))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, os.fspath(home.path), limits_text, *_import_paths()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: value for name, value in os.environ.items() if name.upper() in _ENVIRONMENT},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise QueryFailed(f"The process for typed SQL could not be started: {error.strerror}.") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        self.end = weakref.finalize(self, _end, self._process, os.getpid())

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: bytes) -> tuple[list[str] | None, bytes]:
        """The answer's header (None, or an error's name, message and hint) and its table."""
        stuck = threading.Event()
        guard = threading.Timer(self._limits.seconds + _STUCK_SECONDS, self._kill, args=(stuck,))
        guard.daemon = True
        guard.start()
        try:
            send(self._requests, request)
            return json.loads(receive(self._answers)), receive(self._answers)
        except (EOFError, OSError):
            code = self._process.wait()
            raise self._why_it_ended(OVER_TIME if stuck.is_set() else code) from None
        finally:
            guard.cancel()

    def _kill(self, stuck: threading.Event) -> None:
        stuck.set()
        self._process.kill()

    def _why_it_ended(self, code: int) -> QueryError:
        if code == OVER_MEMORY:
            return QueryTooLong(
                f"The statement needs more than {self._limits.process_mb} MB of memory.",
                "Group or filter before sorting and joining.",
            )
        if code == OVER_TIME:
            return QueryTooLong(
                f"The statement ran longer than {self._limits.seconds:g} seconds.",
                "Ask for a shorter span: WHERE started_at > now() - INTERVAL 30 DAY.",
            )
        return QueryFailed(
            f"The process for typed SQL was ended from outside (code {code}).",
            "If this repeats, the machine may be short of memory.",
        )


def _import_paths() -> list[str]:
    """Where this very package lies, then wherever else this program imports from."""
    return [os.fspath(Path(__file__).parents[2]), *(path for path in sys.path if path)]


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    if os.getpid() != owner:
        return  # a fork's child, which only inherited the handle
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:  # bytes for a process that is gone
                continue
    process.wait()
