"""Own models: one that no list names, and facts that a person knows better than the lists; with the way back."""

from __future__ import annotations

from typing import Any

import streamlit as st

from llm_core import LLMModel, Workspace
from llm_core.types import MODALITIES
from pages.components import dialogs, feedback, figures, model_table, own_price
from pages.components.model_words import CAN, title

_PREFIX = "own.model."
_WORDS = {"capabilities": "Can do", "inputs": "Takes", "outputs": "Gives"}


def ask_new(ws: Workspace) -> None:
    """Callback of a button."""
    for name in [name for name in st.session_state if str(name).startswith(_PREFIX)]:
        del st.session_state[name]
    dialogs.ask("Add a model", "add", _body, ws, None)


def ask_edit(ws: Workspace, model: LLMModel) -> None:
    """Callback of a button. The fields begin with what is known now."""
    values: dict[str, Any] = {
        "display_name": model.display_name,
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "capabilities": [word for word in CAN if word in model.capabilities],
        "inputs": [word for word in MODALITIES if word in model.inputs],
        "outputs": [word for word in MODALITIES if word in model.outputs],
        "retires_at": model.retires_at.date() if model.retires_at else None,
        "replacement": model.replacement or "",
    }
    for name, value in values.items():
        st.session_state[_PREFIX + name] = value
    st.session_state[_PREFIX + "before"] = values
    dialogs.ask(f"Edit {title(model)}", "edit", _body, ws, model)


def button(ws: Workspace) -> None:
    st.button("Add model", icon=":material/add:", key="models.add", on_click=ask_new, args=(ws,), disabled=ws.is_sample)


def buttons(ws: Workspace, model: LLMModel) -> None:
    """What a person can change of a model."""
    if ws.is_sample:
        return
    if any(model.connection == connection.name for connection in ws.providers.list()):
        st.button(
            "Edit", key="models.edit", icon=":material/edit:", type="tertiary", on_click=ask_edit, args=(ws, model)
        )
    st.button(
        "Set price",
        key="models.set_price",
        icon=":material/sell:",
        type="tertiary",
        on_click=own_price.ask,
        args=(ws, model),
    )


def _body(ws: Workspace, model: LLMModel | None) -> None:
    if model is None:
        names = [connection.name for connection in ws.providers.list()]
        if not names:
            st.markdown("A model is reached through a connection. Connect a provider first.")
            st.page_link("pages/providers.py", label="Connect", icon=":material/link:")
            return
        st.selectbox("Connection", names, key=_PREFIX + "connection")
        st.text_input(
            "Model",
            key=_PREFIX + "name",
            max_chars=200,
            help="The name that its provider takes in a call, letter by letter",
        )
    else:
        st.caption(f"{figures.plain(model.id)}. What you write counts before the lists, and is marked as yours.")
    st.text_input("Shown as", key=_PREFIX + "display_name", max_chars=200)
    with st.grid(2, min_column_width=180):
        for name, label in (("context_window", "Context, tokens"), ("max_output_tokens", "Longest answer, tokens")):
            st.number_input(label, min_value=1, max_value=10**9, value=None, step=1, key=_PREFIX + name)
    st.multiselect(_WORDS["capabilities"], list(CAN), key=_PREFIX + "capabilities", format_func=CAN.__getitem__)
    with st.grid(2, min_column_width=180):
        for name in ("inputs", "outputs"):
            st.multiselect(_WORDS[name], MODALITIES, key=_PREFIX + name, format_func=str.capitalize)
        st.date_input("Ends on", value=None, key=_PREFIX + "retires_at")
        st.text_input("Replaced by", key=_PREFIX + "replacement", max_chars=200)
    feedback.leftovers()
    with st.container(horizontal=True):
        st.button(
            "Add" if model is None else "Save",
            key=_PREFIX + "save",
            type="primary",
            icon=":material/save:",
            on_click=_save,
            args=(ws, model),
        )
        if model is not None and _is_written(model):
            st.button(
                "Remove it" if model.own else "Back to the lists",
                key=_PREFIX + "remove",
                icon=":material/undo:",
                on_click=_remove,
                args=(ws, model),
                help="Takes away what you wrote. Usage records stay.",
            )


def _is_written(model: LLMModel) -> bool:
    return model.own or any(source.name == "you" for source in model.sources.values())


@feedback.callback
def _save(ws: Workspace, model: LLMModel | None) -> None:
    typed = {name: _typed(name) for name in _FACTS}
    if model is None:
        facts = {name: value for name, value in typed.items() if value}
        kept = ws.models.add_own(_typed("connection"), str(_typed("name") or "").strip(), **facts)
        model_table.choose(kept.id)
        feedback.tell(f"{title(kept)} is among your models. Set its price to know what it costs.")
    else:
        before = st.session_state[_PREFIX + "before"]
        changed = {name: value or None for name, value in typed.items() if value != before[name]}
        ws.models.edit_own(model.id, **changed)
        feedback.tell(f"{title(model)} is changed.")
    dialogs.done()


@feedback.callback
def _remove(ws: Workspace, model: LLMModel) -> None:
    ws.models.remove_own(model.id)
    if model.own:
        model_table.choose()
    feedback.tell(f"What you wrote of {title(model)} is gone.")
    dialogs.done()


_FACTS = (
    "display_name",
    "context_window",
    "max_output_tokens",
    "capabilities",
    "inputs",
    "outputs",
    "retires_at",
    "replacement",
)


def _typed(name: str) -> Any:
    return st.session_state.get(_PREFIX + name)
