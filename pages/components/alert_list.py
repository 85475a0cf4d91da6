"""Alerts that are open, what can be done about each, and those that were."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from llm_core import Workspace
from llm_core.usage.alerts import Alert
from pages.components import alert_words, feedback, figures, shell
from pages.components.alert_words import SEVERITIES


def strip(ws: Workspace) -> None:
    """On the first screen: the worst that nobody has seen, in a line each; nothing where all is well."""
    with st.container(), feedback.boundary():
        found = [alert for alert in ws.usage.alerts.open() if alert.seen_at is None]
        if not found:
            return
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(width="stretch", gap="xxsmall"):
                for alert in found[:_IN_STRIP]:
                    severity = SEVERITIES[alert.severity]
                    since = figures.moment(alert.opened_at, shell.tz())
                    st.markdown(
                        f":{severity.colour}[{severity.icon}] **{figures.plain(alert.title)}** :small[:gray[{since}]]"
                    )
            number = len(found)
            st.button(f"See {number} alert{'' if number == 1 else 's'}", key="alerts.see", on_click=see)


_IN_STRIP = 2


def see() -> None:
    """Callback of a button: open the panel."""
    st.session_state["view"] = alert_words.TAB


def open_now(ws: Workspace) -> None:
    found = ws.usage.alerts.open()
    if not found:
        st.markdown(":green[:material/check_circle:] **All is well.** Nothing is open.")
        rules = sum(rule.enabled for rule in ws.usage.alerts.rules())
        st.caption(
            f"{rules} rules look at spend, budgets, errors, speed, keys and models every few minutes while the app or "
            "`llm-manager monitor` runs."
        )
        return
    if sum(alert.seen_at is None for alert in found) > 1:
        with st.container(horizontal=True, horizontal_alignment="right"):
            st.button(
                "Acknowledge all",
                key="alerts.all_seen",
                type="tertiary",
                icon=":material/done_all:",
                on_click=_acknowledge,
                args=(ws, None),
            )
    for alert in found:
        with st.container(border=True):
            _card(ws, alert)


def _card(ws: Workspace, alert: Alert) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        alert_words.badge(alert)
        st.markdown(f"**{figures.plain(alert.title)}**", width="content")
        st.markdown(f":small[:gray[began {figures.moment(alert.opened_at, shell.tz())}]]", width="content")
    st.caption(figures.plain(alert.text))
    with st.container(horizontal=True, vertical_alignment="center"):
        alert_words.link(alert)
        if alert.seen_at is None:
            st.button(
                "Acknowledge",
                key=f"alert.seen.{alert.id}",
                type="tertiary",
                icon=":material/done:",
                help="You know of it: it leaves the badge, and stays here until it is over.",
                on_click=_acknowledge,
                args=(ws, alert.id),
            )
        else:
            seen = figures.moment(alert.seen_at, shell.tz())
            st.markdown(f":small[:gray[:material/done: acknowledged {seen}]]", width="content")


@feedback.callback
def _acknowledge(ws: Workspace, id: str | None) -> None:  # noqa: A002
    ws.usage.alerts.acknowledge(id)


def history(ws: Workspace) -> None:
    found = ws.usage.alerts.history()
    if found.empty:
        st.caption("There was no alert yet. Each is kept here for 400 days after its end.")
        return
    tz = str(shell.tz())
    table = pd.DataFrame(
        {
            "What": found["title"],
            "Severity": [SEVERITIES[severity].word for severity in found["severity"]],
            "Began": pd.to_datetime(found["opened_at"], utc=True).dt.tz_convert(tz),
            "Ended": pd.to_datetime(found["closed_at"], utc=True).dt.tz_convert(tz),
            "Details": found["text"],
        }
    )
    moment = {"format": "D MMM YYYY, HH:mm", "timezone": tz}
    st.dataframe(
        table,
        hide_index=True,
        placeholder="open",
        column_config={
            "What": st.column_config.TextColumn(width=320),
            "Severity": st.column_config.TextColumn(width=80),
            "Began": st.column_config.DatetimeColumn(width=140, **moment),
            "Ended": st.column_config.DatetimeColumn(width=140, **moment),
        },
        alt="Alerts that began, the latest first",
    )
