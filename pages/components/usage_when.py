"""When work is done: the measure by hour of the day and day of the week, in the person's zone."""

from __future__ import annotations

import streamlit as st

from pages.components import figures, shell, usage_figures, usage_filters, usage_marks
from pages.components.usage_view import MEASURES, View


def draw(view: View, measure: str) -> None:
    word = next(word for word, column in MEASURES.items() if column == measure)
    words = figures.usd if measure == "cost_usd" else figures.count
    asked = view.about("heatmap", value=measure)
    cells = view.ask(asked)[0]
    usage_marks.titled(f"{word} an hour, by hour and weekday", view, "hours", asked, cells)
    figure = usage_figures.hours(cells, words, usage_filters.DAYS_OF_WEEK, theme=shell.theme())
    usage_marks.chart(
        figure, "hours", f"{word} by hour of the day and day of the week", lambda mark: usage_filters.only_hour(*mark)
    )
    st.caption(f"Hours in {view.span.tz}; darker is more. A click filters to that hour of the week.")
