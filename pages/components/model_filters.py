"""The filters of the Models page, kept in the URL, and what they leave of the prepared table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from pages.components.model_words import CAN, STATES

MINE, ALL = "Mine", "All known"
EVERY, ANY_CONTEXT, ANY_PRICE, ANY_STATE = "All connections", "Any context", "Any price", "Any state"
CONTEXTS = {"≥ 32 k": 32_000, "≥ 128 k": 128_000, "≥ 200 k": 200_000, "≥ 1 M": 1_000_000}
PRICES = {"Free": 0.0, "Out ≤ $0.50": 0.5, "Out ≤ $1": 1.0, "Out ≤ $5": 5.0, "Out ≤ $15": 15.0, "Out ≤ $30": 30.0}
"""Dollars per million output tokens."""
WAYS = {
    "Image in": "takes image",
    "Audio in": "takes audio",
    "Video in": "takes video",
    "File in": "takes file",
    "Image out": "gives image",
    "Audio out": "gives audio",
    "Video out": "gives video",
}
SORTS: dict[str, tuple[str, bool]] = {
    "Most used here": ("calls", False),
    "Name": ("model", True),
    "Cheapest workload": ("workload", True),
    "Cheapest answer": ("output_price", True),
    "Fastest here": ("latency_p50_ms", True),
    "Largest context": ("context", False),
    "Newest": ("released", False),
    "Ends first": ("ends", True),
}
"""Column, and whether the smallest comes first. Unknown always comes last."""
NOTHING: dict[str, Any] = {
    "search": "",
    "connection": EVERY,
    "can": [],
    "ways": [],
    "context": ANY_CONTEXT,
    "price": ANY_PRICE,
    "state": ANY_STATE,
}
"""Every filter's key, with what it says when nothing is asked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the filters ask for; empty is no wish."""

    words: tuple[str, ...] = ()
    connection: str | None = None
    flags: tuple[str, ...] = ()
    context: int | None = None
    price: float | None = None
    state: str | None = None
    sort: str = "Most used here"


def matching(frame: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """The rows that meet every wish, in the order asked for. What is unknown meets no limit."""
    keep = pd.Series(True, index=frame.index)
    for word in wanted.words:
        keep &= frame["text"].str.contains(word, regex=False)
    if wanted.connection:
        keep &= frame["connection"] == wanted.connection
    for flag in wanted.flags:
        keep &= frame[flag]
    if wanted.context is not None:
        keep &= frame["context"].ge(wanted.context).fillna(False).astype(bool)
    if wanted.price is not None:
        keep &= frame["output_price"] <= wanted.price
    if wanted.state:
        keep &= frame["state"] == wanted.state
    column, ascending = SORTS[wanted.sort]
    by = [column] if column == "model" else [column, "model"]
    return frame[keep].sort_values(by, ascending=[ascending, True][: len(by)], na_position="last")


def scope() -> bool:
    """Whether all known models are asked for, not only those that the connections offer."""
    kept: dict[str, Any] = {"key": "scope", "bind": "query-params", "label_visibility": "collapsed"}
    return bool(st.segmented_control("Models", [MINE, ALL], default=MINE, required=True, **kept) == ALL)


def draw(frame: pd.DataFrame) -> Wanted:
    """The controls, filled from the URL; returns what they ask for."""
    kept: dict[str, Any] = {"bind": "query-params", "label_visibility": "collapsed"}
    with st.container(horizontal=True, vertical_alignment="center"):
        words = st.text_input(
            "Search",
            key="search",
            type="search",
            live=True,
            placeholder="Search by name",
            width="stretch",
            **kept,
        )
        sort = st.selectbox("Sort", list(SORTS), key="sort", width=190, **kept)
    with st.grid(6, min_column_width=148):
        connection = _one("Connection", [EVERY, *sorted(frame["connection"].unique())], "connection")
        can = st.multiselect("Can do", list(CAN.values()), key="can", placeholder="Can do", **kept)
        ways = st.multiselect("Takes or gives", list(WAYS), key="ways", placeholder="Takes or gives", **kept)
        context = _one("Context", [ANY_CONTEXT, *CONTEXTS], "context")
        price = _one("Price", [ANY_PRICE, *PRICES], "price")
        state = _one("State", [ANY_STATE, *(state.word for state in STATES.values())], "state")
    capabilities = {word: f"can {name}" for name, word in CAN.items()}
    return Wanted(
        tuple((words or "").lower().split()),
        None if connection == EVERY else connection,
        (*(capabilities[word] for word in can), *(WAYS[way] for way in ways)),
        CONTEXTS.get(context),
        PRICES.get(price),
        next((name for name, one in STATES.items() if one.word == state), None),
        sort,
    )


def clear() -> None:
    """Callback: no filter any more. The URL follows."""
    st.session_state.update(NOTHING)


def nothing_found() -> None:
    with st.container(border=True):
        st.markdown("**No model matches**")
        st.markdown("Ask for less, look at all known models, or:")
        st.button("Clear the filters", icon=":material/filter_alt_off:", key="models.clear", on_click=clear)


def _one(label: str, options: list[str], key: str) -> str:
    return str(st.selectbox(label, options, key=key, bind="query-params", label_visibility="collapsed"))
