"""The card of one connection on Providers: how it is, what it was used for this week, and what can be done with it."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import streamlit as st

from llm_core import LLMProvider, Workspace
from llm_core.providers.registry import title
from pages.components import edit_dialog, feedback, figures, rotate_dialog
from pages.components.facts import Fact, row
from pages.components.health import health, key_age, key_line, models_line, tested_line

DELETED = "card.deleted"


class Week(NamedTuple):
    """The use of each connection in the last seven days: totals by its name, and dollars of each day."""

    totals: pd.DataFrame
    by_day: dict[str, list[float]]


def card(ws: Workspace, connection: LLMProvider, week: Week) -> None:
    key = f"card.{connection.name}"
    state = health(connection)
    with st.container(border=True, height="stretch", key=key):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(figures.plain(title(connection)), anchor=False, width="content")
            st.badge(state.word, icon=state.icon, color=state.colour)
        age, due = key_age(connection, ws.settings.get("keys.remind_after_days"))
        line = [figures.plain(key_line(connection)), age, tested_line(connection), models_line(connection)]
        if connection.base_url:
            line.insert(0, f"`{connection.base_url}`")
        st.caption(" · ".join(part for part in line if part))
        _use(connection.name, week)
        if state.colour == "red" and connection.message:
            st.error(figures.plain(connection.message), icon=state.icon)
        elif connection.state == "needs_key":
            gone = "" if connection.key_source else " One that was held in memory went with its program. Give it again."
            st.warning(figures.plain(connection.message) + gone, icon=state.icon)
        if due:
            st.warning(f"This key is {age}. Time for a new one.", icon=":material/schedule:")
        st.space("stretch")
        _actions(ws, connection, key)


def _use(name: str, week: Week) -> None:
    if name not in week.totals.index:
        row([Fact("Last 7 days", "No calls")], width=88)
        return
    of = week.totals.loc[name]
    unpriced = f"{figures.exact(of.unpriced)} requests have no known price." if of.unpriced else None
    failed = float(of.errors) / float(of.attempts) if of.attempts else None
    facts = [
        Fact("Spend 7 d", figures.usd(of.cost_usd), unpriced),
        Fact("Calls", figures.count(of.calls)),
        Fact("Errors", figures.share(failed), f"{figures.exact(of.errors)} of {figures.exact(of.attempts)} requests"),
    ]
    left, right = st.columns([3, 2], vertical_alignment="center", gap="small")
    with left:
        row(facts, width=68)
    if any(week.by_day.get(name, [])):
        right.vega_lite_chart(pd.DataFrame({"day": range(7), "usd": week.by_day[name]}), SPARK, height=48)


SPARK = {
    "mark": {"type": "bar", "cornerRadiusEnd": 2, "color": "#0E8A7F"},
    "encoding": {
        "x": {"field": "day", "type": "ordinal", "axis": None},
        "y": {"field": "usd", "type": "quantitative", "axis": None, "scale": {"nice": False}},
        "tooltip": {"field": "usd", "type": "quantitative", "format": "$,.4f", "title": "Spend of the day"},
    },
    "config": {"view": {"stroke": None}},
    "padding": 0,
}


def _actions(ws: Workspace, connection: LLMProvider, key: str) -> None:
    fixed = ws.is_sample
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.button("Test", key=f"{key}.test", on_click=test, args=(ws, connection.name), disabled=fixed)
        if connection.provider != "local":
            st.button(
                rotate_dialog.word(connection),
                key=f"{key}.key",
                on_click=rotate_dialog.ask,
                args=(ws, connection),
                disabled=fixed,
            )
        st.button(
            "Edit", key=f"{key}.edit", type="tertiary", on_click=edit_dialog.ask, args=(ws, connection), disabled=fixed
        )
        with st.popover("Disconnect", type="tertiary", disabled=fixed):
            st.markdown(
                "**Goes:** the connection, its models and its key, also from the vault.  \n"
                "**Stays:** its usage records, the audit log, and the key at the provider until you revoke it there."
            )
            st.button("Disconnect", key=f"{key}.off", type="primary", on_click=disconnect, args=(ws, connection))
        on = "Disable" if connection.enabled else "Enable"
        st.button(on, key=f"{key}.on", type="tertiary", on_click=enable, args=(ws, connection), disabled=fixed)


@feedback.callback
def test(ws: Workspace, name: str) -> None:
    found = ws.providers.test(name)
    feedback.tell(f"{title(found)}: {health(found).word.lower()}, {tested_line(found)}.")


@feedback.callback
def enable(ws: Workspace, connection: LLMProvider) -> None:
    ws.providers.enable(connection.name, not connection.enabled)


@feedback.callback
def disconnect(ws: Workspace, connection: LLMProvider) -> None:
    """What the core says of the key's deletion is too much for a passing note: `told` shows it on the page."""
    deletion = ws.providers.disconnect(connection.name)
    st.session_state[DELETED] = (title(connection), deletion.text)


def told() -> None:
    """Show what became of a connection that was disconnected just now."""
    name, text = st.session_state.pop(DELETED, (None, ""))
    if name:
        st.info(figures.plain(text), title=f"{name} is disconnected", icon=":material/link_off:")
