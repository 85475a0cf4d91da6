"""What pages ask of the ledger, answers kept until new records are visible, and the pulse that looks for them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import Workspace
from pages.components import feedback, figures

_KEPT = 256
_PATIENCE = 100
"""How many times as long as its answer took `lately` leaves a question alone."""


@dataclass(frozen=True)
class Asked:
    """A question of `ws.usage` by name, with its arguments: to be answered, kept, and shown as SQL."""

    question: str
    arguments: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        return self.question, repr(sorted(self.arguments.items()))

    def answer(self, ws: Workspace) -> Any:
        return getattr(ws.usage, self.question)(**self.arguments)

    def sql(self, ws: Workspace) -> str:
        return ws.usage.explain(self.question, **self.arguments)


class _Kept:
    """Answers of one home while no new record is visible; the oldest go first. They are shared: nobody changes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token: Any = None
        self._now: OrderedDict[Any, Any] = OrderedDict()
        self._lately: OrderedDict[Any, tuple[float, Any]] = OrderedDict()

    def answers(self, ws: Workspace, token: Any, asked: Sequence[Asked]) -> list[Any]:
        with self._lock:
            if token != self._token:
                self._token = token
                self._now.clear()
            found = {one.key: self._now[one.key] for one in asked if one.key in self._now}
        missing = {one.key: one for one in asked if one.key not in found}
        answered = ws.usage.side_by_side(*(partial(one.answer, ws) for one in missing.values())) if missing else []
        new = dict(zip(missing, answered, strict=True))
        with self._lock:
            if token == self._token:
                self._now.update(new)
                while len(self._now) > _KEPT:
                    self._now.popitem(last=False)
        found |= new
        return [found[one.key] for one in asked]

    def lately(self, ws: Workspace, asked: Sequence[Asked]) -> list[Any]:
        begin = time.monotonic()
        with self._lock:
            kept = {one.key: self._lately[one.key] for one in asked if one.key in self._lately}
        found = {key: answer for key, (good_until, answer) in kept.items() if begin < good_until}
        missing = {one.key: one for one in asked if one.key not in found}
        answered = ws.usage.side_by_side(*(partial(one.answer, ws) for one in missing.values())) if missing else []
        new = dict(zip(missing, answered, strict=True))
        end = time.monotonic()
        with self._lock:
            self._lately.update({key: (end + _PATIENCE * (end - begin), answer) for key, answer in new.items()})
            while len(self._lately) > _KEPT:
                self._lately.popitem(last=False)
        found |= new
        return [found[one.key] for one in asked]


@st.cache_resource(max_entries=4, show_spinner=False)
def _kept(home: str) -> _Kept:
    return _Kept()


@st.fragment(run_every="1s")
def pulse(ws: Workspace, seen: Any) -> None:
    """Draws nothing. Runs the page again once there are records it has not shown: `seen` is its ledger token."""
    with feedback.boundary():
        if ws.usage.token() != seen:
            st.rerun()


def answers(ws: Workspace, token: Any, *asked: Asked) -> list[Any]:
    """The answer of each question, asked side by side about the same records where it is not kept already."""
    return _kept(str(ws.home.path)).answers(ws, token, asked)


def lately(ws: Workspace, *asked: Asked) -> list[Any]:
    """Answers that may be somewhat old, for what changes slowly: the longer they take, the seldomer they are asked."""
    return _kept(str(ws.home.path)).lately(ws, asked)


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
