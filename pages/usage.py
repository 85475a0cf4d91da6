"""What was spent, on what, and whether that is normal. Calls of every program appear as they are made."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from pages.components import (
    budget_card,
    dialogs,
    live,
    shell,
    usage_chart,
    usage_filters,
    usage_forecast,
    usage_monitor,
    usage_span,
    usage_states,
    usage_tabs,
)
from pages.components.usage_ranked import WHAT, WHO, Ranking
from pages.components.usage_view import View

shell.guard()
ws = shell.workspace()
controls = shell.header("Usage")
token = ws.usage.token()
live.pulse(ws, token)

if not live.values(ws, token, "model"):
    usage_states.nothing_yet()
    budget_card.draw(ws)
    dialogs.open_if_asked()
    st.stop()

tz = shell.tz().key
with controls:
    span = usage_span.control(ws, tz)
filters = usage_filters.draw(ws, token, tz)
usage_filters.chips(filters)
usage_states.problems(ws)

view = View(ws, token, span, filters)
tags = live.values(ws, token, "tags")[:5]
measure, by = usage_chart.choice(tags)
what = Ranking("What it went on", list(WHAT), view, measure)
who = Ranking("Who made it", [*WHO, *(f"Tag {tag}" for tag in tags)], view, measure)
first = (view.about("summary"), usage_chart.question(view, by, measure), view.about("latency"))
rankings = (what.question(), who.question())
summary, series, p95_ms, on_what, by_whom = view.ask(*first, *rankings)
now = summary.iloc[0]
if not now.records:
    usage_states.nothing_found(bool(filters))
    budget_card.draw(ws)
    dialogs.open_if_asked()
    st.stop()
before = live.lately(ws, view.before()).iloc[0]

usage_monitor.tiles(span, now, before, series, p95_ms)
usage_monitor.coverage(span, now, before)
budget_card.draw(ws)
over_time, to_come = st.columns([2, 1])
with over_time:
    usage_chart.draw(view, first[1], series, by, measure, tags)
with to_come:
    usage_forecast.draw(view, datetime.now(UTC), measure)
with st.grid(2, min_column_width=320):
    what.draw(rankings[0], on_what)
    who.draw(rankings[1], by_whom)
usage_tabs.draw(view, now, measure, by)
dialogs.open_if_asked()
