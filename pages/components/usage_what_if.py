"""What if: the same calls at prices of another day, or on another model. What was recorded is not changed."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import Workspace
from pages.components import feedback, figures, usage_marks
from pages.components.facts import Fact, row
from pages.components.usage_view import View

_DATE, _MODEL = "At prices of another day", "On another model"


def draw(view: View) -> None:
    st.markdown("**The same calls, priced anew**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "What if", [_DATE, _MODEL], default=_DATE, required=True, key="usage.what_if", label_visibility="collapsed"
        )
        asked: dict[str, Any] = {}
        if kind == _DATE:
            day = st.date_input("Day", "today", key="usage.what_if.day", format="YYYY-MM-DD", width=150)
            if day is not None:
                asked["at"] = datetime.combine(day, time(12), UTC)
        else:
            model = st.selectbox(
                "Model",
                _models(view.ws),
                index=None,
                format_func=view.ws.models.title,
                key="usage.what_if.model",
                placeholder="Choose a model",
                width=280,
            )
            if model is None:
                return
            asked["model"] = model
    with feedback.boundary():
        total = view.about("reprice", **asked)
        by_model = view.about("reprice", by=("connection", "model"), **asked)
        whole, groups = view.ask(total, by_model)
        _totals(whole.iloc[0])
        usage_marks.titled("By model", view, "what_if", by_model, groups)
        _table(groups)
        st.caption(
            "Each call keeps its tokens and its mode; another model would have used its own number of tokens. "
            "Compared are only calls that have both costs."
        )


def _models(ws: Workspace) -> list[str]:
    """Those that connections offer and that were called, the active one first."""
    active = ws.models.active("chat")
    ids = [model.id for model in ws.models.list()]
    return list(dict.fromkeys([*([active] if active else []), *sorted(ids)]))


def _totals(found: pd.Series) -> None:
    before, after = found.cost_usd_of_both, found.repriced_usd_of_both
    known = figures.known(before) and figures.known(after)
    row(
        [
            Fact("Recorded", figures.usd(found.cost_usd), f"{figures.share(found.priced)} of requests priced"),
            Fact("Priced anew", figures.usd(found.repriced_usd), f"{figures.share(found.repriced)} of requests priced"),
            Fact("Difference", _signed(after - before) if known else figures.UNKNOWN, "Of calls that have both costs"),
            Fact("Change", str(figures.change(after, before) or "none") if known else figures.UNKNOWN),
        ],
        width=140,
    )


def _signed(amount: Any) -> str:
    return f"{'+' if amount > 0 else '-' if amount < 0 else ''}{figures.usd(abs(amount))}"


def _table(groups: pd.DataFrame) -> None:
    before = groups["cost_usd_of_both"].astype(float)
    after = groups["repriced_usd_of_both"].astype(float)
    st.dataframe(
        pd.DataFrame(
            {
                "Model": groups["model"],
                "Connection": groups["connection"],
                "Calls": groups["calls"],
                "Recorded": groups["cost_usd"].astype(float),
                "Priced anew": groups["repriced_usd"].astype(float),
                "Difference": after - before,
                "Priced": groups["repriced"].astype(float) * 100,
            }
        ),
        hide_index=True,
        placeholder=figures.UNKNOWN,
        height=min(360, 38 + 35 * max(1, len(groups))),
        column_config={
            "Calls": st.column_config.NumberColumn(format="localized"),
            "Recorded": st.column_config.NumberColumn(format="$%.4f"),
            "Priced anew": st.column_config.NumberColumn(format="$%.4f"),
            "Difference": st.column_config.NumberColumn(format="$%.4f", help="Of calls that have both costs"),
            "Priced": st.column_config.NumberColumn(format="%.0f %%", help="Requests with a price anew"),
        },
        alt="Each model's calls as recorded and priced anew",
    )
