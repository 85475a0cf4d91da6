"""What parameters will do: controls that fit the model, their effect, the request and its cost; presets of them."""

from __future__ import annotations

import streamlit as st

from pages.components import (
    dialogs,
    model_selector,
    parameter_editor,
    parameter_expected,
    parameter_request,
    parameter_try,
    parameter_values,
    preset_comparison,
    preset_history,
    preset_models,
    preset_toolbar,
    shell,
)

VIEWS = ("Expected", "Request", "Cost", "Try")
BELOW = ("On other models", "Compare presets", "Versions and calls")

shell.guard()
ws = shell.workspace()
controls = shell.header("Parameters")

choosers = st.columns(2)
with choosers[0]:
    model = model_selector.model(ws, "parameters.model")
if model is None:
    model_selector.nothing_to_choose(ws)
    st.stop()
with choosers[1]:
    name = model_selector.preset(ws, "parameters.preset", model.id)

preset = ws.parameters.preset(name)
specs = ws.parameters.spec(model.id)
edited = parameter_values.read(specs, preset)
with controls:
    preset_toolbar.draw(ws, model, specs, preset, changed=edited != preset.parameters)
preset_toolbar.undo(ws)
preset_toolbar.about(ws, model, preset)

left, right = st.columns([3, 2], gap="medium")
with left, st.container(border=True):
    parameter_editor.draw(specs, preset, edited)
with right:
    parameter_editor.findings(ws, model, edited)
    with st.container(border=True):
        view = st.segmented_control(
            "Show",
            VIEWS,
            required=True,
            default=VIEWS[0],
            key="show",
            bind="query-params",
            label_visibility="collapsed",
        )
        if view == "Expected":
            parameter_expected.draw(ws, model, edited)
        elif view == "Try":
            parameter_try.draw(ws, model, specs, preset)
        else:
            prompt = parameter_try.prompt()
            draw = parameter_request.draw if view == "Request" else parameter_request.cost
            draw(ws, model, edited, prompt)

more = st.segmented_control(
    "More", BELOW, default=BELOW[0], required=True, key="more", bind="query-params", label_visibility="collapsed"
)
with st.container(border=True):
    if more == "On other models":
        preset_models.draw(ws, model, edited)
    elif more == "Compare presets":
        preset_comparison.draw(ws, model, specs, preset)
    else:
        preset_history.draw(ws, preset)
dialogs.open_if_asked()
