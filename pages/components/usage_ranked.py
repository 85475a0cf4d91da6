"""Where it went: what calls were made to, and who made them, largest first; a click filters."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.components import charts, figures, shell, usage_figures, usage_filters, usage_marks
from pages.components.live import Asked
from pages.components.usage_chart import BY, colours
from pages.components.usage_view import View, measured

WHAT = ("Model", "Connection", "Task", "Preset")
WHO = ("Project", "User", "App")
SHOWN = 7


class Ranking:
    """One of the two cards; the group chosen in it in the last run decides what is asked."""

    def __init__(self, title: str, options: list[str], view: View, measure: str) -> None:
        self._title, self._options, self._view, self._measure = title, options, view, measure
        self._key = "what" if options[0] in WHAT else "who"
        named = {word: column for column, word in BY.items()} | {
            option: f"tag:{option.removeprefix('Tag ')}" for option in options if option.startswith("Tag ")
        }
        self._by = named[_chosen(self._key, options)]

    def question(self) -> Asked:
        return self._view.about("groups", by=self._by, sort=self._measure, limit=SHOWN, other=True)

    def draw(self, asked: Asked, groups: pd.DataFrame) -> None:
        by, measure, view = self._by, self._measure, self._view
        with st.container(border=True, height="stretch"):
            shown = view.made(groups, partial(_shown, groups, by, measure), self._key, by, measure)
            with usage_marks.titled_control(self._title, view, self._key, asked, groups):
                usage_marks.choice(self._title, self._options, self._key)
            if shown.frame.empty:
                st.caption("Nothing here.")
                return
            taken, theme = colours(by, [name for name in shown.frame[by] if name != shown.other]), shell.theme()
            paint = (*taken.items(), theme)
            figure = view.made(shown, partial(_drawn, shown, by, measure, taken, theme), self._key, by, measure, paint)
            usage_marks.chart(figure, self._key, f"{self._title}, largest first", partial(_clicked, by))


class _Shown(NamedTuple):
    """What is above 0, largest first; the last row is all others, named so, if there are any."""

    frame: pd.DataFrame
    other: str


def _shown(groups: pd.DataFrame, by: str, measure: str) -> _Shown:
    frame = measured(groups, by, measure)
    frame = frame[frame[measure] > 0]
    rest = frame["others"] > 0
    other = f"{int(frame['others'].max())} others" if rest.any() else ""
    frame.loc[rest, by] = other
    return _Shown(pd.concat([frame[~rest].sort_values(measure, ascending=False), frame[rest]]), other)


def _drawn(shown: _Shown, by: str, measure: str, taken: dict[str, int], theme: str) -> go.Figure:
    frame, other = shown
    paints = [charts.colour(charts.OTHER if name == other else name, taken, theme) for name in frame[by]]
    words = figures.usd if measure == "cost_usd" else figures.count
    return usage_figures.ranked(frame, by, measure, words, colours=paints, other=other)


def _chosen(key: str, options: list[str]) -> str:
    chosen = str(st.session_state.get(key) or st.query_params.get(key, options[0]))
    return chosen if chosen in options else options[0]


def _clicked(by: str, mark: list[str]) -> None:
    if mark[0]:
        usage_filters.only(by, mark[0])
