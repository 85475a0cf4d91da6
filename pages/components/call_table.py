"""Calls in a table, and one of them in full: its classes of usage, parts of its cost, and what the provider sent."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import Usage, Workspace
from llm_core.errors import LLMManagerError
from llm_core.types import USAGE_FIELDS
from pages.components import figures, shell
from pages.components.facts import Fact, row
from pages.components.usage_view import View

TABLE, SHOWN, OPEN = "usage.calls", "usage.shown", "usage.open"
WORDS = {"ok": "OK", "error": "Failed", "cancelled": "Stopped", "partial": "Broken off", "interrupted": "Interrupted"}


def table(view: View, calls: pd.DataFrame) -> None:
    """In the order given. A chosen row opens below, and stays chosen when newer calls push it down."""
    ids = st.session_state[SHOWN] = calls["id"].tolist()
    chosen = st.session_state.get(OPEN)
    st.session_state[TABLE] = {"selection": {"rows": [ids.index(chosen)] if chosen in ids else [], "columns": []}}
    st.dataframe(
        view.made(calls, partial(_shown, calls, view.span.tz), "calls"),
        key=TABLE,
        on_select=_choose,
        selection_mode="single-row",
        hide_index=True,
        height=min(420, 38 + 35 * len(calls)),
        placeholder=figures.UNKNOWN,
        column_config={
            "Time": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss", width=130),
            "Model": st.column_config.TextColumn(width=160),
            "Task": st.column_config.TextColumn(width=85),
            "Project": st.column_config.TextColumn(width=90),
            "In": st.column_config.NumberColumn(format="localized", help="Prompt tokens", width=70),
            "Out": st.column_config.NumberColumn(format="localized", help="Billed output tokens", width=70),
            "Cost": st.column_config.NumberColumn(format="$%.5f", help="– where a price is not known", width=90),
            "Latency": st.column_config.NumberColumn(format="%.2f s", width=80),
            "Status": st.column_config.TextColumn(width=150),
        },
        alt="The latest calls",
    )


def _shown(calls: pd.DataFrame, tz: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Time": calls["started_at"].dt.tz_convert(tz),
            "Model": calls["model"],
            "Task": calls["task"],
            "Project": calls["project"],
            "In": calls["input_tokens"],
            "Out": calls["output_tokens"],
            "Cost": calls["cost_usd"].astype(float),
            "Latency": calls["latency_ms"].astype(float) / 1000,
            "Status": [status(*found) for found in zip(calls["status"], calls["error_kind"], strict=True)],
        }
    )


def _choose() -> None:
    rows = st.session_state[TABLE]["selection"]["rows"]
    st.session_state[OPEN] = st.session_state[SHOWN][rows[0]] if rows else None


def status(status: object, kind: object) -> str:
    """OK, Stopped, or what failed: Failed: rate limited."""
    word = WORDS.get(str(status), str(status))
    return f"{word}: {str(kind).replace('_', ' ')}" if figures.known(kind) else word


def detail(ws: Workspace, calls: pd.DataFrame) -> None:
    """Everything kept of the chosen call."""
    found = calls[calls["id"] == st.session_state.get(OPEN)]
    if found.empty:
        st.caption("Choose a row to see all of a call.")
        return
    call = found.iloc[0]
    with st.container(border=True):
        at = call.started_at.tz_convert(shell.tz())
        ended = figures.plain(status(call.status, call.error_kind))
        st.markdown(f"**{figures.plain(call.model)}** · {at:%d %b %Y, %H:%M:%S} · {ended}")
        row(_numbers(call), width=104)
        row(_labels(call), width=136)
        usage, cost = st.columns(2)
        with usage:
            _usage(call)
        with cost:
            _cost(ws, call)
        with st.expander("What the provider sent about usage", type="compact", on_change="rerun") as raw:
            if raw.open:
                _raw(ws, str(call.id))


def _numbers(call: pd.Series) -> list[Fact]:
    return [
        Fact("Tokens in", figures.count(call.input_tokens), _usage_help(call)),
        Fact("Tokens out", figures.count(call.output_tokens), _usage_help(call)),
        Fact("First token", figures.duration(call.ttft_ms)),
        Fact("Time", figures.duration(call.latency_ms)),
        Fact("Cost", figures.usd(call.cost_usd), None if figures.known(call.cost_usd) else "Its price is not known."),
    ]


def _usage(call: pd.Series) -> None:
    """The classes of usage that this call has any of, each under the whole it is a part of."""
    shown = [(name, call[name]) for name in USAGE_FIELDS if figures.known(call[name]) and call[name]]
    st.markdown(":small[:gray[Usage]]")
    if not shown:
        st.caption(_usage_help(call) or "Nothing was used.")
        return
    st.table({_class(name): f"{figures.exact(value)}" for name, value in shown}, border="horizontal")


def _cost(ws: Workspace, call: pd.Series) -> None:
    """The parts of the recorded cost, where the prices of its time still give it; else what was recorded alone."""
    st.markdown(":small[:gray[Cost in US dollars]]")
    if not figures.known(call.cost_usd):
        st.caption("Not known: the price list had no price for this when it was recorded. See the tab Unpriced.")
        return
    parts = _parts(ws, call)
    rows = {_class(name): f"${value:.10f}" for name, value in parts.items()}
    st.table({**rows, "**Recorded**": f"**${call.cost_usd:.10f}**"}, border="horizontal")
    since = f", rates since {call.price_from:%-d %b %Y}" if figures.known(call.price_from) else ""
    known = figures.known(call.price_source)
    st.caption(f"Price source: {figures.plain(call.price_source)}{since}" if known else "Told by the program.")
    if not parts and call.cost_usd:
        st.caption("The price list of today gives another cost, so its parts are not told. What was recorded stays.")


def _parts(ws: Workspace, call: pd.Series) -> dict[str, Decimal]:
    """Empty where the prices known today do not give the recorded cost."""
    used: dict[str, Any] = {name: call[name] for name in USAGE_FIELDS if figures.known(call[name])}
    for owner in dict.fromkeys((call.connection, call.provider)):
        try:
            usage = Usage(**{name: float(n) if name == "audio_seconds" else int(n) for name, n in used.items()})
            at, mode = call.started_at.to_pydatetime(), call["mode"] if figures.known(call["mode"]) else "standard"
            cost = ws.models.price(f"{owner}:{call.model}", usage, at=at, mode=mode)
        except LLMManagerError:
            continue
        if cost.usd is not None and cost.usd == call.cost_usd:
            return {name: part for name, part in cost.parts.items() if part}
    return {}


def _raw(ws: Workspace, record: str) -> None:
    raw = ws.usage.history(1, id=record, columns=["raw_usage"])["raw_usage"]
    if raw.empty or not figures.known(raw.iloc[0]):
        st.caption("Nothing is kept of this call.")
        return
    try:
        st.code(json.dumps(json.loads(raw.iloc[0]), indent=2, ensure_ascii=False), language="json")
    except ValueError:
        st.code(str(raw.iloc[0]), language=None)


def _class(name: str) -> str:
    words = {"cache_write_1h_tokens": "Cache write tokens, kept 1 h"}
    return words.get(name, figures.sentence(name))


def _usage_help(call: pd.Series) -> str | None:
    return {
        "estimated": "Estimated: the call ended before the provider reported its usage.",
        "unknown": "The provider reported no usage for this call.",
    }.get(call.usage_source)


def _labels(call: pd.Series) -> list[Fact]:
    """The labels this call has; those it lacks are left out."""
    names = ("connection", "task", "preset", "app", "user", "project", "mode", "model_reported", "request_id")
    version = f", version {call.preset_version:.0f}" if figures.known(call.preset_version) else ""
    facts = [
        Fact(name.replace("_", " ").capitalize(), figures.plain(f"{call[name]}{version if name == 'preset' else ''}"))
        for name in names
        if figures.known(call[name])
    ]
    tags = call["tags"] if isinstance(call["tags"], dict) else {}
    return [*facts, *(Fact(f"Tag {figures.plain(name)}", figures.plain(value)) for name, value in tags.items())]
