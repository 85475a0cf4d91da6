"""The panel of alerts on Usage: what is open, what was, the rules that decide it, and whom to tell."""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace
from pages.components import alert_channels, alert_list, alert_rules

PARTS = {
    "Open": alert_list.open_now,
    "History": alert_list.history,
    "Rules": alert_rules.draw,
    "Channels": alert_channels.draw,
}


def draw(ws: Workspace) -> None:
    part = st.segmented_control(
        "Alerts",
        list(PARTS),
        default="Open",
        required=True,
        key="alerts",
        bind="query-params",
        label_visibility="collapsed",
    )
    PARTS[str(part)](ws)
