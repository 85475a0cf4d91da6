"""What a connection is besides its key: address, timeout, limits, headers and the like; only what its provider has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from llm_core import LLMProvider, Workspace
from llm_core.errors import InvalidInput
from llm_core.keys.environment import target_of
from llm_core.providers.registry import REGISTRY, title
from pages.components import dialogs, feedback, figures, key_field
from pages.components.health import health, tested_line

TEXTS = {
    "organization": ("Organisation", ("openai", "huggingface")),
    "project": ("Project", ("openai",)),
}
NUMBERS = {
    "timeout": ("Timeout in seconds", "Default"),
    "requests_per_minute": ("Requests a minute", "No limit"),
    "tokens_per_minute": ("Tokens a minute", "No limit"),
}


def ask(ws: Workspace, connection: LLMProvider) -> None:
    """Callback of a button. The fields begin with what is kept now."""
    options = connection.options
    values: dict[str, Any] = {name: options.get(name) for name in NUMBERS}
    values |= {name: options.get(name, "") for name in (*TEXTS, "proxy")}
    values["timeout"] = float(options["timeout"]) if "timeout" in options else None
    values["address"] = connection.base_url or ""
    values["headers"] = "\n".join(f"{name}: {value}" for name, value in options.get("headers", {}).items())
    for name, value in values.items():
        st.session_state[f"edit.{name}"] = value
    dialogs.ask(f"Edit {title(connection)}", "edit", _body, ws, connection)


def _body(ws: Workspace, connection: LLMProvider) -> None:
    row = REGISTRY[connection.provider]
    http = connection.provider != "local"
    if http:
        st.text_input("Address", key="edit.address", placeholder=row.base_url or "http://127.0.0.1:11434/v1")
        moved = replace(connection, base_url=_typed("address") or None)
        if connection.key_source and target_of(moved) != target_of(connection):
            st.markdown(":small[:orange[:material/warning:] A key stays with its host. Give the one for the new host.]")
            key_field.draw(ws, connection.provider, placeholder="Paste the whole key", own_address=True)
    with st.grid(3, min_column_width=130):
        for name, (label, usual) in NUMBERS.items():
            whole = name != "timeout"
            st.number_input(
                label,
                key=f"edit.{name}",
                value=None,
                min_value=1 if whole else 0.1,
                step=1 if whole else 1.0,
                format=None if whole else "%g",
                placeholder=usual,
            )
    st.caption("Limits are kept per process: programs that share this connection can together ask more.")
    if http:
        with st.expander("Headers, proxy and more", type="compact"):
            for name, (label, providers) in TEXTS.items():
                if connection.provider in providers:
                    st.text_input(label, key=f"edit.{name}")
            st.text_input("Proxy", key="edit.proxy", placeholder="http://proxy.example:3128")
            st.text_area(
                "Headers", key="edit.headers", placeholder="X-Title: My app", height=80, help="One a line. No secrets."
            )
    feedback.leftovers()
    st.button(
        "Save and test", key="edit.save", type="primary", icon=":material/save:", on_click=_save, args=(ws, connection)
    )


@feedback.callback
def _save(ws: Workspace, connection: LLMProvider) -> None:
    key = key_field.take()
    http = connection.provider != "local"
    edited: dict[str, Any] = {name: st.session_state.get(f"edit.{name}") for name in NUMBERS}
    if http:
        edited |= {name: _typed(name) for name, (_, of) in TEXTS.items() if connection.provider in of}
        edited |= {"proxy": _typed("proxy"), "headers": _headers(_typed("headers"))}
    ws.providers.edit(
        connection.name,
        base_url=(_typed("address") or None) if http else ...,
        options={name: value for name, value in (connection.options | edited).items() if value not in (None, "", {})},
        api_key=key or None,
    )
    found = ws.providers.test(connection.name)
    feedback.tell(f"{title(found)} is saved: {health(found).word.lower()}, {tested_line(found)}.")
    dialogs.done()


def _headers(text: str) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise InvalidInput(f"{figures.plain(line)} is not a header.", "Write one a line, as X-Title: My app.")
        headers[name.strip()] = value.strip()
    return headers


def _typed(name: str) -> str:
    return str(st.session_state.get(f"edit.{name}") or "").strip()
