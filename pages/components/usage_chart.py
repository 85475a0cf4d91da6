"""The main chart of Usage: what was spent, called or generated in each bucket of time, by model."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import charts, shell
from pages.components.span import Span

MEASURES = {"Spend": "cost_usd", "Calls": "calls", "Tokens": "tokens"}


def draw(by_model: pd.DataFrame, span: Span) -> None:
    """Spend, calls or tokens per bucket, stacked by model."""
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            title = st.container(width="content")
            measure = st.segmented_control(
                "Measure",
                MEASURES,
                default="Spend" if by_model.cost_usd.astype(float).sum() > 0 else "Calls",
                required=True,
                label_visibility="collapsed",
                key="usage.measure",
            )
        title.markdown(f"**{measure} per {span.bucket} by model**")
        column = MEASURES[measure]
        frame = by_model.assign(tokens=by_model.input_tokens + by_model.output_tokens)
        frame[column] = frame[column].astype(float)
        frame = frame[frame[column] > 0]
        if frame.empty:
            st.caption("Nothing in this span has a known price above $0." if measure == "Spend" else "Nothing here.")
            return
        taken = _colours(frame.groupby("model")[column].sum().sort_values(ascending=False).index.tolist())
        drawn = {"by": "model", "value": column, "taken": taken, "theme": shell.theme()}
        figure = charts.bars(frame, span, money=measure == "Spend", **drawn)
        alt = f"{measure} per {span.bucket} by model"
        st.plotly_chart(figure, config=charts.NO_TOOLBAR, alt=alt, key="usage.chart")
        with st.container(horizontal=True):
            for name in charts.legend(frame, **drawn):
                st.markdown(name, width="content")


def _colours(models: list[str]) -> dict[str, int]:
    """The colour slots handed out in this session, so that a model looks the same on every page."""
    taken = st.session_state["colours"] = charts.slots(models, st.session_state.get("colours", {}))
    return taken
