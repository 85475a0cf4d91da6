"""Connecting one provider, or giving a connection another key: a dialog with the fields of that provider only.

The key goes from the form straight to the key manager. The form's own copy is blanked in the same callback, so it is
neither kept in the session nor sent to the browser again.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from llm_core import LLMProvider, Workspace
from llm_core.providers.registry import REGISTRY, ProviderRow
from pages.components import feedback, figures
from pages.components.health import health, key_line, label, tested_line, title

ABOUT = {
    "compatible": "Ollama, vLLM, OpenRouter and the like, by address",
    "local": "A model file run inside this app, without a key",
}
NOUNS = {"compatible": "an OpenAI-compatible endpoint", "local": "a local model"}
KEY, ADDRESS, NAME = "connect.key", "connect.address", "connect.name"
SAVED, ASKED = "connect.saved", "connect.asked"
SOURCES = {"smollm2": "SmolLM2 135M", "gguf": "A GGUF file", "huggingface": "From Hugging Face"}


def about(row: ProviderRow) -> str:
    """What one needs to connect it, in a line."""
    return ABOUT.get(row.name, f"With an API key, or {row.key_variable}" if row.key_variable else "With an API key")


def ask_for(provider: str, connection: LLMProvider | None = None) -> None:
    """Callback of a button: open it for a new connection, or for another key of `connection`."""
    st.session_state.pop(SAVED, None)
    st.session_state[ASKED] = (provider, connection)


def open_if_asked(ws: Workspace) -> None:
    """Called by the page once everything else is drawn."""
    if ASKED not in st.session_state:
        return
    provider, connection = st.session_state.pop(ASKED)
    name = f"New key for {title(connection)}" if connection else f"Connect {NOUNS.get(provider, label(provider))}"
    icon = ":material/key:" if connection else ":material/link:"
    st.dialog(name, icon=icon, on_dismiss="rerun")(_body)(ws, provider, connection)


def _body(ws: Workspace, provider: str, connection: LLMProvider | None) -> None:
    saved = st.session_state.pop(SAVED, None)
    if saved is not None:
        _test(ws, saved)
    feedback.leftovers()
    row = REGISTRY[provider]
    source = (
        st.segmented_control("Model", SOURCES, default="smollm2", required=True, format_func=SOURCES.get)
        if (provider == "local")
        else ""
    )
    with st.form("connect", border=False):
        if connection is None and row.capabilities.needs_base_url:
            _address("http://127.0.0.1:11434/v1", needed=True)
        if source == "gguf":
            st.text_input("Path of the file", key="connect.path", placeholder="~/models/my-model.gguf", required=True)
        if source == "huggingface":
            st.text_input("Repository", key="connect.repo", placeholder="owner/name", required=True)
            st.text_input("File in it", key="connect.file", placeholder="model-q4_k_m.gguf", required=True)
        if not source:
            _key(ws, connection or LLMProvider(name=provider, provider=provider), needed=row.capabilities.needs_key)
        if connection is None:
            with st.expander("More", type="compact"):
                st.text_input(
                    "Name", key=NAME, placeholder=provider, help="Your own, if you connect several of a kind."
                )
                if row.base_url:
                    _address(row.base_url, needed=False)
        st.form_submit_button(
            "Test and save",
            type="primary",
            icon=":material/network_check:",
            on_click=_save,
            args=(ws, provider, source, connection and connection.name),
        )


def _address(example: str, *, needed: bool) -> None:
    st.text_input(
        "Address", key=ADDRESS, placeholder=example, required=needed, help="With /v1, as the vendor's SDK takes it."
    )


def _key(ws: Workspace, connection: LLMProvider, *, needed: bool) -> None:
    source, hint = ws.keys.describe(connection)
    kind, _, variable = (source or "").partition(":")
    page = REGISTRY[connection.provider].key_page
    found = kind == "environment"
    st.text_input(
        f"API key [:small[make one]]({page})" if page else "API key",
        key=KEY,
        type="password",
        autocomplete="off",
        placeholder="Leave empty to use the one found"
        if found
        else "Paste the whole key"
        if needed
        else "If it asks for one",
    )
    if found:
        ending = f", ending in {hint}" if hint else ""
        st.caption(f":material/check_circle: Found one in {variable}{ending}. A key typed here is used instead of it.")
    st.caption(
        "A key typed here is kept encrypted. Where this machine has no safe place for the vault's own key, it stays in"
        " this app's memory until it stops."
    )


@feedback.callback
def _save(ws: Workspace, provider: str, source: str, existing: str | None) -> None:
    """Keep what was typed. The key leaves the session here, whatever happens next."""
    key = _typed(KEY)
    st.session_state[KEY] = ""
    if existing:
        if key:
            ws.providers.rotate(existing, key)
        st.session_state[SAVED] = existing
        return
    options: dict[str, Any] = {"source": source} if source else {}
    for option in ("path", "repo", "file"):
        if typed := _typed(f"connect.{option}"):
            options[option] = typed
    found = ws.providers.connect(
        provider, key or None, base_url=_typed(ADDRESS) or None, name=_typed(NAME) or None, options=options
    )
    st.session_state[SAVED] = found.name


def _typed(key: str) -> str:
    return str(st.session_state.get(key) or "").strip()


def _test(ws: Workspace, name: str) -> None:
    """Test what was just saved: close on success, else say what is wrong and let the person try again."""
    with st.spinner("Asking it for its models"):
        found = ws.providers.test(name)
    state = health(found)
    if found.state == "connected":
        feedback.tell(f"{title(found)} is connected: {key_line(found)}, {tested_line(found)}.")
        st.rerun()
    st.error(figures.plain(found.message), title=f"{title(found)}: {state.word.lower()}", icon=state.icon)
    st.caption("It is saved as it is. Try again here, or disconnect it on its card.")
