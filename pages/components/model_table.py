"""Models in a table, one row each. What is chosen stays chosen when filters or sorting change."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import figures
from pages.components.model_words import STATES

TABLE, SHOWN, OPEN, LINK = "models.table", "models.shown", "models.open", "open"
MOST = 4
"""Models that can be compared at once."""
COLUMNS = {
    "model": "Model",
    "connection": "Connection",
    "state": "State",
    "context": "Context",
    "input_price": "In",
    "output_price": "Out",
    "workload": "Workload",
    "latency_p50_ms": "p50 here",
    "tokens_per_second": "tok/s here",
    "calls": "Calls here",
    "ends": "Ends",
}


def chosen() -> list[str]:
    """Ids of the chosen models, in the order chosen; also those that the filters hide now. A link names them."""
    ids = st.session_state.setdefault(OPEN, st.query_params.get_all(LINK))
    if ids != st.query_params.get_all(LINK):
        st.query_params[LINK] = ids
    return list(ids)


def choose(*ids: str) -> None:
    st.session_state[OPEN] = list(ids)


def draw(shown: pd.DataFrame) -> None:
    """`shown` has the columns of `model_rows.rows` and `workload`, dollars a month."""
    ids = st.session_state[SHOWN] = shown.index.tolist()
    places = {one: place for place, one in enumerate(ids)}
    rows = sorted(places[one] for one in chosen() if one in places)
    st.session_state[TABLE] = {"selection": {"rows": rows, "columns": []}}
    table = shown[list(COLUMNS)].rename(columns=COLUMNS)
    table["State"] = table["State"].map({name: state.word for name, state in STATES.items()})
    table["p50 here"] = table["p50 here"] / 1000
    st.dataframe(
        table,
        key=TABLE,
        on_select=_choose,
        selection_mode="multi-row",
        hide_index=True,
        height=min(388, 38 + 35 * len(ids)),
        placeholder=figures.UNKNOWN,
        column_config=_columns(),
        alt="Models, one a row",
    )


def too_many() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(f"At most {MOST} models can be compared; {len(chosen())} are chosen.", icon=":material/compare:")
        st.button("Choose none", key="models.none", on_click=choose)


def _columns() -> dict[str, object]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "Model": text(width=146),
        "Connection": text(width=92),
        "State": text(width=88, help="; ".join(f"{one.word}: {one.meaning}" for one in STATES.values())),
        "Context": number(format="compact", width=64, help="Tokens of prompt and answer together"),
        "In": number("In $/M", format="$%.4g", width=66, help="US dollars per million prompt tokens"),
        "Out": number("Out $/M", format="$%.4g", width=70, help="US dollars per million answer tokens"),
        "Workload": number(
            "My load $/mo", format="dollar", width=86, help="My workload on this model, dollars a month"
        ),
        "p50 here": number(format="%.1f s", width=76, help="Half of your own answers took no longer, last 30 days"),
        "tok/s here": number(format="%.0f", width=80, help="Tokens a second after the first, in your own calls"),
        "Calls here": number(format="localized", width=80, help="Your own calls, last 30 days"),
        "Ends": st.column_config.DateColumn(format="D MMM YYYY", width=96, help="The day its vendor shuts it down"),
    }


def _choose() -> None:
    """Callback: what is selected now, besides what was chosen before and is not shown."""
    shown = st.session_state[SHOWN]
    selected = [shown[row] for row in st.session_state[TABLE]["selection"]["rows"]]
    open_before = st.session_state[OPEN]
    hidden = [one for one in open_before if one not in set(shown)]
    before = [one for one in open_before if one in selected]
    choose(*hidden, *before, *(one for one in selected if one not in before))
