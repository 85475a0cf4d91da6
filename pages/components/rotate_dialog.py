"""Another key for a connection: tested first, then used by every call that begins from then on."""

from __future__ import annotations

import streamlit as st

from llm_core import LLMProvider, Workspace
from llm_core.errors import LLMManagerError
from llm_core.providers.registry import title
from pages.components import dialogs, feedback, key_field
from pages.components.health import tested_line


def word(connection: LLMProvider) -> str:
    return "Rotate key" if connection.key_source else "Give key"


def ask(ws: Workspace, connection: LLMProvider) -> None:
    """Callback of a button."""
    name = f"New key for {title(connection)}" if connection.key_source else f"Key for {title(connection)}"
    dialogs.ask(name, "key", _body, ws, connection)


def _body(ws: Workspace, connection: LLMProvider) -> None:
    if connection.key_source:
        st.markdown(
            "The new key is tested first; if it is refused, nothing changes. Then every call that begins uses it, and"
            " calls already running end with the old one. In the vault the old key is kept for a day, to be brought"
            " back; revoke it at the provider once all is well."
        )
    key_field.draw(
        ws,
        connection.provider,
        label="New key" if connection.key_source else "API key",
        placeholder="Paste the whole key",
        own_address=bool(connection.base_url),
    )
    feedback.leftovers()
    with st.container(horizontal=True):
        st.button(
            "Test and switch",
            key="rotate.save",
            type="primary",
            icon=":material/sync:",
            on_click=_rotate,
            args=(ws, connection.name),
        )
        if key_field.may_save_anyway():
            st.button("Switch anyway", key="rotate.anyway", on_click=_rotate, args=(ws, connection.name, False))
        if _has_old_key(ws, connection):
            st.button("Bring back the old key", key="rotate.undo", on_click=_undo, args=(ws, connection.name))
    if key_field.may_save_anyway():
        st.caption("The test could not run, so nothing is known of the new key.")


def _has_old_key(ws: Workspace, connection: LLMProvider) -> bool:
    return connection.key_kept and any(
        entry.connection == connection.name and entry.state == "grace" for entry in ws.keys.status().entries
    )


@feedback.callback
def _rotate(ws: Workspace, name: str, test: bool = True) -> None:
    key, untested = key_field.take(), key_field.take_untested()
    key = key or ("" if test else untested)
    try:
        found = ws.providers.rotate(name, key, test=test)
    except LLMManagerError as error:
        if test:
            key_field.keep_untested(key, error)
        raise
    feedback.tell(f"{title(found)} uses the new key, {tested_line(found)}.")
    dialogs.done()


@feedback.callback
def _undo(ws: Workspace, name: str) -> None:
    ws.keys.undo_rotation(name)
    found = ws.providers.test(name)
    feedback.tell(f"{title(found)} uses the old key again, {tested_line(found)}.")
    dialogs.done()
