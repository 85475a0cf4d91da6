"""The first door of Welcome: fetch the small model, connect it, make it active, and let it answer, all in one go."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from llm_core import Workspace
from llm_core.providers.model_files import ensure_model
from pages.components import model_tester, shell

KEY = "first"
PROMPT = "In three or four sentences: why is the sky blue?"
CONNECTION = "local"


def begin() -> None:
    """Callback of the door: the run that follows does the rest, in the person's own workspace."""
    shell.use_sample(False)
    st.session_state[f"{KEY}.open"] = True
    model_tester.start(KEY)


def busy() -> bool:
    return model_tester.running(KEY)


def draw(ws: Workspace) -> None:
    if not st.session_state.get(f"{KEY}.open"):
        return
    with st.container(border=True):
        prompt = st.text_area(
            "Ask it something", PROMPT, key=f"{KEY}.prompt", height=80, on_change="ignore", persist_state="session"
        )
        model_tester.buttons(KEY)
        model_tester.answer(
            KEY,
            "**SmolLM2 135M** :gray[on this machine]",
            lambda: ws.llm.stream(prompt, model=_model_id(ws), app=shell.APP, user=shell.identity()),
            lambda progress, stop: _make_ready(ws, progress, stop),
            _links,
        )


def _links() -> None:
    with st.container(horizontal=True):
        st.page_link("pages/usage.py", label="See the call on Usage", icon=":material/monitoring:")
        st.page_link("pages/tester.py", label="Try more in the Tester", icon=":material/science:")


def _make_ready(ws: Workspace, progress: Callable[[int, int | None], None], stop: Callable[[], bool]) -> None:
    """Each step only where it is still to do; a model that is already active for chat stays so."""
    ensure_model({}, progress, stop)
    if not any(connection.name == CONNECTION for connection in ws.providers.list()):
        ws.providers.connect("local")
    if ws.models.active("chat") is None:
        ws.models.activate("chat", _model_id(ws))


def _model_id(ws: Workspace) -> str:
    return ws.models.list(CONNECTION)[0].id
