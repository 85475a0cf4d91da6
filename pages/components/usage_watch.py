"""What Usage says first of all: alerts that nobody has seen, how budgets stand, what to do about spend."""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace
from pages.components import advice_cards, alert_list, alert_panel, alert_words, budget_card, dialogs, feedback

PANELS = {
    budget_card.TAB: budget_card.panel,
    alert_words.TAB: alert_panel.draw,
    advice_cards.TAB: advice_cards.panel,
}
"""Each panel below the first screen by its name."""


def strip(ws: Workspace) -> None:
    alert_list.strip(ws)


def cards(ws: Workspace) -> None:
    """Budgets, and beside them advice."""
    budgets, advice = st.columns([2, 1])
    with budgets:
        budget_card.draw(ws)
    with advice:
        advice_cards.card(ws)


def without_calls(ws: Workspace) -> None:
    """Where no call is shown: budgets and alerts do not wait for one."""
    budget_card.draw(ws)
    with st.container(border=True), feedback.boundary():
        st.markdown("**Alerts**")
        alert_panel.draw(ws)
    dialogs.open_if_asked()
