"""What a person chose on one page is there on the next, and after a restart: model, preset, span of time."""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace

ASKED = "try"
"""Of the URL: the model that a link to the Tester chooses."""


def choice(ws: Workspace, name: str) -> str:
    """The chosen `model`, `preset` or `span`: of this session, else the one last chosen anywhere; "" for none."""
    return str(st.session_state.setdefault(f"choice.{name}", ws.settings.get(f"ui.{name}")))


def choose(ws: Workspace, name: str, value: str | None) -> None:
    st.session_state[f"choice.{name}"] = value or ""
    ws.settings.set(f"ui.{name}", value or "")


def choose_from(ws: Workspace, name: str, widget: str) -> None:
    """Callback of the widget with the key `widget`."""
    choose(ws, name, st.session_state[widget])


def take_asked(ws: Workspace) -> None:
    """Choose the model that the URL asks for, once: what is chosen afterwards counts."""
    if ASKED in st.query_params:
        choose(ws, "model", st.query_params[ASKED])
        del st.query_params[ASKED]
