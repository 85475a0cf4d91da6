"""The span of time of Usage: a segment for each usual one, and dates. The URL has it; the last one is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from llm_core import Workspace
from pages.components import feedback, usage_filters
from pages.components.choices import choose
from pages.components.span import CUSTOM, NAMES, Span, span_of


def control(ws: Workspace, tz: str) -> Span:
    """Draws the control; returns the span it asks for."""
    if "span" not in st.session_state and "span" not in st.query_params:
        st.session_state["span"] = usage_filters.span_name(ws)
    name = st.segmented_control(
        "Span",
        list(NAMES),
        required=True,
        key="span",
        bind="query-params",
        label_visibility="collapsed",
        wrap=True,
        on_change=feedback.callback(_chosen),
        args=(ws, tz),
    )
    now = datetime.now(UTC)
    if name == CUSTOM:
        today = now.astimezone(span_of(CUSTOM, tz, now).start.tzinfo).date()
        st.date_input(
            "Days",
            value=usage_filters.dates() or (today - timedelta(days=29), today),
            max_value=today + timedelta(days=1),
            format="YYYY-MM-DD",
            key=f"usage.dates.{usage_filters.dates()}",
            label_visibility="collapsed",
            width=230,
            on_change=feedback.callback(usage_filters.dates_picked),
            args=(f"usage.dates.{usage_filters.dates()}",),
        )
    return span_of(str(name), tz, now, usage_filters.dates())


def _chosen(ws: Workspace, tz: str) -> None:
    """A usual span is kept for the next visit; dates begin with the 30 days up to today."""
    name = st.session_state["span"]
    if name != CUSTOM:
        choose(ws, "span", name)
        for word in (usage_filters.FIRST, usage_filters.LAST):
            st.query_params.pop(word, None)
    elif usage_filters.dates() is None:
        span = span_of(CUSTOM, tz, datetime.now(UTC))
        today = datetime.now(UTC).astimezone(span.start.tzinfo).date()
        usage_filters.show_days(span.start.date(), today)
