"""What was spent, on what, and whether that is normal. Calls of every program appear as they are made."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from pages.components import (
    advice_cards,
    dialogs,
    first_screen,
    live,
    shell,
    usage_chart,
    usage_filters,
    usage_forecast,
    usage_monitor,
    usage_span,
    usage_states,
    usage_tabs,
    usage_watch,
)
from pages.components.usage_ranked import WHAT, WHO, Ranking
from pages.components.usage_view import View

shell.guard()
ws = shell.workspace()
controls = shell.header("Usage")
token = ws.usage.token()
live.pulse(ws, "usage", token)

tz = shell.tz().key
with controls:
    span = usage_span.control(ws, tz)
frequent = usage_filters.options(ws, span, [*usage_filters.FREQUENT, "tags"])
if not frequent["model"] and not live.values(ws, token, "model"):
    usage_states.nothing_yet()
    usage_watch.without_calls(ws)
    st.stop()

filters = usage_filters.draw(ws, span, frequent)
usage_filters.chips(filters)
usage_states.problems(ws)

view = View(ws, token, span, filters)
tags = frequent["tags"][:5]
measure, by = usage_chart.choice(tags)
what = Ranking("What it went on", list(WHAT), view, measure)
who = Ranking("Who made it", [*WHO, *(f"Tag {tag}" for tag in tags)], view, measure)
over_time, on_what, by_whom = usage_chart.question(view, by, measure), what.question(), who.question()
summary, series, p95_ms, most, makers, earlier = view.ask(
    view.about("summary"), over_time, view.about("latency"), on_what, by_whom, lately=[view.before()]
)
now = summary.iloc[0]
if not now.records:
    usage_states.nothing_found(bool(filters))
    usage_watch.without_calls(ws)
    st.stop()
live.begin(ws, advice_cards.QUESTION, usage_forecast.question(view, measure))
before = earlier.iloc[0]

usage_watch.strip(ws)
usage_monitor.tiles(view, now, before, series, p95_ms)
usage_monitor.coverage(span, now, before)
usage_watch.cards(ws)
left, right = st.columns([2, 1])
with left:
    usage_chart.draw(view, over_time, series, by, measure, tags)
with right:
    usage_forecast.draw(view, datetime.now(UTC), measure)
with st.grid(2, min_column_width=320):
    what.draw(on_what, most)
    who.draw(by_whom, makers)
if first_screen.ends("usage", "PlotlyChart", "DataFrame"):
    st.stop()
usage_tabs.draw(view, now, measure, by)
dialogs.open_if_asked()
