"""The latest calls in a table, and one of them in full."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import figures, shell
from pages.components.facts import Fact, row

TABLE, SHOWN, OPEN = "usage.calls", "usage.shown", "usage.open"
WORDS = {"ok": "OK", "error": "Failed", "cancelled": "Stopped", "partial": "Broken off", "interrupted": "Interrupted"}


def table(calls: pd.DataFrame) -> None:
    """Newest first. A chosen row opens below, and stays chosen when newer calls push it down."""
    ids = st.session_state[SHOWN] = calls["id"].tolist()
    chosen = st.session_state.get(OPEN)
    st.session_state[TABLE] = {"selection": {"rows": [ids.index(chosen)] if chosen in ids else [], "columns": []}}
    st.dataframe(
        pd.DataFrame(
            {
                "Time": calls["started_at"].dt.tz_convert(shell.tz()),
                "Model": calls["model"],
                "Task": calls["task"],
                "Project": calls["project"],
                "In": calls["input_tokens"],
                "Out": calls["output_tokens"],
                "Cost": calls["cost_usd"].astype(float),
                "Latency": calls["latency_ms"].astype(float) / 1000,
                "Status": [status(found) for found in calls.to_dict("records")],
            }
        ),
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


def _choose() -> None:
    rows = st.session_state[TABLE]["selection"]["rows"]
    st.session_state[OPEN] = st.session_state[SHOWN][rows[0]] if rows else None


def status(call: dict[str, object]) -> str:
    """OK, Stopped, or what failed: Failed: rate limited."""
    word = WORDS.get(str(call["status"]), str(call["status"]))
    kind = call["error_kind"]
    return f"{word}: {str(kind).replace('_', ' ')}" if figures.known(kind) else word


def detail(calls: pd.DataFrame) -> None:
    """Everything kept of the chosen call."""
    found = calls[calls["id"] == st.session_state.get(OPEN)]
    if found.empty:
        st.caption("Choose a row to see all of a call.")
        return
    call = found.iloc[0]
    with st.container(border=True):
        at = call.started_at.tz_convert(shell.tz())
        st.markdown(
            f"**{figures.plain(call.model)}** · {at:%d %b %Y, %H:%M:%S} · {figures.plain(status(call.to_dict()))}"
        )
        row(_numbers(call), width=104)
        row(_labels(call), width=160)


def _numbers(call: pd.Series) -> list[Fact]:
    tokens = {
        "Tokens in": call.input_tokens,
        "of these cached": call.cache_read_tokens,
        "Tokens out": call.output_tokens,
        "of these reasoning": call.reasoning_tokens,
    }
    source = f"Price list {call.price_source}, since {call.price_from}" if figures.known(call.price_source) else None
    return [
        *(Fact(label, figures.count(value), _usage_help(call)) for label, value in tokens.items()),
        Fact("First token", figures.duration(call.ttft_ms)),
        Fact("Time", figures.duration(call.latency_ms)),
        Fact("Cost", figures.usd(call.cost_usd), source),
    ]


def _usage_help(call: pd.Series) -> str | None:
    return {
        "estimated": "Estimated: the call ended before the provider reported its usage.",
        "unknown": "The provider reported no usage for this call.",
    }.get(call.usage_source)


def _labels(call: pd.Series) -> list[Fact]:
    """The labels this call has; those it lacks are left out."""
    names = ("connection", "task", "preset", "app", "user", "project", "mode", "model_reported", "request_id")
    version = f", version {call.preset_version:.0f}" if figures.known(call.preset_version) else ""
    return [
        Fact(name.replace("_", " ").capitalize(), figures.plain(f"{call[name]}{version if name == 'preset' else ''}"))
        for name in names
        if figures.known(call[name])
    ]
