"""What was spent, on what, and whether that is normal. Calls of every program appear as they are made."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from pages.components import call_table, feedback, live, shell, usage_chart, usage_monitor, usage_states
from pages.components.choices import choice, choose_from
from pages.components.span import DAYS, USUAL, span_of

FILTERS = {
    "model": "All models",
    "project": "All projects",
    "user": "Everyone",
    "task": "All tasks",
    "preset": "All presets",
}

shell.guard()
ws = shell.workspace()
controls = shell.header("Usage")
token = ws.usage.token()
live.pulse(ws, token)

if not live.values(ws, token, "model"):
    usage_states.nothing_yet()
    st.stop()

if "span" not in st.session_state and "span" not in st.query_params:
    st.session_state["span"] = choice(ws, "span") or USUAL
with controls:
    name = st.segmented_control(
        "Span",
        list(DAYS),
        required=True,
        key="span",
        bind="query-params",
        label_visibility="collapsed",
        on_change=feedback.callback(choose_from),
        args=(ws, "span", "span"),
    )
filters = {}
with st.grid(len(FILTERS), min_column_width=148):
    for column, everything in FILTERS.items():
        chosen = st.selectbox(
            column.capitalize(),
            [everything, *live.values(ws, token, column)],
            key=column,
            bind="query-params",
            label_visibility="collapsed",
        )
        if chosen != everything:
            filters[column] = chosen

span = span_of(name, shell.tz().key, datetime.now(UTC))
found = live.answers(ws, token, span, filters)
usage_states.problems(ws)
if not found.now.records:
    usage_states.nothing_found(FILTERS)
    st.stop()

usage_monitor.tiles(found, span)
usage_monitor.coverage(found, span)
usage_chart.draw(found.by_model, span)
with st.container(border=True):
    st.markdown("**Calls**")
    call_table.table(found.calls)
    call_table.detail(found.calls)
