"""One preset on several models: what each of them takes, moves into its range, or leaves out, and why."""

from __future__ import annotations

import streamlit as st

from llm_core import LLMModel, Parameters, Workspace
from pages.components import figures, model_selector

KEY, MOST = "parameters.models", 8


def draw(ws: Workspace, model: LLMModel, edited: Parameters) -> None:
    found = {one.id: one for one in ws.models.list(task="chat")}
    usual = list({one.connection: one.id for one in reversed(found.values())}.values())[::-1][:4]
    st.session_state.setdefault(KEY, list(dict.fromkeys((model.id, *usual)))[:4])
    st.session_state[KEY] = [one for one in st.session_state[KEY] if one in found]
    chosen = st.multiselect(
        "Models", list(found), format_func=lambda one: model_selector.label(found[one]), key=KEY, max_selections=MOST
    )
    given = len(edited.given())
    if not given:
        st.caption("Nothing is set, so every model takes it.")
        return
    with st.grid(2, min_column_width=300):
        for one in chosen:
            with st.container(border=True):
                _on(ws, found[one], edited, given)


def _on(ws: Workspace, model: LLMModel, edited: Parameters, given: int) -> None:
    changes = ws.parameters.changes(model.id, edited)
    kept = given - sum(change.to is None for change in changes)
    colour = "green" if not changes else "orange"
    st.markdown(
        f"**{figures.plain(model.display_name or model.name)}** :small[:gray[{figures.plain(model.connection)}]] "
        f":{colour}-badge[takes {kept} of {given}]"
    )
    for change in changes:
        what = "left out" if change.to is None else f"{change.value:g} becomes {change.to:g}"
        st.markdown(f":small[**{figures.sentence(change.field)}** {what}: {figures.plain(change.why)}]")
    if not changes:
        st.markdown(":small[:gray[Everything is sent as it is.]]")
