"""The panels below the first screen of Usage, one at a time: what is closed asks nothing."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from pages.components import (
    feedback,
    usage_breakdown,
    usage_calls,
    usage_export,
    usage_speed,
    usage_unpriced,
    usage_watch,
    usage_what_if,
    usage_when,
)
from pages.components.usage_monitor import UNPRICED
from pages.components.usage_view import View

TABS = ("Calls", *usage_watch.PANELS, "Breakdown", "Speed and errors", "When", UNPRICED, "What if", "Export")


def draw(view: View, now: pd.Series, measure: str, by: str) -> None:
    """`now` are the totals; the panels are told by `measure` and `by` where they can be."""
    tabs = dict(zip(TABS, st.tabs(list(TABS), key="view", bind="query-params", on_change="rerun"), strict=True))
    panels = {
        "Calls": lambda: usage_calls.draw(view),
        **{name: partial(panel, view.ws) for name, panel in usage_watch.PANELS.items()},
        "Breakdown": lambda: usage_breakdown.draw(view, measure, by),
        "Speed and errors": lambda: usage_speed.draw(view),
        "When": lambda: usage_when.draw(view, measure),
        UNPRICED: lambda: usage_unpriced.draw(view),
        "What if": lambda: usage_what_if.draw(view),
        "Export": lambda: usage_export.draw(view, now),
    }
    for name, tab in tabs.items():
        if tab.open:
            with tab, feedback.boundary():
                panels[name]()
