"""What is connected, whether it answers, and where the keys are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from llm_core.providers.registry import REGISTRY, title
from pages.components import api_key_dialog, dialogs, feedback, key_section, live, provider_card, shell

shell.guard()
ws = shell.workspace()
controls = shell.header("Providers")
connections = ws.providers.list()
provider_card.told()

TESTING = "providers.testing"


def test_all() -> None:
    """Callback: the page itself tests, where its progress can be seen."""
    st.session_state[TESTING] = True


if any(connection.enabled for connection in connections):
    controls.button(
        "Test all", icon=":material/network_check:", key="providers.test_all", on_click=test_all, disabled=ws.is_sample
    )
if st.session_state.pop(TESTING, False):
    bar = st.progress(0.0, "Testing every connection")
    found = ws.providers.test_all(lambda done, of, one: bar.progress(done / of, f"{done} of {of}: {title(one)}"))
    tested = [connection for connection in found if connection.enabled]
    well = sum(connection.state == "connected" for connection in tested)
    feedback.tell(f"{len(tested)} tested: {well} answered.")
    st.rerun()

if connections:
    token, tz = ws.usage.token(), shell.tz()
    today = datetime.now(tz).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = today - timedelta(days=6)
    week = provider_card.Week(live.by_connection(ws, token, begin), live.spend_by_day(ws, token, begin, tz.key))
    with st.grid(2, min_column_width=340):
        for connection in connections:
            provider_card.card(ws, connection, week)
else:
    with st.container(border=True):
        st.markdown("**Nothing is connected yet**")
        st.markdown("Connect a provider with its API key, any OpenAI-compatible address, or a model on this machine.")

if ws.is_sample:
    st.stop()
st.subheader("Connect", anchor=False)
taken = {connection.provider for connection in connections}
with st.grid(2, min_column_width=320):
    for provider, row in REGISTRY.items():
        with st.container(border=True, height="stretch", horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{row.label}**  \n:small[:gray[{api_key_dialog.about(row)}]]", width="stretch")
            st.button(
                "Add another" if provider in taken else "Connect",
                key=f"connect.{provider}",
                icon=":material/link:",
                on_click=api_key_dialog.ask_for,
                args=(ws, provider),
            )
key_section.draw(ws, connections)
dialogs.open_if_asked()
