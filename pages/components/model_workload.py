"""My workload: what a person would use a model for in a month, so that prices become one figure for each model.

It begins as the own calls of the last 30 days; what is typed is kept for all pages and visits.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import Workspace
from llm_core.catalog import TYPICAL, Workload
from llm_core.errors import InvalidInput
from pages.components import feedback, figures, model_rows
from pages.components.choices import choice, choose

EXAMPLE = TYPICAL["chat"]
OWN, TYPED, MADE_UP = "your last 30 days", "typed by you", "an example"
_PREFIX = "models.load."


def current(ws: Workspace) -> tuple[Workload, str]:
    """The workload, and where it is from: OWN, TYPED or MADE_UP."""
    kept = _read(choice(ws, "workload"))
    if kept is not None:
        return kept, TYPED
    found = of_records(model_rows.here(ws))
    return (found, OWN) if found is not None else (EXAMPLE, MADE_UP)


def of_records(here: pd.DataFrame) -> Workload | None:
    """The average call of these records, and how many there are; audio only where there is nothing else.

    None where no record reports its usage.
    """
    calls = int(here["calls"].sum())
    prompt, cached, answer, seconds = (
        float(here[name].astype(float).sum())
        for name in ("input_tokens", "cache_read_tokens", "output_tokens", "audio_seconds")
    )
    if not calls or not (prompt or seconds):
        return None
    return Workload(
        calls,
        round(prompt / calls),
        round(answer / calls),
        cached_share=round(cached / prompt, 2) if prompt else 0.0,
        audio_minutes=0.0 if prompt else round(seconds / 60 / calls, 2),
    )


def words(load: Workload) -> str:
    """1,240 calls a month of 2,600 tokens in, 230 out, 40 % cached."""
    parts = [
        f"{figures.count(load.calls_per_month)} calls a month of {figures.count(load.input_tokens)} tokens in, "
        f"{figures.count(load.output_tokens)} out"
    ]
    if load.cached_share:
        parts.append(f"{figures.share(load.cached_share)} cached")
    if load.audio_minutes:
        parts.append(f"{load.audio_minutes:g} min of audio")
    if load.mode != "standard":
        parts.append(load.mode)
    return ", ".join(parts)


def opener(ws: Workspace, load: Workload, origin: str) -> None:
    """The workload in words, on a button that opens the calculator."""
    opened = st.popover(
        f"My workload: {words(load)}", icon=":material/calculate:", key="models.load", on_change="rerun"
    )
    if opened.open:
        with opened:
            calculator(ws, load, origin)


def calculator(ws: Workspace, load: Workload, origin: str) -> None:
    """Fields filled with the workload; each change is kept and counts at once."""
    values = dataclasses.asdict(load) | {"cached_share": round(load.cached_share * 100)}
    for name, value in values.items():
        st.session_state[_PREFIX + name] = value
    change: dict[str, Any] = {"on_change": _keep, "args": (ws,)}
    with st.grid(6, min_column_width=136):
        whole: dict[str, Any] = {"min_value": 0, "max_value": 10**12, **change}
        st.number_input("Calls a month", step=100, key=_PREFIX + "calls_per_month", **whole)
        st.number_input("Tokens in", step=100, key=_PREFIX + "input_tokens", help="Of one call's prompt", **whole)
        st.number_input("Tokens out", step=50, key=_PREFIX + "output_tokens", help="Of one call's answer", **whole)
        st.number_input(
            "Cached, %",
            min_value=0,
            max_value=100,
            step=5,
            key=_PREFIX + "cached_share",
            help="The part of the prompt that is read from the provider's cache",
            **change,
        )
        st.number_input(
            "Audio, minutes",
            min_value=0.0,
            max_value=1e6,
            step=1.0,
            format="%g",
            key=_PREFIX + "audio_minutes",
            help="Of one call",
            **change,
        )
        st.selectbox("Mode", ("standard", "batch"), key=_PREFIX + "mode", format_func=str.capitalize, **change)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"The figures are {origin}.", width="content")
        if origin == TYPED:
            st.button("Use my last 30 days", key="models.load_own", type="tertiary", on_click=_forget, args=(ws,))


@feedback.callback
def _keep(ws: Workspace) -> None:
    given = {field.name: st.session_state[_PREFIX + field.name] for field in dataclasses.fields(Workload)}
    load = Workload(**given | {"cached_share": given["cached_share"] / 100})
    choose(ws, "workload", json.dumps(dataclasses.asdict(load)))


@feedback.callback
def _forget(ws: Workspace) -> None:
    choose(ws, "workload", None)


def _read(text: str) -> Workload | None:
    try:
        return Workload(**json.loads(text))
    except (ValueError, TypeError, InvalidInput):  # nothing kept, or by another version
        return None
