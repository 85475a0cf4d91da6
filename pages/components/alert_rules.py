"""The rules of alerts: a switch and the numbers of each; and the hours in which nothing is sent."""

from __future__ import annotations

from datetime import time

import streamlit as st

from llm_core import Workspace
from llm_core.usage.alerts import Rule
from llm_core.usage.alerts.rules import KINDS, Option
from pages.components import feedback, figures

QUIET = "alerts.quiet_hours"


def draw(ws: Workspace) -> None:
    fixed = ws.is_sample
    if fixed:
        st.caption("Rules of the sample data cannot be changed.")
    with st.grid(2, min_column_width=320):
        for rule in ws.usage.alerts.rules():
            with st.container(border=True, height="stretch"):
                _rule(ws, rule, fixed)
        with st.container(border=True, height="stretch"):
            _quiet(ws, fixed)


def _rule(ws: Workspace, rule: Rule, fixed: bool) -> None:
    st.session_state[_switch(rule.kind)] = rule.enabled
    st.toggle(
        f"**{rule.title}**",
        key=_switch(rule.kind),
        on_change=_switched,
        args=(ws, rule.kind),
        disabled=fixed,
    )
    st.caption(figures.plain(rule.meaning))
    options = KINDS[rule.kind].options
    if not options:
        return
    changed = any(rule.options[option.name] != option.default for option in options)
    with st.popover("Numbers, changed" if changed else "Numbers", type="tertiary", icon=":material/tune:"):
        for option in options:
            _number(ws, rule, option, fixed)
        if changed:
            st.button(
                "Back to the usual ones",
                key=f"alert.usual.{rule.kind}",
                type="tertiary",
                icon=":material/restart_alt:",
                on_click=_back,
                args=(ws, rule.kind),
                disabled=fixed,
            )


def _number(ws: Workspace, rule: Rule, option: Option, fixed: bool) -> None:
    key = f"alert.rule.{rule.kind}.{option.name}"
    st.session_state[key] = float(rule.options[option.name])
    st.number_input(
        option.meaning,
        min_value=float(option.low),
        max_value=float(option.high),
        step=0.05 if option.high <= 10 else 1.0,
        format="%g",
        key=key,
        on_change=_changed,
        args=(ws, rule.kind, option.name),
        disabled=fixed,
        help=f"Usually {option.default:g}",
    )


def _switch(kind: str) -> str:
    return f"alert.on.{kind}"


@feedback.callback
def _switched(ws: Workspace, kind: str) -> None:
    ws.usage.alerts.change_rule(kind, enabled=st.session_state[_switch(kind)])


@feedback.callback
def _changed(ws: Workspace, kind: str, option: str) -> None:
    ws.usage.alerts.change_rule(kind, **{option: st.session_state[f"alert.rule.{kind}.{option}"]})


@feedback.callback
def _back(ws: Workspace, kind: str) -> None:
    ws.usage.alerts.change_rule(kind, **{option.name: None for option in KINDS[kind].options})


def _quiet(ws: Workspace, fixed: bool) -> None:
    kept = ws.settings.get(QUIET)
    first, _, last = (kept or "22:00-07:00").partition("-")
    st.session_state["alert.quiet"] = bool(kept)
    st.session_state["alert.quiet.first"] = time.fromisoformat(first)
    st.session_state["alert.quiet.last"] = time.fromisoformat(last)
    st.toggle("**Quiet hours**", key="alert.quiet", on_change=_hushed, args=(ws,), disabled=fixed)
    zone = ws.settings.get("usage.time_zone") or "UTC"
    st.caption(f"Nothing is sent to channels in these hours ({zone}). What begins in them is sent at their end.")
    with st.container(horizontal=True):
        for name, label in (("first", "From"), ("last", "Until")):
            st.time_input(
                label,
                key=f"alert.quiet.{name}",
                on_change=_hushed,
                args=(ws,),
                disabled=fixed or not kept,
                width=130,
            )


@feedback.callback
def _hushed(ws: Workspace) -> None:
    first, last = st.session_state["alert.quiet.first"], st.session_state["alert.quiet.last"]
    ws.settings.set(QUIET, f"{first:%H:%M}-{last:%H:%M}" if st.session_state["alert.quiet"] else "")
