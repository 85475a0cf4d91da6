"""Makes and changes a budget: which calls count, how much they may take in which time, and what happens then."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from llm_core import Workspace
from llm_core.errors import InvalidBudget
from llm_core.usage.budgets import Budget
from pages.components import dialogs, feedback, figures, live, shell
from pages.components.budget_words import amount

_PREFIX = "budget.edit."
SCOPES = {
    "connection": "Connection",
    "model": "Model",
    "project": "Project",
    "user": "User",
    "task": "Task",
    "app": "App",
}
UNITS = {"money": "Money", "tokens": "Tokens", "calls": "Calls"}
PERIODS = {"day": "Day", "week": "Week", "month": "Month", "total": "In total"}
_USUAL: dict[str, Any] = {"unit": "money", "period": "month", "hard": True, "unpriced": False, "shares": ["80 %"]}
_SHARES = ("50 %", "75 %", "80 %", "90 %", "100 %")


def ask(ws: Workspace) -> None:
    """Callback of a button: a new one."""
    _fill({**_USUAL, "name": "", "limit": None, "tz": shell.tz().key}, {})
    dialogs.ask("Add a budget", "savings", _body, ws, None, None)


@feedback.callback
def ask_change(ws: Workspace, name: str, needed: Any = None) -> None:
    """Callback of a button: the budget with this name or id. `needed` is what a call takes that it stopped."""
    budget = ws.usage.budgets.get(name)
    least = None if needed is None else needed + _taken(ws, budget)
    fields = {
        "name": budget.name,
        "limit": float(budget.limit) if budget.unit == "money" else int(budget.limit),
        "unit": budget.unit,
        "period": budget.period,
        "hard": budget.hard,
        "unpriced": budget.unpriced == "allow",
        "shares": [_percent(share) for share in budget.thresholds],
        "tz": budget.tz,
    }
    _fill(fields, budget.scope)
    dialogs.ask("Change the budget", "savings", _body, ws, budget, least)


def _taken(ws: Workspace, budget: Budget) -> Any:
    status = ws.usage.budgets.status()
    row = status[status["id"] == budget.id].iloc[0]
    return row.spent + row.held


def _fill(fields: Mapping[str, Any], scope: Mapping[str, str]) -> None:
    for key in [key for key in st.session_state if str(key).startswith(_PREFIX)]:
        del st.session_state[key]
    for name, value in fields.items():
        st.session_state[_PREFIX + name] = value
    for name, value in scope.items():
        st.session_state[f"{_PREFIX}scope.{name}"] = value
    st.session_state[_PREFIX + "scope"] = dict(scope)


def _body(ws: Workspace, budget: Budget | None, least: Any) -> None:
    if least is not None and budget is not None:
        words = amount(budget.unit, least).replace("$", "\\$")
        st.markdown(f"For the call that was stopped, the limit has to be at least **{words}**.")
    _limit()
    _scope(ws)
    st.toggle("Stop calls that could pass the limit", key=_PREFIX + "hard", help="Off: the budget is only watched.")
    with st.expander("Name, warnings, zone", type="compact"):
        _more()
    feedback.leftovers()
    st.button(
        "Save" if budget else "Add budget",
        key=_PREFIX + "save",
        type="primary",
        icon=":material/save:",
        on_click=_save,
        args=(ws, budget.id if budget else None),
    )


def _limit() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit = st.segmented_control("Limit", list(UNITS), format_func=UNITS.get, required=True, key=_PREFIX + "unit")
        money = unit == "money"
        st.number_input(
            "US dollars" if money else str(UNITS.get(str(unit))),
            key=_PREFIX + "limit",
            value=None,
            min_value=0.0 if money else 0,
            step=1.0 if money else 1000 if unit == "tokens" else 1,
            format="%g" if money else None,
            icon=":material/attach_money:" if money else None,
            placeholder="50" if money else "100000",
            width=170,
        )
    st.segmented_control("In each", list(PERIODS), format_func=PERIODS.get, required=True, key=_PREFIX + "period")


def _scope(ws: Workspace) -> None:
    st.markdown(":small[Which calls count: all, or only those with]")
    with st.grid(2, min_column_width=170, gap="small"):
        for name, label in _scopes(ws).items():
            kept = st.session_state.get(f"{_PREFIX}scope.{name}")
            values = live.values(ws, ws.usage.token(), name)
            st.selectbox(
                label,
                values if kept in (None, *values) else [kept, *values],
                index=None,
                key=f"{_PREFIX}scope.{name}",
                placeholder="Any",
                accept_new_options=True,
            )


def _scopes(ws: Workspace) -> dict[str, str]:
    """What can be chosen: the usual columns, the first tags there are, and whatever the budget already has."""
    tags = {f"tag:{tag}": f"Tag {tag}" for tag in live.values(ws, ws.usage.token(), "tags")[:2]}
    kept = {name: name.removeprefix("tag:").capitalize() for name in st.session_state.get(_PREFIX + "scope", {})}
    return kept | SCOPES | tags


def _more() -> None:
    st.text_input("Name", key=_PREFIX + "name", max_chars=200, placeholder="Made from what counts and the limit")
    st.multiselect(
        "Warn at",
        list(dict.fromkeys([*_SHARES, *st.session_state.get(_PREFIX + "shares", [])])),
        key=_PREFIX + "shares",
        accept_new_options=True,
        help="Shares of the limit. Each becomes an alert once in a period.",
    )
    kept = st.session_state.get(_PREFIX + "tz")
    zones = _zones()
    st.selectbox(
        "Days begin at midnight in",
        zones if kept in zones else [kept, *zones],
        key=_PREFIX + "tz",
    )
    if st.session_state.get(_PREFIX + "unit") == "money":
        st.toggle(
            "Let calls pass whose price is not known",
            key=_PREFIX + "unpriced",
            help="Off: a call that cannot be priced is stopped, since nobody can say what it takes of the limit.",
        )


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


@feedback.callback
def _save(ws: Workspace, id: str | None) -> None:  # noqa: A002
    unit = _typed("unit")
    given = _typed("limit")
    if given is None:
        raise InvalidBudget("The budget has no limit yet.", "Say how much it may be.")
    fields = {
        "scope": {name: value for name in _scopes(ws) if (value := str(_typed(f"scope.{name}") or "").strip())},
        "limit": Decimal(repr(given).removesuffix(".0")) if unit == "money" else int(given),
        "period": _typed("period"),
        "unit": unit,
        "name": str(_typed("name") or "").strip() or None,
        "thresholds": [_share(text) for text in _typed("shares") or ()],
        "hard": bool(_typed("hard")),
        "tz": _typed("tz"),
        "unpriced": "allow" if _typed("unpriced") else "refuse",
    }
    budget = ws.usage.budgets.change(id, **fields) if id else ws.usage.budgets.add(**fields)
    counted = "counts from its next call on" if id else "counts from now on, with what this period has spent"
    feedback.tell(f"The budget {figures.plain(budget.name)} {counted}.")
    dialogs.done()


def _typed(name: str) -> Any:
    return st.session_state.get(_PREFIX + name)


def _percent(share: float) -> str:
    return f"{share * 100:g} %"


def _share(text: str) -> float:
    """Raises InvalidBudget for what is no percentage."""
    try:
        return float(str(text).replace("%", "").replace(",", ".").strip()) / 100
    except ValueError:
        raise InvalidBudget(f"{text!r} is not a percentage.", "Write it as 80 %.") from None
