"""The first door of Welcome: fetch the small model, connect it, make it active, and let it answer, all in one go."""

from __future__ import annotations

import streamlit as st

from llm_core import LLMProvider, Workspace
from pages.components import local_model, model_tester, shell

KEY = "first"
PROMPT = "In three or four sentences: why is the sky blue?"
CONNECTION = "local"


def begin() -> None:
    """Callback of the door: the run that follows does the rest."""
    st.session_state[f"{KEY}.open"] = True
    model_tester.start(KEY)


def busy() -> bool:
    return model_tester.running(KEY)


def draw(ws: Workspace) -> None:
    if not st.session_state.get(f"{KEY}.open"):
        return
    with st.container(border=True):
        st.subheader("SmolLM2 135M on this machine", anchor=False)
        prompt = st.text_area(
            "Ask it something", PROMPT, key=f"{KEY}.prompt", height=80, disabled=busy(), persist_state="session"
        )
        model_tester.buttons(KEY, disabled=not prompt.strip())
        lane = model_tester.answer(
            KEY,
            lambda: ws.llm.astream(prompt, model=_model_id(ws), app=shell.APP, user=shell.identity()),
            lambda: _make_ready(ws),
        )
        if lane is not None and lane.reply is not None:
            with st.container(horizontal=True):
                st.page_link("pages/usage.py", label="See the call on Usage", icon=":material/monitoring:")
                st.page_link("pages/tester.py", label="Try more in the Tester", icon=":material/science:")


def _make_ready(ws: Workspace) -> None:
    """Each step only where it is still to do; a model that is already active for chat stays so."""
    local_model.fetch(LLMProvider(name=CONNECTION, provider="local"))
    if not any(connection.name == CONNECTION for connection in ws.providers.list()):
        ws.providers.connect("local")
    if ws.models.active("chat") is None:
        ws.models.activate("chat", _model_id(ws))


def _model_id(ws: Workspace) -> str:
    return ws.models.list(CONNECTION)[0].id
