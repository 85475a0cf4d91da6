"""Presets of temperature, length and the like: choose one, change it for a model, keep it as your own."""

from __future__ import annotations

import streamlit as st

from llm_core.parameters import Preset
from pages.components import feedback, figures, model_selector, parameter_editor, shell
from pages.components.choices import choose

shell.guard()
ws = shell.workspace()
shell.header("Parameters", "What shapes an answer. An empty field leaves the value to the model.")

choosers = st.columns(2)
with choosers[0]:
    model = model_selector.model(ws, "parameters.model")
if model is None:
    model_selector.nothing_to_choose(ws)
    st.stop()
with choosers[1]:
    name = model_selector.preset(ws, "parameters.preset")

preset = ws.parameters.preset(name)


@feedback.callback
def save() -> None:
    kept = ws.parameters.save(
        Preset(st.session_state["parameters.name"], edited, st.session_state["parameters.purpose"])
    )
    choose(ws, "preset", kept.name)
    feedback.tell(f"Saved {kept.name}, version {kept.version}.")


@feedback.callback
def delete() -> None:
    ws.parameters.delete(preset.name)
    choose(ws, "preset", None)
    feedback.tell(f"Deleted {preset.name}. Records that name it keep its name.")


left, right = st.columns([3, 2], gap="medium")
with left, st.container(border=True):
    edited = parameter_editor.edit(ws.parameters.spec(model.id), preset)
with right:
    with st.container(border=True):
        st.markdown(
            f"**{figures.plain(preset.name.capitalize())}** on {figures.plain(model.display_name or model.name)}"
        )
        if preset.purpose:
            st.caption(figures.plain(preset.purpose))
        found = ws.parameters.validate(model.id, edited)
        parameter_editor.findings(found)
        with st.container(horizontal=True, vertical_alignment="center"):
            changed = edited != preset.parameters
            st.button("Reset", disabled=not changed, on_click=parameter_editor.reset, args=(preset,))
            st.page_link("pages/tester.py", label="Try it in the Tester", icon=":material/science:")
    with st.container(border=True):
        st.markdown("**Save as your own**")
        st.text_input("Name", "" if preset.built_in else preset.name, key="parameters.name", max_chars=60)
        st.text_input("What it is for", "" if preset.built_in else preset.purpose, key="parameters.purpose")
        with st.container(horizontal=True):
            st.button(
                "Save", type="primary", icon=":material/save:", on_click=save, key="parameters.save", disabled=not found
            )
            if not preset.built_in:
                with st.popover("Delete", type="tertiary"):
                    st.markdown("The preset goes. Records that name it keep its name.")
                    st.button("Delete", key="parameters.delete", type="primary", on_click=delete)
