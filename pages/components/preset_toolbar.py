"""Save, Save as and the menu of what else can be done with a preset; and the way back from a deletion."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from llm_core import LLMModel, Workspace
from llm_core.parameters import ParameterSpec, Preset
from pages.components import feedback, figures, parameter_values, preset_dialogs, preset_files
from pages.components.choices import choose

DELETED, MENU = "parameters.deleted", "parameters.menu"


def draw(ws: Workspace, model: LLMModel, specs: list[ParameterSpec], preset: Preset, *, changed: bool) -> None:
    st.button(
        "Reset",
        key="parameters.reset",
        icon=":material/undo:",
        type="tertiary",
        disabled=not changed,
        on_click=parameter_values.reset,
        args=(preset,),
        help="Every field back to the preset",
    )
    if not preset.built_in:
        st.button(
            "Save",
            key="parameters.save",
            type="primary",
            icon=":material/save:",
            disabled=not changed,
            on_click=_save,
            args=(ws, specs, preset),
        )
    st.button(
        "Save as",
        key="parameters.save_as",
        type="primary" if preset.built_in else "secondary",
        icon=":material/save_as:",
        on_click=preset_dialogs.save_as,
        args=(ws, specs, preset),
    )
    st.menu_button("More", list(_actions(ws, model, preset)), key=MENU, on_click=_chosen, args=(ws, model, preset))


def undo(ws: Workspace) -> None:
    """After a deletion, until something else is deleted or the person leaves: the way back."""
    name = st.session_state.get(DELETED)
    if name is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"Deleted {preset_dialogs.shown(name)}. Records that name it keep its name.", width="stretch")
        st.button("Undo", key="parameters.undo", icon=":material/undo:", on_click=_restore, args=(ws, name))
        st.button("", key="parameters.gone", icon=":material/close:", type="tertiary", help="Dismiss", on_click=_forget)


def about(ws: Workspace, model: LLMModel, preset: Preset) -> None:
    """What the preset is for, its version, and for which calls it is the default."""
    scopes = [
        f"calls of {found.model.partition(':')[2]}" if found.model else f"task {found.task}"
        for found in ws.parameters.defaults()
        if found.preset == preset.name and (found.task or found.model == model.id)
    ]
    words = [
        preset.purpose,
        "Built in." if preset.built_in else f"Your own, version {preset.version}.",
        f"Default for {', '.join(scopes)}." if scopes else "",
    ]
    st.caption(figures.plain(" ".join(filter(None, words))))


@feedback.callback
def _save(ws: Workspace, specs: list[ParameterSpec], preset: Preset) -> None:
    kept = ws.parameters.save(Preset(preset.name, parameter_values.read(specs, preset), preset.purpose))
    parameter_values.reset(preset)
    feedback.tell(f"Saved {kept.name}, version {kept.version}.")


def _actions(ws: Workspace, model: LLMModel, preset: Preset) -> dict[str, Callable[[], None]]:
    """What each entry of the menu does."""
    own: dict[str, Callable[[], None]] = {
        "Rename": lambda: preset_dialogs.rename(ws, preset),
        "Delete": lambda: _delete(ws, preset),
    }
    return {
        "Duplicate": lambda: preset_dialogs.duplicate(ws, preset),
        "Make default for …": lambda: preset_dialogs.default(ws, model, preset),
        **({} if preset.built_in else own),
        "Export": lambda: preset_files.export(ws, preset),
        "Import": lambda: preset_files.bring_in(ws),
        **({"Restore deleted": lambda: preset_files.restore(ws)} if ws.parameters.deleted_presets() else {}),
    }


def _chosen(ws: Workspace, model: LLMModel, preset: Preset) -> None:
    action = _actions(ws, model, preset).get(st.session_state.get(MENU) or "")
    if action is not None:
        action()


@feedback.callback
def _delete(ws: Workspace, preset: Preset) -> None:
    ws.parameters.delete(preset.name)
    choose(ws, "preset", None)
    st.session_state[DELETED] = preset.name


def _forget() -> None:
    st.session_state.pop(DELETED, None)


@feedback.callback
def _restore(ws: Workspace, name: str) -> None:
    ws.parameters.restore(name)
    choose(ws, "preset", name)
    st.session_state.pop(DELETED, None)
    feedback.tell(f"{name} is back.")
