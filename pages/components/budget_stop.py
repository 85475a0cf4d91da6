"""Said in the place of an answer: which budget stopped a call, what is left of it, when it begins anew, what to do."""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace
from llm_core.errors import BudgetCannotBound, BudgetExceeded, UnknownBudget
from pages.components import budget_card, budget_dialog, budget_words, figures, shell
from pages.components.facts import Fact, row


def show(error: BudgetExceeded) -> None:
    """The page has to open dialogs that buttons ask for."""
    ws = shell.workspace()
    try:
        budget = ws.usage.budgets.get(error.budget)
    except UnknownBudget:
        _changed(f"The budget “{figures.plain(error.budget)}” is gone.")
        return
    if budget.limit != error.limit or not budget.hard:
        _changed(f"The budget “{figures.plain(budget.name)}” was changed since it stopped this call.")
        return
    st.warning(_why(error), title=f"Stopped by the budget “{figures.plain(budget.name)}”", icon=":material/block:")
    row(_facts(error, budget.tz, budget.period))
    _ways_out(ws, error, f"budget.stop.{id(error)}")


def _changed(what: str) -> None:
    st.info(f"{what} Run it again.", icon=":material/savings:")


def _why(error: BudgetExceeded) -> str:
    if isinstance(error, BudgetCannotBound):
        return "The price of this model is not known, so nobody can say what the call takes of it. Nothing was sent."
    return (
        "The call could have taken more than is left. Nothing was sent, and nothing was billed. A shorter answer "
        "(max tokens) or a cheaper model takes less."
    )


def _facts(error: BudgetExceeded, tz: str, period: str) -> list[Fact]:
    unit = error.unit
    needed = "What the call takes at most: its prompt and the longest answer it may give."
    return [
        Fact("Left", budget_words.amount(unit, error.left), "When the call was stopped."),
        Fact("This call, at most", budget_words.amount(unit, error.needed), needed),
        Fact("Limit", f"{budget_words.whole(unit, error.limit)} {budget_words.each(period)}"),
        Fact("Begins anew", budget_words.moment(error.resets_at, tz)),
    ]


def _ways_out(ws: Workspace, error: BudgetExceeded, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Raise it",
            key=f"{key}.raise",
            icon=":material/trending_up:",
            on_click=budget_dialog.ask_change,
            args=(ws, error.budget, error.needed),
        )
        st.page_link(
            "pages/usage.py",
            label="See budgets",
            icon=":material/savings:",
            query_params={"view": budget_card.TAB},
        )
        if isinstance(error, BudgetCannotBound):
            st.page_link("pages/models.py", label="Enter the model's price", icon=":material/sell:")
