"""Calls without a price: which they are, what is missing, their cost at prices of today, and where to set one."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import streamlit as st

from pages.components import figures, shell, usage_marks
from pages.components.usage_view import View

_KEYS = ("connection", "model", "mode")
_WHY = {
    "usage": "No usage was reported",
    "model": "The price of this model",
    "": "Nothing: its price is known by now",
}


def draw(view: View) -> None:
    asked = view.about("unpriced")
    new = view.about("reprice", by=_KEYS, priced=False)
    lacking, repriced = view.ask(asked, new)
    usage_marks.titled("Calls without a price", view, "unpriced", asked, lacking)
    if lacking.empty:
        st.markdown(":green-badge[:material/check: Every call here has a price]")
        return
    amounts = {tuple(row[name] for name in _KEYS): row["repriced_usd"] for row in repriced.to_dict("records")}
    rows = lacking.to_dict("records")
    st.dataframe(
        pd.DataFrame(
            {
                "Model": lacking["model"],
                "Connection": lacking["connection"],
                "Calls": lacking["calls"],
                "Requests": lacking["records"],
                "In": lacking["input_tokens"],
                "Out": lacking["output_tokens"],
                "Last": lacking["last_at"].dt.tz_convert(shell.tz()),
                "At prices of today": [_amount(row, amounts) for row in rows],
                "What is missing": [_why(row["missing"]) for row in rows],
            }
        ),
        hide_index=True,
        placeholder=figures.UNKNOWN,
        height=min(320, 38 + 35 * len(rows)),
        column_config={
            "Model": st.column_config.TextColumn(width=170),
            "Connection": st.column_config.TextColumn(width=100),
            "Calls": st.column_config.NumberColumn(format="localized", width=70),
            "Requests": st.column_config.NumberColumn(format="localized", width=80),
            "In": st.column_config.NumberColumn(format="compact", width=70),
            "Out": st.column_config.NumberColumn(format="compact", width=70),
            "Last": st.column_config.DatetimeColumn(format="D MMM, HH:mm", width=110),
            "At prices of today": st.column_config.NumberColumn(format="$%.4f", width=130),
        },
        alt="Calls without a price",
    )
    st.caption("What was recorded stays as it is. Prices of today are a column beside it, here and in typed SQL.")
    models = dict.fromkeys(row["model"] for row in rows if row["missing"] not in ("usage", ""))
    with st.container(horizontal=True):
        for model in list(models)[:6]:
            st.page_link(
                "pages/models.py",
                label=f"Set a price for {figures.plain(model)}",
                icon=":material/sell:",
                query_params={"search": model},
            )


def _amount(row: dict[str, object], amounts: dict[tuple[object, ...], Decimal | None]) -> float | None:
    amount = amounts.get(tuple(row[name] for name in _KEYS)) if row["reported"] else None
    return float(amount) if figures.known(amount) and amount is not None else None


def _why(missing: str | None) -> str:
    if missing is None:
        return figures.UNKNOWN
    return _WHY.get(missing, f"A rate for {missing.replace('_', ' ')}")
