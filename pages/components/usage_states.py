"""What Usage shows when there is nothing to show, or not all of it."""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace
from pages.components import figures, shell, usage_filters

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


def nothing_found(filtered: bool) -> None:
    """Records, but none in this span, or none that match."""
    with st.container(border=True):
        if filtered:
            st.markdown("**No calls match**")
            st.markdown("None in this span of time is left by the filters. Choose a longer span, or:")
            st.button(
                "Clear the filters",
                icon=":material/filter_alt_off:",
                key="usage.clear",
                on_click=usage_filters.clear,
            )
        else:
            st.markdown("**No calls in this span of time**")
            st.markdown("There are some before or after it: choose a longer span.")


def problems(ws: Workspace) -> None:
    """A part of the ledger that cannot be shown: what is missing, and what to do."""
    with st.container():
        for problem in ws.usage.problems():
            missing = f"{figures.exact(problem.rows)} records are missing below. " if problem.rows else ""
            st.warning(missing + problem.hint, title=problem.message, icon=":material/warning:")
