"""What pages ask of the ledger, answers kept until new records are visible, and the pulse that looks for them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast

import pandas as pd
import streamlit as st

from llm_core import Workspace
from pages.components import feedback, figures, first_screen

PATIENCE_S = 0.3
"""How long a page waits, from its beginning on, for an answer that it can do without."""
_KEPT, _MADE = 256, 64
_PATIENCE = 100
"""For how many times as long as it took a somewhat old answer is good."""
_WORKERS = 2
_SLOW_S, _REST_S = 0.4, 2.0
"""Where the questions that a page waits for took so long, those it does without begin only after it has been drawn: the
browser needs the cores.
"""
_AWAITED = "live.awaited"
_NOTHING = 0.0, None
Key = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """A question of `ws.usage` by name, with its arguments: to be answered, kept, and shown as SQL."""

    question: str
    arguments: Mapping[str, Any]

    @property
    def key(self) -> Key:
        return self.question, repr(sorted(self.arguments.items()))

    def answer(self, ws: Workspace) -> Any:
        return getattr(ws.usage, self.question)(**self.arguments)

    def sql(self, ws: Workspace) -> str:
        return ws.usage.explain(self.question, **self.arguments)


@dataclass(eq=False)
class _Coming:
    """A question that is being answered beside the pages."""

    asked: Asked
    since: float
    taken: bool = False
    done: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class _Failed:
    error: Exception


class _Kept:
    """Answers of one home, shared by all who look at it: nobody changes them. The oldest go first.

    `_now` are of the records visible now and go when there are new ones; `_lately` are good for a while.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token: Any = None
        self._now: OrderedDict[Key, Any] = OrderedDict()
        self._lately: OrderedDict[Key, tuple[float, Any]] = OrderedDict()
        self._made: OrderedDict[Hashable, tuple[object, Any]] = OrderedDict()
        self._coming: dict[Key, _Coming] = {}
        self._workers = 0
        self._rest_until = 0.0

    def ask(self, ws: Workspace, token: Any, now: Sequence[Asked], lately: Sequence[Asked]) -> list[Any]:
        begin = time.monotonic()
        with self._lock:
            if now and token != self._token:
                self._token = token
                self._now.clear()
            found = {one.key: self._now[one.key] for one in now if one.key in self._now}
            older = {one.key: self._lately[one.key] for one in lately if one.key in self._lately}
        found |= {key: answer for key, (good_until, answer) in older.items() if begin < good_until}
        missing = {one.key: one for one in (*now, *lately) if one.key not in found}
        answered = ws.usage.side_by_side(*(partial(_timed, ws, one) for one in missing.values())) if missing else []
        if time.monotonic() - begin > _SLOW_S:
            self._rest_until = time.monotonic() + _REST_S
        new = dict(zip(missing, answered, strict=True))
        with self._lock:
            if token == self._token:
                _keep(self._now, {one.key: new[one.key][1] for one in now if one.key in new})
            _keep(self._lately, {one.key: new[one.key] for one in lately if one.key in new})
        found |= {key: answer for key, (_, answer) in new.items()}
        return [found[one.key] for one in (*now, *lately)]

    def made(self, key: Hashable, source: object, make: Callable[[], T]) -> T:
        with self._lock:
            of, found = self._made.get(key, (None, None))
        if of is not source:
            found = make()
            with self._lock:
                _keep(self._made, {key: (source, found)}, _MADE)
        return cast(T, found)

    def begin(self, ws: Workspace, asked: Sequence[Asked]) -> None:
        """See to it that these are being answered, where there is no good answer."""
        now = time.monotonic()
        with self._lock:
            for one in asked:
                good_until, _ = self._lately.get(one.key, (0.0, None))
                if now >= good_until and one.key not in self._coming:
                    self._coming[one.key] = _Coming(one, now)
            wanted = min(_WORKERS, len(self._coming)) - self._workers
            self._workers += max(0, wanted)
        for _ in range(wanted):
            threading.Thread(target=self._work, args=(ws,), name="llm-manager-answers").start()

    def soon(self, ws: Workspace, asked: Asked) -> tuple[Any | None, float | None]:
        """What is kept, and which one that is where another is on its way; (None, 0.0) before there is any."""
        self.begin(ws, [asked])
        with self._lock:
            coming, (given, answer) = self._coming.get(asked.key), self._lately.get(asked.key, _NOTHING)
        if coming is not None and not given:
            coming.done.wait(max(0.0, coming.since + PATIENCE_S - time.monotonic()))
            with self._lock:
                coming, (given, answer) = self._coming.get(asked.key), self._lately.get(asked.key, _NOTHING)
        if isinstance(answer, _Failed):
            with self._lock:
                self._lately.pop(asked.key, None)
            raise answer.error
        return answer, given if coming is not None else None

    def news(self, awaited: Mapping[Key, float]) -> bool:
        """Whether one of these questions has another answer than the one that was given."""
        with self._lock:
            return any(self._lately.get(key, _NOTHING)[0] != given for key, given in awaited.items())

    def _work(self, ws: Workspace) -> None:
        """Answer what is waiting, the newest first: that is what somebody looks at."""
        while True:
            with self._lock:
                waiting = [coming for coming in self._coming.values() if not coming.taken]
                if not waiting:
                    self._workers -= 1
                    return
                coming = waiting[-1]
                coming.taken = True
            time.sleep(max(0.0, self._rest_until - time.monotonic()))
            try:
                answer = _timed(ws, coming.asked)
            except Exception as error:  # noqa: BLE001 - told to whoever asked
                answer = time.monotonic() + _PATIENCE, _Failed(error)
            with self._lock:
                _keep(self._lately, {coming.asked.key: answer})
                del self._coming[coming.asked.key]
            coming.done.set()


def _timed(ws: Workspace, asked: Asked) -> tuple[float, Any]:
    """Until when the answer is good as a somewhat old one, and the answer."""
    begin = time.monotonic()
    answer = asked.answer(ws)
    end = time.monotonic()
    return end + _PATIENCE * (end - begin), answer


def _keep(kept: OrderedDict[Any, Any], new: Mapping[Any, Any], most: int = _KEPT) -> None:
    for key, answer in new.items():
        kept[key] = answer
        kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


@st.cache_resource(max_entries=4, show_spinner=False)
def _kept(home: str) -> _Kept:
    return _Kept()


def pulse(ws: Workspace, page: str, seen: Any) -> None:
    """Draws nothing. Runs the page again once there are records it has not shown, or an answer it did without.

    `seen` is its ledger token. Goes before the first `soon` of a page.
    """
    st.session_state[_AWAITED] = {}
    _beat(ws, seen, page if first_screen.alone(page) else None)


@st.fragment(run_every="1s")
def _beat(ws: Workspace, seen: Any, first_of: str | None) -> None:
    """`first_of`: the page whose first screen this run may have drawn; then its rest is what comes next."""
    if first_of is not None and first_screen.waits(first_of):
        return
    with feedback.boundary():
        if ws.usage.token() != seen or _kept(str(ws.home.path)).news(st.session_state.get(_AWAITED, {})):
            st.rerun()


def answers(ws: Workspace, token: Any, *asked: Asked, lately: Sequence[Asked] = ()) -> list[Any]:
    """The answer of each question, asked side by side about the same records where it is not kept already.

    Those in `lately` come last. They may be somewhat old: the longer they take, the seldomer they are asked.
    """
    return _kept(str(ws.home.path)).ask(ws, token, asked, lately)


def made(ws: Workspace, key: Hashable, source: object, make: Callable[[], T]) -> T:
    """What `make` makes of the answer `source` and of what `key` names, kept with it: nobody changes it."""
    return _kept(str(ws.home.path)).made(key, source, make)


def begin(ws: Workspace, *asked: Asked) -> None:
    """Have these answered beside the page, for `soon`."""
    _kept(str(ws.home.path)).begin(ws, asked)


def soon(ws: Workspace, asked: Asked) -> Any | None:
    """The answer, which may be somewhat old, to a question that takes too long to wait for. None while there is none.

    The page is run again when there is a new one.
    """
    answer, given = _kept(str(ws.home.path)).soon(ws, asked)
    if given is not None:
        st.session_state.setdefault(_AWAITED, {})[asked.key] = given
    return answer


def values(ws: Workspace, token: Any, column: str) -> list[str]:
    """What a filter on this column can be set to, the most frequent first; a new value shows up within a minute.

    Only whether there is anything at all is always answered from the newest records.
    """
    home = str(ws.home.path)
    return _values(ws, home, None, column) or _values(ws, home, token, column)


@st.cache_data(max_entries=64, ttl="1m", show_spinner=False)
def _values(_ws: Workspace, home: str, token: Any, column: str) -> list[str]:
    return _ws.usage.values(column, limit=200)


def by_connection(ws: Workspace, token: Any, start: datetime) -> pd.DataFrame:
    """Spend, calls and errors since `start`, one row for each connection, by its name."""
    return _by_connection(ws, str(ws.home.path), token, start)


@st.cache_data(max_entries=8, ttl="1h", show_spinner=False)
def _by_connection(_ws: Workspace, home: str, token: Any, start: datetime) -> pd.DataFrame:
    return _ws.usage.groups("connection", start=start).set_index("connection")


def spend_by_day(ws: Workspace, token: Any, start: datetime, tz: str) -> dict[str, list[float]]:
    """Dollars of each of the seven days from `start` on in `tz`, by connection: for small charts, so unknown is 0."""
    return _spend_by_day(ws, str(ws.home.path), token, start, tz)


@st.cache_data(max_entries=8, ttl="1h", show_spinner=False)
def _spend_by_day(_ws: Workspace, home: str, token: Any, start: datetime, tz: str) -> dict[str, list[float]]:
    days = [day.date() for day in pd.date_range(pd.Timestamp(start).tz_convert(tz), periods=7, freq="D")]
    found: dict[str, list[float]] = {}
    for row in _ws.usage.series(by="connection", bucket="day", tz=tz, start=start).itertuples():
        if figures.known(row.cost_usd) and row.bucket.date() in days:
            spent = found.setdefault(str(row.connection), [0.0] * len(days))
            spent[days.index(row.bucket.date())] = float(row.cost_usd)
    return found
