"""Choosing what keeps the vault's own key: a keyring, a key file, a variable, a passphrase; or memory only."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from llm_core import Workspace
from llm_core.keys import SourceChoice, VaultStatus
from pages.components import feedback, figures

NAMES = {
    "keyring": "System keyring",
    "key_file": "Key file",
    "environment": "Variable LLM_MANAGER_KEY",
    "passphrase": "Passphrase",
    "session": "Memory only",
}


def chooser(ws: Workspace, status: VaultStatus) -> None:
    """Asks the keyring only once it is opened."""
    label = "Choose where the vault's key is kept" if status.source is None else "Keep the vault's key elsewhere"
    choice = st.expander(label, type="compact", on_change="rerun", key="keys.choose")
    if not choice.open:
        return
    with choice:
        sources = {source.kind: source for source in ws.keys.sources()}
        about = {kind: source.explanation for kind, source in sources.items()}
        about["session"] = "Nothing is written; keys go when the app stops."
        kind = st.radio(
            "Source",
            [kind for kind in NAMES if (kind == "session" and status.source is None) or _offered(kind, sources)],
            format_func=NAMES.get,
            key="keys.kind",
            label_visibility="collapsed",
        )
        st.caption(figures.plain(about.get(kind, "")))
        for other, source in sources.items():
            if not source.available:
                st.caption(f"{NAMES[other]} is not to be had here: {figures.plain(source.explanation)}")
        if kind == "key_file":
            st.text_input(
                "Path of the key file",
                key="keys.file",
                placeholder="~/.config/llm-manager.key",
                help="Made where it is not there. Not in the home folder of LLM Manager, beside the vault.",
            )
        if kind == "passphrase":
            st.text_input(
                "New passphrase",
                key="keys.new",
                type="password",
                autocomplete="off",
                help="12 letters or more. Typed at each start; nobody can recover it.",
            )
        st.button("Use this", key="keys.use", type="primary", on_click=choose, args=(ws, kind))


def _offered(kind: str, sources: Mapping[str, SourceChoice]) -> bool:
    return kind in sources and sources[kind].available


@feedback.callback
def choose(ws: Workspace, kind: str) -> None:
    """The passphrase leaves the session here, whatever happens next."""
    passphrase = str(st.session_state.get("keys.new") or "")
    if passphrase:
        st.session_state["keys.new"] = ""
    file = str(st.session_state.get("keys.file") or "").strip()
    ws.keys.choose_source(kind, passphrase=passphrase or None, key_file=file or None)
    feedback.tell(f"{NAMES[kind]} is used from now on.")
