"""Four steps from nothing to a program whose calls are seen here. Each ticks itself off."""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace
from pages.components import live, shell
from pages.components.usage_states import SNIPPET


def draw(ws: Workspace) -> None:
    token = ws.usage.token()
    apps = live.values(ws, token, "app")
    calls = bool(live.values(ws, token, "provider"))
    done = {
        "Connect": bool(ws.providers.list()),
        "Choose": ws.models.active("chat") is not None,
        "Ask": calls,
        "Call it from your code": bool(set(apps) - {shell.APP}) or (calls and not apps),
    }
    st.subheader(f"Getting started: {sum(done.values())} of {len(done)}", anchor=False)
    with st.grid(4, min_column_width=200):
        _step(done, "Connect", "A provider, or a model on this machine.", "providers", "Providers")
        _step(done, "Choose", "The model that calls use when they name none.", "models", "Models")
        _step(done, "Ask", "Watch it answer, with tokens, time and cost.", "tester", "Tester")
        _step(done, "Call it from your code", "Its calls appear on Usage as they are made.", "usage", "Usage")
    if not done["Call it from your code"]:
        st.code(SNIPPET, language="python")


def _step(done: dict[str, bool], name: str, text: str, page: str, title: str) -> None:
    mark = ":green[:material/check_circle:]" if done[name] else ":gray[:material/radio_button_unchecked:]"
    with st.container(border=True, height="stretch"):
        st.markdown(f"{mark} **{name}**")
        st.caption(text)
        st.space("stretch")
        st.page_link(f"pages/{page}.py", label=title, icon=":material/arrow_forward:")
