"""What Usage shows when there is nothing to show, or not all of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from llm_core import Workspace
from pages.components import figures, shell

SNIPPET = """\
from llm_core import Workspace

ws = Workspace.open()
print(ws.llm.complete("Say hello.").text)
"""


def nothing_yet() -> None:
    """No record at all."""
    with st.container(border=True):
        st.markdown("**No calls yet**")
        st.markdown(
            "Every call made through this app, a notebook or a program of yours appears here within two seconds."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link("pages/welcome.py", label="Make a first call", icon=":material/play_arrow:")
            if not shell.on_sample():
                st.button("Look at sample data", type="tertiary", on_click=shell.use_sample, args=(True,))
        st.caption("From Python")
        st.code(SNIPPET, language="python")


def nothing_found(everything: Mapping[str, str]) -> None:
    """Records, but none that match. `everything` is what each filter says when it is off."""
    with st.container(border=True):
        st.markdown("**No calls match**")
        st.markdown(
            "None in this span of time has the chosen model, project, person and task. Choose a longer span, or:"
        )
        st.button("Clear the filters", icon=":material/filter_alt_off:", on_click=_clear, args=(everything,))


def _clear(everything: Mapping[str, str]) -> None:
    for name, words in everything.items():
        st.session_state[name] = words


def problems(ws: Workspace) -> None:
    """A part of the ledger that cannot be shown: what is missing, and what to do."""
    for problem in ws.usage.problems():
        missing = f"{figures.exact(problem.rows)} records are missing below. " if problem.rows else ""
        st.warning(missing + problem.hint, title=problem.message, icon=":material/warning:")
