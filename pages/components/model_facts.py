"""Every fact of two to four models, and how they did here, one a row: differences are tinted and marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import LLMModel, Workspace
from pages.components import figures, model_rows, shell
from pages.components.model_words import CAN, STATES

DIFFERS = "≠"
_TOKENS = ("Context window", "Maximum output")
_TINT = {"light": "#FDF1E7", "dark": "#33261A"}


def table(ws: Workspace, models: Sequence[LLMModel], names: Mapping[str, str], only: bool) -> None:
    found = pd.concat([_here(ws, models), ws.models.compare([model.id for model in models])])
    if only:
        found = found[found["differs"].astype(bool)]
    if found.empty:
        st.caption("Nothing known of them differs.")
        return
    differs = found["differs"].astype(bool).to_numpy()
    shown = pd.DataFrame(
        {names[one]: [_word(fact, value) for (_, fact), value in found[one].items()] for one in names},
        index=[
            f"{_label(*place)} {DIFFERS}" if differ else _label(*place)
            for place, differ in zip(found.index, differs, strict=True)
        ],
    )
    tint = f"background-color: {_TINT[shell.theme()]}"
    styled = shown.style.apply(lambda _: [tint if differ else "" for differ in differs], axis=0)
    st.table(styled, border="horizontal", alt="Facts of the models, side by side")


def _label(group: str, fact: str) -> str:
    if group in ("Takes in", "Gives"):
        return f"{group.removesuffix(' in')} {fact}"
    return f"{fact}, $ per M" if group.startswith("Price") and fact != "Price list" else CAN.get(fact, fact)


def _here(ws: Workspace, models: Sequence[LLMModel]) -> pd.DataFrame:
    """How they did, in the shape of `compare`."""
    here = model_rows.here(ws).reindex([model.id for model in models])
    rows = {
        "Calls here": here["calls"].map(lambda value: figures.count(value)),
        "p50 latency here": here["latency_p50_ms"].map(lambda value: figures.duration(value)),
        "p95 latency here": here["latency_p95_ms"].map(lambda value: figures.duration(value)),
        "First token here": here["ttft_p50_ms"].map(lambda value: figures.duration(value)),
        "Speed here": here["tokens_per_second"].map(lambda value: figures.speed(value)),
        "Errors here": here["error_rate"].map(lambda value: figures.share(value)),
    }
    frame = pd.DataFrame(rows, dtype=object).T
    frame.index = pd.MultiIndex.from_tuples([("Here", fact) for fact in rows], names=["group", "fact"])
    frame["differs"] = [len(set(values) - {figures.UNKNOWN}) > 1 for values in frame.itertuples(index=False)]
    return frame


def _word(fact: str, value: Any) -> str:
    if isinstance(value, str):
        return STATES[value].word if fact == "State" and value in STATES else figures.plain(value)
    if value is None or not (isinstance(value, (bool, tuple, frozenset)) or figures.known(value)):
        return figures.UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, frozenset)):
        return figures.plain(", ".join(value))
    if fact in _TOKENS:
        return figures.tokens(value)
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    return figures.plain(figures.usd(value)) if isinstance(value, Decimal) else figures.count(value)
