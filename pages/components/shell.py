"""What every page shares: page config, navigation, the guard, the workspace and who looks at it."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from llm_core import Workspace
from pages.components import figures, garbage

ROOT = Path(__file__).resolve().parents[2]
APP = "LLM Manager"
_LINKS = """
<style>
[data-testid=stPageLink-NavLink]:not(:hover) { background: none }
[data-testid=stPageLink-NavLink] p { font-weight: inherit }
</style>
"""
"""Streamlit shows each link to the page one is on as chosen, also one to another part of that page."""


def _page(name: str, icon: str, about: str, *, default: bool = False) -> Any:
    path = ROOT / "pages" / f"{name}.py"
    return st.Page(path, title=name.capitalize(), icon=f":material/{icon}:", help=about, default=default)


def navigation() -> Any:
    """The page asked for, out of all pages in their groups."""
    return st.navigation(
        {
            "": [_page("welcome", "home", "Three ways to start, and what is left to set up.", default=True)],
            "Manage": [
                _page("providers", "hub", "What is connected, and whether it answers."),
                _page("models", "deployed_code", "Which models there are, and what they cost."),
                _page("parameters", "tune", "Presets of temperature, length and the like."),
            ],
            "Watch": [_page("usage", "monitoring", "What was spent, on what, and whether it is normal.")],
            "Try": [_page("tester", "science", "Ask a model and see the answer, its tokens, time and cost.")],
        }
    )


def start() -> Any:
    """First call of app.py: the page asked for."""
    garbage.leave_out_modules()
    st.session_state["shell.ready"] = True
    page = _configured_navigation()
    st.html(_LINKS)
    return page


def _configured_navigation() -> Any:
    """A page's icon would become the tab's, and a material one is fetched from outside there: name a local one."""
    st.set_page_config(page_icon=str(ROOT / "pages/components/mark.svg"), layout="wide")
    return navigation()


def guard() -> None:
    """First call of every page: hand over to app.py when a fresh server was asked for this page directly.

    Until `st.navigation` has run once in the process, Streamlit runs files of `pages/` on their own, without app.py.
    So app.py leaves a mark in every run, and the page takes it away.
    """
    if not st.session_state.pop("shell.ready", False):
        _configured_navigation()
        st.rerun()


def identity() -> str:
    """Who is using the app. Local mode: the one person whose account runs it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"


def on_sample() -> bool:
    """Whether this session looks at sample data; LLM_MANAGER_SAMPLE=1 makes every session start so."""
    return bool(st.session_state.setdefault("shell.sample", os.environ.get("LLM_MANAGER_SAMPLE") == "1"))


def use_sample(on: bool) -> None:
    """Look at the sample data, or back at the real records. Nothing chosen on one side leaks to the other."""
    if on == on_sample():
        return
    for key in [key for key in st.session_state if not str(key).startswith("shell.")]:
        del st.session_state[key]
    st.session_state["shell.sample"] = on


def workspace() -> Workspace:
    """The workspace this session looks at, opened once for the whole process."""
    return _open(on_sample())


@st.cache_resource(show_spinner="Opening the workspace", max_entries=2, on_release=lambda ws: ws.close())
def _open(sample: bool) -> Workspace:
    if sample:
        return Workspace.open_sample()
    ws = Workspace.open()
    ws.usage.keep_draining()
    ws.models.keep_checking()
    ws.usage.alerts.keep_watching()
    return ws


def tz() -> ZoneInfo:
    """Where days begin and times are read: the zone chosen in the settings, else the browser's."""
    return figures.zone(workspace().settings.get("usage.time_zone") or st.context.timezone)


def theme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


def header(title: str, caption: str = "") -> Any:
    """The page's title; returns the container at its right for the page's main controls."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.title(title, anchor=False, width="content")
        controls = st.container(horizontal=True, vertical_alignment="bottom", width="content")
    if caption:
        st.caption(caption)
    return controls
