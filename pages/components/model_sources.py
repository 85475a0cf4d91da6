"""Where each fact of a model is from and when it was read, so that a doubtful one can be looked up."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from llm_core import LLMModel, Workspace
from pages.components import figures, shell

LABELS = {
    "display_name": "Name",
    "context_window": "Context",
    "max_output_tokens": "Longest answer",
    "input_price": "Price of the prompt",
    "output_price": "Price of the answer",
    "cache_read_price": "Price of a cache read",
    "retires_at": "End",
    "knowledge_until": "Knows until",
    "released_on": "Released",
    "deprecated_on": "Deprecated",
}


def draw(ws: Workspace, model: LLMModel) -> None:
    checked = figures.moment(model.checked_at, shell.tz())
    when = f"listed {checked}" if model.checked_at else "its connection was never asked for its models"
    with st.expander(f"Sources of these facts · {when}", type="compact", key="models.sources"):
        if not model.sources:
            st.caption("No source says more of this model than its name.")
            return
        rows = [
            {
                "Fact": LABELS.get(fact, figures.sentence(fact)),
                "Source": source.name,
                "Read on": source.read_on,
                "Page": source.url,
            }
            for fact, source in sorted(model.sources.items())
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            placeholder=figures.UNKNOWN,
            column_config={
                "Read on": st.column_config.DateColumn(format="D MMM YYYY"),
                "Page": st.column_config.LinkColumn(),
            },
            alt="Where each fact is from",
        )
