"""Connecting a provider: a dialog with the fields of that provider only. It is tested first, and saved when it passed.

"Save anyway" is offered only where the test could not run. How the key is kept out of the session: `key_field.py`.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from llm_core import LLMProvider, Workspace
from llm_core.errors import LLMManagerError
from llm_core.providers.registry import REGISTRY, ProviderRow, label, title
from pages.components import dialogs, feedback, figures, key_field
from pages.components.health import health, tested_line

ABOUT = {
    "compatible": "Ollama, vLLM, OpenRouter and the like, by address",
    "local": "A model file run inside this app, without a key",
}
NOUNS = {"compatible": "an OpenAI-compatible endpoint", "local": "a local model"}
ADDRESS, NAME, IMPORT = "connect.address", "connect.name", "connect.import"
SOURCES = {"smollm2": "SmolLM2 135M", "gguf": "A GGUF file", "huggingface": "From Hugging Face"}


def about(row: ProviderRow) -> str:
    """What one needs to connect it, in a line."""
    return ABOUT.get(row.name, f"With an API key, or {row.key_variable}" if row.key_variable else "With an API key")


def ask_for(ws: Workspace, provider: str) -> None:
    """Callback of a button."""
    dialogs.ask(f"Connect {NOUNS.get(provider, label(provider))}", "link", _body, ws, provider)


def _body(ws: Workspace, provider: str) -> None:
    row = REGISTRY[provider]
    if provider == "local":
        _local_fields()
    elif row.capabilities.needs_base_url:
        _address("http://127.0.0.1:11434/v1")
    variable = "" if provider == "local" else _key(ws, row)
    with st.expander("More", type="compact"):
        st.text_input("Name", key=NAME, placeholder=provider, help="Your own, if you connect several of a kind.")
        if row.base_url:
            _address(row.base_url)
    feedback.leftovers()
    with st.container(horizontal=True):
        st.button(
            "Test and save",
            key="connect.save",
            type="primary",
            icon=":material/network_check:",
            on_click=_save,
            args=(ws, provider, variable),
        )
        if key_field.may_save_anyway():
            st.button("Save anyway", key="connect.anyway", on_click=_save, args=(ws, provider, variable, False))
    if key_field.may_save_anyway():
        st.caption("The test could not run, so nothing is known of it. Save anyway keeps it untested.")


def _local_fields() -> None:
    source = st.segmented_control(
        "Model", SOURCES, default="smollm2", required=True, format_func=SOURCES.get, key="connect.source"
    )
    if source == "gguf":
        st.text_input("Path of the file", key="connect.path", placeholder="~/models/my-model.gguf")
    if source == "huggingface":
        st.text_input("Repository", key="connect.repo", placeholder="owner/name")
        st.text_input("File in it", key="connect.file", placeholder="model-q4_k_m.gguf")


def _address(example: str) -> None:
    st.text_input("Address", key=ADDRESS, placeholder=example, help="With /v1, as the vendor's SDK takes it.")


def _key(ws: Workspace, row: ProviderRow) -> str:
    """Draws the field; the variable that has a key, where there is one."""
    connection = LLMProvider(name=row.name, provider=row.name)
    source, hint = ws.keys.describe(connection)
    kind, _, variable = (source or "").partition(":")
    found = kind == "environment"
    usual = "Paste the whole key" if row.capabilities.needs_key else "If it asks for one"
    key_field.draw(
        ws,
        row.name,
        placeholder="Leave empty to use the one found" if found else usual,
        own_address=bool(_typed(ADDRESS)),
    )
    if found:
        ending = f", ending in {hint}" if hint else ""
        st.caption(f":material/check_circle: Found one in {figures.plain(variable)}{ending}.")
        st.checkbox(
            "Keep a copy of it in the vault",
            key=IMPORT,
            help="Else it is read from the variable each time, and is gone where that is not set.",
        )
    return variable if found else ""


@feedback.callback
def _save(ws: Workspace, provider: str, variable: str, test: bool = True) -> None:
    key = key_field.take()
    untested = key_field.take_untested()
    key = key or ("" if test else untested)
    options: dict[str, Any] = {}
    if provider == "local":
        options = {"source": st.session_state.get("connect.source") or "smollm2"}
        options |= {one: typed for one in ("path", "repo", "file") if (typed := _typed(f"connect.{one}"))}
    try:
        found = ws.providers.connect(
            provider,
            key or None,
            base_url=_typed(ADDRESS) or None,
            name=_typed(NAME) or None,
            options=options,
            test=test and provider != "local",
        )
    except LLMManagerError as error:
        if test:
            key_field.keep_untested(key, error)
        raise
    if variable and not key and st.session_state.get(IMPORT):
        found = ws.providers.import_key(found.name, variable)
        found = ws.providers.test(found.name) if test else found
    if found.state == "connected":
        feedback.tell(f"{title(found)} is connected, {tested_line(found)}.")
    else:
        feedback.tell(f"{title(found)} is saved: {health(found).word.lower()}. {found.message}".strip())
    dialogs.done()


def _typed(key: str) -> str:
    return str(st.session_state.get(key) or "").strip()
