"""The main chart of Usage: what was spent, called or generated in each bucket of time, by whatever is chosen."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import budget_line, charts, shell, usage_figures, usage_filters, usage_marks
from pages.components.live import Asked
from pages.components.span import Span, buckets
from pages.components.usage_view import MEASURES, SORTS, View, measured

BY = {
    "model": "Model",
    "connection": "Connection",
    "project": "Project",
    "user": "User",
    "task": "Task",
    "app": "App",
    "preset": "Preset",
    "status": "Status",
}
KEPT = charts.GROUPS


def choice(tags: list[str]) -> tuple[str, str]:
    """The measure and the group that the page is told by, as chosen last: questions come before the chart."""
    name = st.session_state.get("measure") or st.query_params.get("measure", "Spend")
    by = st.session_state.get("by") or st.query_params.get("by", "Model")
    named = {word: column for column, word in BY.items()} | {f"Tag {tag}": f"tag:{tag}" for tag in tags}
    return MEASURES.get(name, "cost_usd"), named.get(by, "model")


def question(view: View, by: str, measure: str) -> Asked:
    return view.about("series", by=by, sort=SORTS[measure], limit=KEPT)


def draw(view: View, asked: Asked, series: pd.DataFrame, by: str, measure: str, tags: list[str]) -> None:
    """The answer of `question`, stacked; a click on a segment filters to its group and its time."""
    word = next(word for word, column in MEASURES.items() if column == measure)
    with st.container(border=True, height="stretch"):
        frame = measured(series, by, measure)
        title = f"{word} per {view.span.bucket}"
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{title}**", width="content")
            st.segmented_control(
                "Measure",
                list(MEASURES),
                default="Spend",
                required=True,
                label_visibility="collapsed",
                key="measure",
                bind="query-params",
            )
            with usage_marks.controls(view, "time", asked, frame[["bucket", by, measure]]):
                st.selectbox(
                    "By",
                    [*BY.values(), *(f"Tag {tag}" for tag in tags)],
                    key="by",
                    bind="query-params",
                    label_visibility="collapsed",
                    width=124,
                )
        frame = frame[frame[measure] > 0]
        if frame.empty:
            st.caption("Nothing in this span has a known price above $0." if word == "Spend" else "Nothing here.")
            return
        taken = colours(by, frame.groupby(by)[measure].sum().sort_values(ascending=False).index.tolist())
        drawn: dict[str, Any] = {"by": by, "value": measure, "taken": taken, "theme": shell.theme()}
        figure = charts.bars(frame, view.span, money=word == "Spend", **drawn)
        if view.span.bucket == "day":
            each = buckets(view.span).tz_localize(None)
            budget_line.draw(figure, view, measure, "day", (each[0], each[-1]), shell.theme())
        usage_marks.chart(figure, "time", f"{title} by {by}", partial(_clicked, view.span, by))
        with st.container(horizontal=True, gap="small"):
            for name in charts.legend(frame, **drawn):
                st.markdown(name, width="content")


def _clicked(span: Span, by: str, mark: list[str]) -> None:
    name, at = mark
    if name != charts.OTHER:
        usage_filters.only(by, name)
    if span.bucket != "hour":
        first = pd.Timestamp(at)
        last = first + pd.offsets.MonthEnd(1) if span.bucket == "month" else first
        usage_filters.show_days(first.date(), last.date())


def colours(by: str, names: list[str]) -> dict[str, int]:
    """The colour slots of these names: those handed out in this session, so that a model looks the same everywhere."""
    slot = "colours" if by == "model" else f"colours.{by}"
    known = [name for name in names if name != charts.OTHER]
    taken = st.session_state[slot] = charts.slots(known, st.session_state.get(slot, {}))
    return usage_figures.paint(known, taken)
