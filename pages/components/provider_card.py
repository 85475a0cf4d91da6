"""The card of one connection on Providers: how it is, what it was used for this week, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from llm_core import LLMProvider, Workspace
from pages.components import feedback, figures
from pages.components.facts import Fact, row
from pages.components.health import health, key_line, models_line, tested_line, title


def card(
    ws: Workspace, connection: LLMProvider, week: pd.DataFrame, change_key: Callable[[str, LLMProvider], None]
) -> None:
    """`week` has the use of each connection by its name; `change_key` is called to ask for another key."""
    key = f"card.{connection.name}"
    state = health(connection)
    with st.container(border=True, height="stretch", key=key):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(figures.plain(title(connection)), anchor=False, width="content")
            st.badge(state.word, icon=state.icon, color=state.colour)
        line = [figures.plain(key_line(connection)), tested_line(connection), models_line(connection)]
        if connection.base_url:
            line.insert(0, f"`{connection.base_url}`")
        st.caption(" · ".join(part for part in line if part))
        row(_of_week(connection.name, week), width=88)
        if connection.state == "needs_key":
            st.warning(
                "This app has no key for it: a key that is typed in goes when the program ends. Give it again.",
                icon=state.icon,
            )
        elif connection.message and state.colour == "red":
            st.error(figures.plain(connection.message), icon=state.icon)
        st.space("stretch")
        with st.container(horizontal=True, vertical_alignment="center"):
            fixed = ws.is_sample
            st.button("Test", key=f"{key}.test", on_click=test, args=(ws, connection.name), disabled=fixed)
            if connection.provider != "local":
                word = "Give key" if connection.state == "needs_key" else "Change key"
                st.button(
                    word,
                    key=f"{key}.key",
                    type="tertiary",
                    on_click=change_key,
                    args=(connection.provider, connection),
                    disabled=fixed,
                )
            on = "Disable" if connection.enabled else "Enable"
            st.button(on, key=f"{key}.on", type="tertiary", on_click=enable, args=(ws, connection), disabled=fixed)
            with st.popover("Disconnect", type="tertiary", disabled=fixed):
                st.markdown("The connection and its key go. Its usage records stay.")
                st.button("Disconnect", key=f"{key}.off", type="primary", on_click=disconnect, args=(ws, connection))


def _of_week(name: str, week: pd.DataFrame) -> list[Fact]:
    if name not in week.index:
        return [Fact("Last 7 days", "No calls")]
    of = week.loc[name]
    unpriced = f"{figures.exact(of.unpriced)} requests have no known price." if of.unpriced else None
    failed = float(of.errors) / float(of.attempts) if of.attempts else None
    return [
        Fact("Spend 7 d", figures.usd(of.cost_usd), unpriced),
        Fact("Calls", figures.count(of.calls)),
        Fact("Errors", figures.share(failed), f"{figures.exact(of.errors)} of {figures.exact(of.attempts)} requests"),
    ]


@feedback.callback
def test(ws: Workspace, name: str) -> None:
    found = ws.providers.test(name)
    feedback.tell(f"{title(found)}: {health(found).word.lower()}, {tested_line(found)}.")


@feedback.callback
def enable(ws: Workspace, connection: LLMProvider) -> None:
    ws.providers.enable(connection.name, not connection.enabled)


@feedback.callback
def disconnect(ws: Workspace, connection: LLMProvider) -> None:
    ws.providers.disconnect(connection.name)
    feedback.tell(f"{title(connection)} is disconnected. Its usage records stay.")
