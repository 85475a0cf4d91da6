"""On every page: the model that is active for chat, how connections are, open alerts, and the label of sample data."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from llm_core import LLMProvider, Workspace
from llm_core.providers.registry import title
from pages.components import alert_words, feedback, figures, shell
from pages.components.health import health


def draw(ws: Workspace) -> None:
    if ws.is_sample:
        _label_sample_data()
    with st.sidebar:
        connections = ws.providers.list()
        _active_model(ws, connections)
        _health(connections)
        _alerts(ws)


def _active_model(ws: Workspace, connections: list[LLMProvider]) -> None:
    st.caption("Active for chat")
    active = ws.models.active("chat")
    if active is None:
        st.page_link("pages/models.py", label="Choose a model", icon=":material/add_circle:")
        return
    model = ws.models.get(active)
    price = figures.price_pair(model.input_price, model.output_price)
    name = figures.plain(model.display_name or model.name)
    via = {each.name: title(each) for each in connections}.get(model.connection, model.connection)
    lacks = ws.models.lacks("chat", active)
    warning = ":orange[:material/warning:] " if lacks else ""
    help_text = " ".join(f"{lack.message} {lack.hint}" for lack in lacks)
    st.markdown(f"{warning}**{name}**  \n:small[{figures.plain(via)} · {price}]", help=figures.plain(help_text) or None)


def _health(connections: list[LLMProvider]) -> None:
    st.caption("Connections")
    words = Counter(health(connection) for connection in connections)
    told = [f":{state.colour}[●] {number} {state.word.lower()}" for state, number in words.items()]
    st.page_link("pages/providers.py", label=", ".join(told) or "Nothing connected yet")


@st.fragment(run_every="15s")
def _alerts(ws: Workspace) -> None:
    """Open ones that nobody has acknowledged, in the colour of the worst; new ones show up by themselves."""
    with feedback.boundary():
        unseen = [alert for alert in ws.usage.alerts.open() if alert.seen_at is None]
        if not unseen:
            return
        st.caption("Alerts")
        worst = alert_words.SEVERITIES[unseen[0].severity]
        label = f":{worst.colour}-badge[{worst.icon} {len(unseen)} open]"
        st.page_link("pages/usage.py", label=label, query_params={"view": alert_words.TAB})


def _label_sample_data() -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="sample_label"):
        st.markdown(":orange-badge[:material/science: Sample data] :small[Made up.]", width="stretch")
        st.button("Leave sample data", on_click=shell.use_sample, args=(False,), type="secondary", key="leave_sample")
