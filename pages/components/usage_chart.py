"""The main chart of Usage: what was spent, called or generated in each bucket of time, by whatever is chosen."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.components import budget_line, charts, shell, usage_figures, usage_filters, usage_marks
from pages.components.budget_line import Line
from pages.components.live import Asked
from pages.components.span import Span, buckets
from pages.components.usage_view import MEASURES, View, measured

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
    return view.about("series", by=by, sort=measure, limit=KEPT)


def draw(view: View, asked: Asked, series: pd.DataFrame, by: str, measure: str, tags: list[str]) -> None:
    """The answer of `question`, stacked; a click on a segment filters to its group and its time."""
    word = next(word for word, column in MEASURES.items() if column == measure)
    with st.container(border=True, height="stretch"):
        shown = view.made(series, partial(_shown, series, by, measure), "time", by, measure)
        title = f"{word} per {view.span.bucket}"
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{title}**", width="content")
            if not usage_marks.leaves_room(207, 32):
                st.segmented_control(
                    "Measure",
                    list(MEASURES),
                    default="Spend",
                    required=True,
                    label_visibility="collapsed",
                    key="measure",
                    bind="query-params",
                )
            with usage_marks.controls(view, "time", asked, shown.frame):
                usage_marks.choice("By", [*BY.values(), *(f"Tag {tag}" for tag in tags)], "by")
        if not shown.names:
            st.caption("Nothing in this span has a known price above $0." if word == "Spend" else "Nothing here.")
            return
        taken, theme = colours(by, shown.names), shell.theme()
        line = budget_line.lowest(view, measure, "day") if view.span.bucket == "day" else None
        draw = partial(_drawn, shown.frame, view.span, by, measure, taken, line, theme)
        figure, legend = view.made(shown, draw, "time", by, measure, *taken.items(), line, theme)
        usage_marks.chart(figure, "time", f"{title} by {by}", partial(_clicked, view.span, by))
        st.markdown(legend)


class _Shown(NamedTuple):
    """What is above 0, with the groups largest first."""

    frame: pd.DataFrame
    names: list[str]


def _shown(series: pd.DataFrame, by: str, measure: str) -> _Shown:
    frame = measured(series, by, measure)
    frame = frame.loc[frame[measure] > 0, ["bucket", by, measure]]
    return _Shown(frame, frame.groupby(by)[measure].sum().sort_values(ascending=False).index.tolist())


def _drawn(
    frame: pd.DataFrame, span: Span, by: str, measure: str, taken: dict[str, int], line: Line | None, theme: str
) -> tuple[go.Figure, str]:
    """The figure, and its legend as one piece of Markdown: each piece costs the browser as much as a small chart."""
    drawn: dict[str, Any] = {"by": by, "value": measure, "taken": taken, "theme": theme}
    figure = charts.bars(frame, span, money=measure == "cost_usd", **drawn)
    if span.bucket == "day":
        days = buckets(span).tz_localize(None)
        budget_line.draw(figure, line, (days[0], days[-1]), theme)
    legend = "\u2003".join(charts.legend(frame, **drawn))
    return figure, legend.replace("-", "\u2011").replace('"} ', '"}\u00a0')  # lines break between names alone


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
