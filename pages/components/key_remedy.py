"""What can be done about a vault that does not open: unlock it, try again, bring back its copy, begin a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from llm_core import Workspace
from llm_core.keys import VaultStatus
from pages.components import feedback


def draw(ws: Workspace, status: VaultStatus) -> None:
    """Nothing where the vault is well, save that one which a passphrase opens can be locked."""
    if status.state in ("locked", "wrong_key"):
        if status.source == "passphrase":
            with st.form("keys.unlock", border=False):
                st.text_input("Passphrase", key="keys.passphrase", type="password", autocomplete="off")
                st.form_submit_button(
                    "Unlock", type="primary", icon=":material/lock_open:", on_click=unlock, args=(ws,)
                )
        else:
            _button("Try again", "keys.again", unlock, ws)
    if status.state == "corrupt":
        _button("Bring back the vault's copy", "keys.restore", restore, ws)
    if status.state in ("wrong_key", "corrupt"):
        with st.popover("Start a new vault", type="tertiary"):
            st.markdown("The old one is renamed and kept. Its keys have to be typed again.")
            _button("Set the old vault aside", "keys.aside", set_aside, ws)
    if status.state == "ok" and status.source == "passphrase":
        _button("Lock", "keys.lock", lock, ws)


def _button(label: str, key: str, action: Callable[..., Any], *args: Any) -> None:
    st.button(label, key=key, on_click=action, args=args)


@feedback.callback
def unlock(ws: Workspace) -> None:
    passphrase = str(st.session_state.get("keys.passphrase") or "")
    if passphrase:
        st.session_state["keys.passphrase"] = ""
    ws.keys.unlock(passphrase or None)
    feedback.tell("The vault is open.")


@feedback.callback
def lock(ws: Workspace) -> None:
    ws.keys.lock()


@feedback.callback
def restore(ws: Workspace) -> None:
    ws.keys.restore()
    feedback.tell("The vault's copy is in its place; the damaged file was kept.")


@feedback.callback
def set_aside(ws: Workspace) -> None:
    ws.keys.set_aside()
    feedback.tell("The old vault is set aside. Type the keys again.")
