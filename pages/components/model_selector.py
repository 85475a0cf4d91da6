"""Choosing a model, and a preset, in one line each. The choice is shared by all pages."""

from __future__ import annotations

import streamlit as st

from llm_core import LLMModel, Workspace
from pages.components import feedback, figures
from pages.components.choices import choice, choose_from


def model(ws: Workspace, key: str, *, task: str = "chat", disabled: bool = False) -> LLMModel | None:
    """The one last chosen, else the active one, else the first. None where no connection lists any."""
    models = {found.id: found for found in ws.models.list(task=task)}
    if not models:
        return None
    wanted = (choice(ws, "model"), ws.models.active(task), next(iter(models)))
    st.session_state[key] = next(one for one in wanted if one in models)
    st.selectbox(
        "Model",
        list(models),
        format_func=lambda one: label(models[one]),
        key=key,
        on_change=feedback.callback(choose_from),
        args=(ws, "model", key),
        disabled=disabled,
    )
    return models[st.session_state[key]]


def preset(ws: Workspace, key: str, model: str, *, disabled: bool = False) -> str:
    """The chosen preset's name, else the default of the model or of chat, else the first: the model's own values."""
    names = [found.name for found in ws.parameters.presets()]
    usual = ws.parameters.default_for(model)
    wanted = (choice(ws, "preset"), usual.name if usual else "", names[0])
    st.session_state[key] = next(one for one in wanted if one in names)
    st.selectbox(
        "Preset",
        names,
        format_func=lambda name: name[0].upper() + name[1:],
        key=key,
        on_change=feedback.callback(choose_from),
        args=(ws, "preset", key),
        disabled=disabled,
    )
    return str(st.session_state[key])


def label(found: LLMModel) -> str:
    price = figures.price_pair(found.input_price, found.output_price)
    return f"{found.display_name or found.name} · {found.connection} · {price}"


def nothing_to_choose(ws: Workspace) -> None:
    """The empty state of a page that needs a model."""
    with st.container(border=True):
        if ws.providers.list():
            st.markdown("**No model to choose from yet**")
            st.markdown("No connection has listed a model. Test the connections to ask them again.")
            st.page_link("pages/providers.py", label="Test connections", icon=":material/network_check:")
        else:
            st.markdown("**No model yet**")
            st.markdown("Connect a provider, or run a small model on this machine, without a key.")
            st.page_link("pages/welcome.py", label="See the ways to start", icon=":material/arrow_forward:")
