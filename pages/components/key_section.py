"""Where keys are kept and how old they are: the vault's state with its remedy, the keys in it, those found outside."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from llm_core import LLMProvider, Workspace
from llm_core.keys import VaultStatus
from llm_core.providers.registry import title
from pages.components import audit_table, feedback, figures, key_remedy, key_source, shell
from pages.components.health import OPENS_THE_VAULT

WORDS = {
    "ok": ("Open", "green", ":material/lock_open:"),
    "absent": ("Nothing kept yet", "gray", ":material/key_off:"),
    "session": ("In memory only", "orange", ":material/memory:"),
    "locked": ("Locked", "orange", ":material/lock:"),
    "wrong_key": ("Wrong master key", "red", ":material/error:"),
    "corrupt": ("Damaged", "red", ":material/error:"),
    "too_new": ("Of a newer version", "red", ":material/update:"),
}


def draw(ws: Workspace, connections: Sequence[LLMProvider]) -> None:
    status = ws.keys.status()
    word, colour, icon = WORDS[status.state]
    st.subheader("Keys", anchor=False)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(word, color=colour, icon=icon)
            st.markdown(figures.plain(_where(status)), width="content")
        if status.state in ("wrong_key", "corrupt", "too_new", "locked", "session"):
            show = st.error if colour == "red" else st.warning
            show(figures.plain(status.hint), title=status.message, icon=icon)
        for warning in status.warnings:
            st.warning(figures.plain(warning), icon=":material/warning:")
        key_remedy.draw(ws, status)
        _found(ws, connections)
        if status.entries:
            _keys(ws, status)
        if status.state in ("ok", "absent", "session"):
            key_source.chooser(ws, status)
    audit_table.draw(ws)


def _where(status: VaultStatus) -> str:
    if status.state == "session":
        return "Keys stay in this app's memory until it stops."
    if status.source is None:
        return "Keys you type are kept encrypted in the vault, once there is a place for the vault's own key."
    how = OPENS_THE_VAULT.get("variable" if status.source == "environment" else status.source, status.source)
    at = f" ({status.where})" if status.where and status.source == "key_file" else ""
    return f"Keys are kept encrypted in the vault, opened by {how}{at}."


def _found(ws: Workspace, connections: Sequence[LLMProvider]) -> None:
    """Keys in use that lie open in the environment: kept in the vault once the person says so."""
    for connection in connections:
        kind, _, variable = (connection.key_source or "").partition(":")
        if kind != "environment":
            continue
        hint = f" …{connection.key_hint}" if connection.key_hint else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"{figures.plain(title(connection))} uses the key{hint} in {figures.plain(variable)}."
                " Keep a copy in the vault?",
                width="content",
            )
            st.button(
                "Import",
                key=f"keys.import.{connection.name}",
                on_click=import_key,
                args=(ws, connection.name, variable),
            )


def _keys(ws: Workspace, status: VaultStatus) -> None:
    tz = shell.tz()
    remind = ws.settings.get("keys.remind_after_days")
    due = {entry.id for entry in ws.keys.due_for_rotation(remind)}
    rows = [
        {
            "Connection": entry.connection,
            "State": "due for rotation" if entry.id in due else entry.state,
            "Key": f"…{entry.last4}" if entry.last4 else figures.UNKNOWN,
            "Age": f"{entry.age.days} d" if entry.age is not None else figures.UNKNOWN,
            "Last used": figures.moment(entry.last_used, tz),
            "Uses": entry.reads,
            "Fingerprint": entry.fingerprint or figures.UNKNOWN,
        }
        for entry in status.entries
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.number_input(
        "Remind of rotation after days",
        min_value=1,
        max_value=3_650,
        value=remind,
        key="keys.remind",
        width=220,
        on_change=set_reminder,
        args=(ws,),
    )


@feedback.callback
def set_reminder(ws: Workspace) -> None:
    ws.settings.set("keys.remind_after_days", st.session_state["keys.remind"])


@feedback.callback
def import_key(ws: Workspace, name: str, variable: str) -> None:
    found = ws.providers.import_key(name, variable)
    feedback.tell(f"The key of {title(found)} is in the vault now.")
