"""The versions of a preset, and the calls that used each of them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from llm_core import Workspace
from llm_core.parameters import Preset
from pages.components import feedback, figures, shell


def draw(ws: Workspace, preset: Preset) -> None:
    calls = _calls(ws, str(ws.home.path), ws.usage.token(), preset.name)
    for version in ws.parameters.versions(preset.name):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container(gap="xsmall"):
                now = " :green-badge[counts now]" if version.version == preset.version else ""
                saved = "built in" if version.built_in else f"saved {figures.moment(version.saved_at, shell.tz())}"
                st.markdown(
                    f"**Version {version.version}**{now} :small[:gray[{saved} · {_used(calls, version.version)}]]"
                )
                st.markdown(f":small[{_values(version)}]")
            if version.version != preset.version:
                st.button("Use again", key=f"preset.version.{version.version}", on_click=_restore, args=(ws, version))
    if calls.empty:
        st.caption("No call has named it yet.")
    else:
        st.page_link(
            "pages/usage.py",
            label="See its calls on Usage",
            icon=":material/monitoring:",
            query_params={"preset": preset.name},
        )


@st.cache_data(max_entries=16, ttl="1m", show_spinner=False)
def _calls(_ws: Workspace, home: str, token: object, name: str) -> pd.DataFrame:
    return _ws.usage.groups("preset_version", preset=name)


def _used(calls: pd.DataFrame, version: int) -> str:
    found = calls[calls["preset_version"] == version] if not calls.empty else calls
    if found.empty:
        return "no calls"
    row = found.iloc[0]
    return f"{figures.count(row.calls)} calls · {figures.usd(row.cost_usd)}"


def _values(preset: Preset) -> str:
    told = []
    for name, value in preset.parameters.given().items():
        text = " ".join(str(value).split())
        told.append(f"{figures.sentence(name)} {figures.plain(text if len(text) <= 60 else f'{text[:59]}…')}")
    return " · ".join(told) or "The model's own defaults"


@feedback.callback
def _restore(ws: Workspace, version: Preset) -> None:
    ws.parameters.restore(version.name, version.version)
    feedback.tell(f"{version.name} is as in version {version.version} again.")
