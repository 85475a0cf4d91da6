"""Breakdown: a map of what cost how much, and how the shares of each group moved."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.components import charts, figures, shell, usage_filters, usage_marks, usage_treemap
from pages.components.usage_chart import BY, colours, question
from pages.components.usage_view import View, measured

_TILES = 60
_PATHS = {
    "Connection and model": ("connection", "model"),
    "Project and user": ("project", "user"),
    "Project and model": ("project", "model"),
    "App and task": ("app", "task"),
    "Task and model": ("task", "model"),
}


def draw(view: View, measure: str, by: str) -> None:
    left, right = st.columns(2)
    with left:
        _map(view, measure)
    with right:
        _shares(view, measure, by)


def _map(view: View, measure: str) -> None:
    words = figures.usd if measure == "cost_usd" else figures.count
    path = _PATHS[str(st.session_state.get("usage.path", next(iter(_PATHS))))]
    asked = view.about("groups", by=path, sort=measure, limit=_TILES)
    groups = view.ask(asked)[0]
    with usage_marks.titled_control("Where it went", view, "map", asked, groups):
        st.selectbox("Path", list(_PATHS), key="usage.path", label_visibility="collapsed", width=196)
    frame = measured(groups, path, measure)
    frame = frame[frame[measure] > 0]
    if frame.empty:
        st.caption("Nothing here has a known price above $0." if measure == "cost_usd" else "Nothing here.")
        return
    outer = path[0]
    names = frame.groupby(outer)[measure].sum().sort_values(ascending=False).index.tolist()
    taken, theme = colours(outer, names), shell.theme()
    figure = usage_treemap.treemap(
        frame, path, measure, words, lambda name: charts.colour(name, taken, theme), theme=theme
    )
    usage_marks.chart(figure, "map", "Where it went, as a treemap", partial(_clicked, path))
    st.caption(f"Colours: {BY[outer].lower()}. A click filters to a tile.")


def _shares(view: View, measure: str, by: str) -> None:
    asked = question(view, by, measure)
    series = view.ask(asked)[0]
    frame = measured(series, by, measure)
    name = BY.get(by, by.removeprefix("tag:").capitalize())
    usage_marks.titled(f"Shares per {view.span.bucket} by {name.lower()}", view, "shares", asked, series)
    frame = frame[frame[measure] > 0]
    if frame.empty:
        st.caption("Nothing here.")
        return
    frame[measure] = frame[measure] / frame.groupby("bucket")[measure].transform("sum")
    taken = colours(by, frame.groupby(by)[measure].sum().sort_values(ascending=False).index.tolist())
    drawn = {"by": by, "value": measure, "taken": taken, "theme": shell.theme()}
    figure = charts.bars(frame, view.span, money=False, **drawn)
    figure.update_layout(height=340, bargap=0, yaxis={"tickformat": ".0%", "range": [0, 1]})
    figure.for_each_trace(lambda trace: trace.update(hovertemplate=trace.hovertemplate.replace("%{y:,}", "%{y:.1%}")))
    usage_marks.chart(figure, "shares", f"Shares per {view.span.bucket}")
    with st.container(horizontal=True, gap="small"):
        for word in charts.legend(frame, **drawn):
            st.markdown(word, width="content")


def _clicked(path: tuple[str, str], mark: list[str]) -> None:
    for column, value in zip(path, mark, strict=True):
        usage_filters.only(column, value)
