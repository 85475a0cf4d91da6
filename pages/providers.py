"""What is connected, and whether it answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from llm_core.providers.registry import REGISTRY
from pages.components import api_key_dialog, feedback, live, provider_card, shell

shell.guard()
ws = shell.workspace()
controls = shell.header("Providers")
connections = ws.providers.list()


@feedback.callback
def test_all() -> None:
    for connection in connections:
        if connection.enabled:
            ws.providers.test(connection.name)
    feedback.tell("Every connection was tested.")


if connections:
    controls.button(
        "Test all", icon=":material/network_check:", key="providers.test_all", on_click=test_all, disabled=ws.is_sample
    )
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    week = live.by_connection(ws, ws.usage.token(), midnight - timedelta(days=7))
    with st.grid(2, min_column_width=340):
        for connection in connections:
            provider_card.card(ws, connection, week, api_key_dialog.ask_for)
else:
    with st.container(border=True):
        st.markdown("**Nothing is connected yet**")
        st.markdown("Connect a provider with its API key, any OpenAI-compatible address, or a model on this machine.")

if ws.is_sample:
    st.stop()
st.subheader("Connect", anchor=False)
with st.grid(2, min_column_width=320):
    for provider, row in REGISTRY.items():
        with st.container(border=True, height="stretch", horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{row.label}**  \n:small[:gray[{api_key_dialog.about(row)}]]", width="stretch")
            st.button(
                "Connect",
                key=f"connect.{provider}",
                icon=":material/link:",
                on_click=api_key_dialog.ask_for,
                args=(provider,),
            )
api_key_dialog.open_if_asked(ws)
