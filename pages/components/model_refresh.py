"""Asking every connection again what it offers, with progress, and when that was done last."""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace
from llm_core.errors import LLMManagerError
from pages.components import feedback, figures, shell

ASKED, FAILED = "models.refreshing", "models.failed"


def button(ws: Workspace) -> None:
    st.button(
        "Refresh",
        icon=":material/refresh:",
        key="models.refresh",
        on_click=_ask,
        disabled=ws.is_sample or not any(connection.enabled for connection in ws.providers.list()),
        help="Ask every connection again for its models",
    )


def run_if_asked(ws: Workspace) -> None:
    """The page itself asks, where the progress can be seen; what failed is told afterwards."""
    if st.session_state.pop(ASKED, False):
        bar = st.progress(0.0, "Asking every connection for its models")
        found = ws.models.refresh_all(lambda done, of, name: bar.progress(done / of, f"{done} of {of}: {name}"))
        failed = {name: one for name, one in found.items() if isinstance(one, LLMManagerError)}
        st.session_state[FAILED] = {name: (error.message, error.hint) for name, error in failed.items()}
        feedback.tell(f"{len(found)} asked: {len(found) - len(failed)} told their models.")
        st.rerun()
    for name, (message, hint) in st.session_state.pop(FAILED, {}).items():
        st.warning(figures.plain(hint), title=f"{name}: {message}", icon=":material/cloud_off:")


def checked(ws: Workspace) -> str:
    """When the connections were asked last, and which could not be reached: one line."""
    checks = ws.models.checks()
    if not checks:
        return "never listed, refresh asks for them"
    failed = [name for name, check in checks.items() if check.error]
    last = figures.moment(max(check.checked_at for check in checks.values()), shell.tz())
    return f"listed {last} · {', '.join(failed)} did not answer" if failed else f"listed {last}"


def _ask() -> None:
    st.session_state[ASKED] = True
