"""The budgets on the first screen of Usage, the worst first, and the panel that lists all of them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from llm_core import Workspace
from pages.components import budget_bar, budget_dialog, budget_words, feedback, figures
from pages.components.budget_words import standing

TAB = "Budgets"
"""The name of the panel below the first screen."""
SHOWN = 4
"""Budgets on the first screen."""


def rows(ws: Workspace) -> list[Any]:
    """How every budget stands, with its thresholds: the worst first, then the fullest."""
    found = ws.usage.budgets.status()
    thresholds = {budget.id: budget.thresholds for budget in ws.usage.budgets.list()}
    found = found.assign(thresholds=pd.Series([thresholds.get(each, ()) for each in found["id"]], dtype=object))
    return sorted(found.itertuples(index=False), key=lambda row: (standing(row).rank, row.used), reverse=True)


def draw(ws: Workspace) -> None:
    """The card of the first screen."""
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown("**Budgets**", width="content")
            actions = st.container(horizontal=True, width="content", gap="xsmall")
        with feedback.boundary():
            found = rows(ws)
            with actions:
                if len(found) > SHOWN:
                    st.button(f"See all {len(found)}", key="budgets.all", type="tertiary", on_click=see)
                add_button(ws, "budgets.add")
            if not found:
                st.caption(
                    "A budget stops calls before they cost too much: for all of them, or for a model, a project, "
                    "a person. There is no budget yet."
                )
                return
            with st.grid(min(len(found), 2), min_column_width=220, gap="medium"):
                for row in found[:SHOWN]:
                    with st.container(gap="xsmall"):
                        _short(row)


def panel(ws: Workspace) -> None:
    """All of them, with what can be done."""
    found = rows(ws)
    if not found:
        _none_yet(ws)
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("Held: what calls under way may take at most. It is given back once their cost is known.")
        add_button(ws, "budgets.panel.add")
    with st.grid(2, min_column_width=320):
        for row in found:
            with st.container(border=True, height="stretch"):
                _whole(ws, row)


def see() -> None:
    """Callback of a button: open the panel."""
    st.session_state["view"] = TAB


def add_button(ws: Workspace, key: str, *, primary: bool = False) -> None:
    st.button(
        "Add budget",
        key=key,
        icon=":material/add:",
        type="primary" if primary else "tertiary",
        on_click=budget_dialog.ask,
        args=(ws,),
    )


def _none_yet(ws: Workspace) -> None:
    st.markdown("**No budget yet**")
    st.markdown(
        "A budget limits what calls may spend in a day, a week or a month: all of them, or those of a model, a project "
        "or a person. A call that could pass a hard limit is not sent, from whatever program it comes."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        add_button(ws, "budgets.panel.add", primary=True)
    st.caption("From Python")
    st.code('ws.usage.budgets.add("all", "50", "month")', language="python")


def _title(row: Any) -> None:
    state = standing(row)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="xsmall"):
        st.markdown(figures.plain(row.name), width="content")
        st.badge(state.word, icon=state.icon, color=state.colour)


def _spent(row: Any) -> str:
    used = budget_words.bare(row.unit, row.spent).replace("$", "\\$")
    limit = budget_words.limit(row).replace("$", "\\$")
    return f"**{used}** of {limit} · {figures.share(row.used)}"


def _said(row: Any) -> str:
    return " · ".join(budget_words.parts(row)).replace("$", "\\$")


def _short(row: Any) -> None:
    _title(row)
    budget_bar.draw(row, "card")
    st.markdown(f":small[{_spent(row)}]", help=budget_words.coverage(row) or None)
    st.caption(_said(row))


def _whole(ws: Workspace, row: Any) -> None:
    _title(row)
    stops = "calls that could pass it are stopped" if row.hard else "watched, nothing is stopped"
    st.caption(f"{figures.plain(row.scope)} · {stops}")
    budget_bar.draw(row, "panel")
    st.markdown(_spent(row))
    st.caption(_said(row))
    if cannot := budget_words.coverage(row):
        st.caption(f":orange[:material/help:] {cannot}")
    st.space("stretch")
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Change",
            key=f"budget.change.{row.id}",
            icon=":material/edit:",
            on_click=budget_dialog.ask_change,
            args=(ws, row.id),
        )
        with st.popover("Remove", type="tertiary"):
            st.markdown("Its calls are no longer limited by it. What they cost stays recorded.")
            st.button(
                "Remove", key=f"budget.remove.{row.id}", type="primary", on_click=_remove, args=(ws, row.id, row.name)
            )


@feedback.callback
def _remove(ws: Workspace, id: str, name: str) -> None:  # noqa: A002
    ws.usage.budgets.remove(id)
    feedback.tell(f"The budget {name} is gone.")
