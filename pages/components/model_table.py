"""Models in a table, one row each; a chosen row is returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from llm_core import LLMModel
from pages.components import figures

TABLE, SHOWN, OPEN = "models.table", "models.shown", "models.open"
STATES = {True: "Available", False: "Not fetched yet", None: "Not checked"}


def draw(models: Sequence[LLMModel], active: Mapping[str, str]) -> LLMModel | None:
    ids = st.session_state[SHOWN] = [model.id for model in models]
    chosen = st.session_state.setdefault(OPEN, active.get("chat"))
    st.session_state[TABLE] = {"selection": {"rows": [ids.index(chosen)] if chosen in ids else [], "columns": []}}
    st.dataframe(
        pd.DataFrame(
            {
                "Model": [model.display_name or model.name for model in models],
                "Connection": [model.connection for model in models],
                "Active for": [", ".join(task for task, of in active.items() if of == model.id) for model in models],
                "Context": [model.context_window for model in models],
                "In": [_float(model.input_price) for model in models],
                "Out": [_float(model.output_price) for model in models],
                "State": [STATES[model.available] for model in models],
            }
        ).astype({"Context": "Int64"}),
        key=TABLE,
        on_select=_choose,
        selection_mode="single-row",
        hide_index=True,
        height=min(420, 38 + 35 * len(models)),
        placeholder=figures.UNKNOWN,
        column_config={
            "Model": st.column_config.TextColumn(width="large"),
            "Context": st.column_config.NumberColumn(format="compact", help="Tokens of prompt and answer together"),
            "In": st.column_config.NumberColumn("In, $/M", format="$%.2f", help="US dollars per million prompt tokens"),
            "Out": st.column_config.NumberColumn(
                "Out, $/M", format="$%.2f", help="US dollars per million output tokens"
            ),
        },
        alt="Models of all connections",
    )
    return next((model for model in models if model.id == chosen), None)


def _choose() -> None:
    rows = st.session_state[TABLE]["selection"]["rows"]
    st.session_state[OPEN] = st.session_state[SHOWN][rows[0]] if rows else None


def _float(price: object) -> float | None:
    return None if price is None else float(str(price))
