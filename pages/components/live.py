"""What pages ask of the ledger, answers kept until new records are visible, and the pulse that looks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import Workspace
from pages.components import feedback, figures
from pages.components.span import Span

CALLS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Answers:
    """Of one span and one set of filters, all from the same records except `before`, which is a minute old at most."""

    now: pd.Series
    before: pd.Series
    by_model: pd.DataFrame
    p95_ms: pd.DataFrame
    calls: pd.DataFrame


@st.fragment(run_every="1s")
def pulse(ws: Workspace, seen: Any) -> None:
    """Draws nothing. Runs the page again once there are records it has not shown: `seen` is its ledger token."""
    with feedback.boundary():
        if ws.usage.token() != seen:
            st.rerun()


def answers(ws: Workspace, token: Any, span: Span, filters: Mapping[str, str]) -> Answers:
    home = str(ws.home.path)
    now, by_model, p95_ms, calls = _answers(ws, home, token, span, dict(filters))
    return Answers(now, _before(ws, home, span, dict(filters)), by_model, p95_ms, calls)


@st.cache_data(max_entries=32, ttl="1h", show_spinner=False)
def _answers(_ws: Workspace, home: str, token: Any, span: Span, filters: dict[str, str]) -> tuple[Any, ...]:
    usage, when = _ws.usage, {"start": span.start, **filters}
    with usage.snapshot():
        return (
            usage.summary(**when).iloc[0],
            usage.series(by="model", bucket=span.bucket, tz=span.tz, **when),
            usage.latency(bucket=span.bucket, tz=span.tz, **when),
            usage.history(limit=CALLS_SHOWN, **when),
        )


@st.cache_data(max_entries=32, ttl="1m", show_spinner=False)
def _before(_ws: Workspace, home: str, span: Span, filters: dict[str, str]) -> pd.Series:
    """Past time seldom gets new records, so these need not be asked for with each new one."""
    return _ws.usage.summary(*span.earlier, **filters).iloc[0]


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
