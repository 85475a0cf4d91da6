"""Dialogs that give a preset a name: Save as, Rename, Duplicate; and the one that makes it a default."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from llm_core import LLMModel, Workspace
from llm_core.parameters import ParameterSpec, Preset
from llm_core.parameters.preset import NAME_LENGTH, PURPOSE_LENGTH
from llm_core.types import TASKS
from pages.components import dialogs, feedback, figures, parameter_values
from pages.components.choices import choose

NAME, PURPOSE, SCOPES = "preset.name", "preset.purpose", "preset.scopes"


def shown(name: str) -> str:
    """Its name on a page: built-in ones are written small."""
    return f"**{figures.plain(name[:1].upper() + name[1:])}**"


def save_as(ws: Workspace, specs: list[ParameterSpec], preset: Preset) -> None:
    """Callback: keep what the controls hold under a new name."""
    st.session_state[PURPOSE] = "" if preset.built_in else preset.purpose
    st.session_state[NAME] = ""

    def save() -> None:
        edited = parameter_values.read(specs, preset)
        kept = ws.parameters.save(Preset(_typed(NAME), edited, _typed(PURPOSE)), new=True)
        parameter_values.reset(preset)
        _done(ws, kept.name, f"Saved {kept.name}.")

    dialogs.ask("Save as your own", "save_as", _name_it, "Save", save, True)


def rename(ws: Workspace, preset: Preset) -> None:
    """Callback: another name, or another word for what it is for."""
    st.session_state[NAME], st.session_state[PURPOSE] = preset.name, preset.purpose

    def move() -> None:
        kept = ws.parameters.rename(preset.name, _typed(NAME))
        kept = ws.parameters.save(Preset(kept.name, kept.parameters, _typed(PURPOSE)))
        _done(ws, kept.name, f"Saved as {kept.name}. Records keep the name they were made with.")

    dialogs.ask(f"Rename {preset.name}", "edit", _name_it, "Save", move, True)


def duplicate(ws: Workspace, preset: Preset) -> None:
    st.session_state[NAME] = f"{preset.name} copy"[:NAME_LENGTH]

    def copy() -> None:
        kept = ws.parameters.duplicate(preset.name, _typed(NAME))
        _done(ws, kept.name, f"{kept.name} is a copy of {preset.name}.")

    dialogs.ask(f"Duplicate {preset.name}", "content_copy", _name_it, "Duplicate", copy, False)


def _name_it(label: str, act: Callable[[], None], with_purpose: bool) -> None:
    st.text_input("Name", key=NAME, max_chars=NAME_LENGTH, placeholder="Support answers")
    if with_purpose:
        st.text_input("What it is for", key=PURPOSE, max_chars=PURPOSE_LENGTH, placeholder="Answers to customers")
    feedback.leftovers()
    st.button(label, key="preset.go", type="primary", on_click=feedback.callback(act))


def _typed(key: str) -> str:
    return str(st.session_state.get(key) or "").strip()


def _done(ws: Workspace, name: str, news: str) -> None:
    choose(ws, "preset", name)
    feedback.tell(news)
    dialogs.done()


def default(ws: Workspace, model: LLMModel, preset: Preset) -> None:
    """Callback: choose the tasks, and the model, whose calls follow it when they name no preset."""
    st.session_state[SCOPES] = [scope for scope, name in _followed(ws, model).items() if name == preset.name]
    dialogs.ask(f"Make {preset.name} a default", "star", _default, ws, model, preset)


def _default(ws: Workspace, model: LLMModel, preset: Preset) -> None:
    st.markdown("A call that names no preset follows the one of its model, else the one of its task.")
    followed = _followed(ws, model)

    def label(scope: str) -> str:
        now = followed.get(scope, preset.name)
        return _scopes(model)[scope] + (f" (now {now})" if now != preset.name else "")

    st.multiselect("Default for", list(_scopes(model)), format_func=label, key=SCOPES, placeholder="Nothing")
    feedback.leftovers()
    st.button("Save", key="preset.go", type="primary", on_click=_set_defaults, args=(ws, model, preset))


def _scopes(model: LLMModel) -> dict[str, str]:
    """What a default can be for, with its words: a task, or "" for the model."""
    return {"": f"Calls of {model.name}"} | {task: f"Task {task}" for task in TASKS if task != "transcribe"}


def _followed(ws: Workspace, model: LLMModel) -> dict[str, str]:
    """The default of each scope that has one."""
    return {
        found.task or "": found.preset for found in ws.parameters.defaults() if found.task or found.model == model.id
    }


@feedback.callback
def _set_defaults(ws: Workspace, model: LLMModel, preset: Preset) -> None:
    followed = _followed(ws, model)
    for scope in _scopes(model):
        target = {"task": scope} if scope else {"model": model.id}
        if scope in st.session_state[SCOPES]:
            ws.parameters.set_default(preset.name, **target)
        elif followed.get(scope) == preset.name:
            ws.parameters.set_default(None, **target)
    feedback.tell(f"Saved what {preset.name} is the default for.")
    dialogs.done()
