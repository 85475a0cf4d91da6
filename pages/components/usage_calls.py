"""The history of calls: found by text, sorted by any figure, page by page, and one of them in full."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import call_table, usage_marks
from pages.components.usage_view import View

SORTS = {
    "Newest first": ("started_at", True),
    "Oldest first": ("started_at", False),
    "Most expensive": ("cost_usd", True),
    "Slowest": ("latency_ms", True),
    "Slowest first token": ("ttft_ms", True),
    "Longest prompt": ("input_tokens", True),
    "Longest answer": ("output_tokens", True),
}
ROWS = 50
_PAGES = "usage.pages"
"""Of this session: what is looked at, and the place after which each page before this one began."""


def draw(view: View) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        words = st.text_input(
            "Search",
            key="find",
            bind="query-params",
            type="search",
            placeholder="Search names, errors, tag values, ids",
            label_visibility="collapsed",
            max_chars=200,
        )
        sort = st.selectbox(
            "Sort", list(SORTS), key="sort_calls", bind="query-params", label_visibility="collapsed", width=190
        )
    column, descending = SORTS[str(sort)]
    search = {"search": words.strip()} if words and words.strip() else {}
    places = _places((repr(view.filters), view.span.name, str(view.span.start), sort, words))
    asked = view.about(
        "history", limit=ROWS + 1, before=places[-1] if places else None, sort=column, descending=descending, **search
    )
    found: pd.DataFrame = view.ask(asked)[0]
    page = view.made(found, partial(found.head, ROWS), "page")
    number = len(places)
    usage_marks.titled(_told(page, number, len(found) > ROWS), view, "calls", asked, page)
    if page.empty:
        st.caption("No call has all of these words." if search else "No calls here.")
        return
    call_table.table(view, page)
    with st.container(horizontal=True, horizontal_alignment="right"):
        newer, older = ("Newer", "Older") if column == "started_at" and descending else ("Back", "Next")
        st.button(
            newer, icon=":material/chevron_left:", key="usage.newer", disabled=not places, on_click=_turn, args=(None,)
        )
        st.button(
            older,
            icon=":material/chevron_right:",
            icon_position="right",
            key="usage.older",
            disabled=len(found) <= ROWS,
            on_click=_turn,
            args=(_place(page.iloc[-1], column),),
        )
    call_table.detail(view.ws, page)


def _told(page: pd.DataFrame, number: int, more: bool) -> str:
    if not number and not more:
        return f"{len(page)} requests"
    return f"Requests {number * ROWS + 1:,} to {number * ROWS + len(page):,}"


def _places(looked_at: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Empty on the first page, which it is again when anything else is looked at."""
    kept = st.session_state.get(_PAGES)
    if kept is None or kept[0] != looked_at:
        kept = st.session_state[_PAGES] = (looked_at, [])
    return list(kept[1])


def _turn(place: tuple[Any, ...] | None) -> None:
    """Callback: the page after this place, or, for None, the one before."""
    looked_at, places = st.session_state[_PAGES]
    st.session_state[_PAGES] = (looked_at, [*places, place] if place else places[:-1])


def _place(row: pd.Series, column: str) -> tuple[Any, ...]:
    at = (row["started_at"].to_pydatetime(), row["id"])
    return at if column == "started_at" else (row[column], *at)
