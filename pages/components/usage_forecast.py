"""What the month will come to: its sum so far, the projection with its interval, and how far off that was before."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from llm_core.usage.forecast import Forecast, NotEnoughData
from pages.components import budget_line, feedback, figures, live, shell, usage_figures, usage_marks
from pages.components.budget_line import Line
from pages.components.live import Asked
from pages.components.usage_view import View

_WORDS = {"cost_usd": "spend", "calls": "calls", "tokens": "tokens"}


def question(view: View, measure: str) -> Asked:
    """Always about this month, with the page's filters. It reads half a year, so no page waits for it."""
    return Asked("forecast", {**view.filters, "tz": view.span.tz, "value": measure})


def draw(view: View, now: datetime, measure: str) -> None:
    """The answer of `question`, a few minutes old at most."""
    tz, money = view.span.tz, measure == "cost_usd"
    words = figures.usd if money else figures.count
    today = pd.Timestamp(now).tz_convert(tz)
    asked = question(view, measure)
    with st.container(border=True, height="stretch"), feedback.boundary():
        found = live.soon(view.ws, asked)
        path = found.path if isinstance(found, Forecast) else None
        usage_marks.titled(f"{today:%B}: {_WORDS[measure]} to come", view, "month", asked, path)
        if found is None:
            st.caption("Working it out from the last months.")
            return
        if isinstance(found, NotEnoughData):
            _too_little(found, words(found.so_far))
            return
        end = (found.month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        st.markdown(
            f":small[:gray[Projected by {end.day} {end:%B}]]  \n**{words(found.expected)}**"
            f" :small[:gray[({words(found.low)} to {words(found.high)})]]",
            help=f"Meant to hold the month's end {found.chance * 10:.0f} times in 10: from how far off the same "
            "forecast was on your own past, and wider where that is short.",
        )
        theme, line = shell.theme(), budget_line.lowest(view, measure, "month")
        figure = view.made(
            found, partial(_figure, found.path, today.date(), line, theme, money), "month", today.date(), line, theme
        )
        usage_marks.chart(figure, "month", f"{_WORDS[measure]} of {today:%B} so far and projected")
        st.caption(" ".join(_grounds(found, words(found.so_far))))


def _figure(path: pd.DataFrame, today: date, line: Line | None, theme: str, money: bool) -> go.Figure:
    figure = usage_figures.projection(path, pd.Timestamp(today), theme=theme, money=money)
    budget_line.draw(figure, line, (path["day"].iloc[0], path["day"].iloc[-1]), theme)
    return figure


def _grounds(found: Forecast, so_far: str) -> list[str]:
    test = found.backtest
    said = [f"{so_far} so far."]
    said.append(
        f"Made on {test.times} past days, this forecast was off by {figures.share(test.error)} in the middle, "
        f"{test.days_ahead} days ahead."
    )
    if found.growth is not None:
        said.append(f"Last 28 days: {found.growth:+.0%} against the 28 before.".replace("%", " %"))
    if found.priced is not None and found.priced < 1 and found.value == "cost_usd":
        said.append("Calls without a price are not in it.")
    return said


def _too_little(found: NotEnoughData, so_far: str) -> None:
    st.markdown(f":small[:gray[So far]]  \n**{so_far}**")
    st.markdown("**Not enough data for a projection**")
    st.caption(found.reason)
    if 0 < found.days < found.needed:
        st.progress(found.days / found.needed, text=f"{found.days} of {found.needed} days")
