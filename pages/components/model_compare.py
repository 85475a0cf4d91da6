"""Two to four models side by side: cost of the workload, how they did here, then every fact, differences marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import LLMModel, Workspace
from llm_core.catalog import Workload
from pages.components import charts, figures, model_charts, model_facts, model_rows, model_table, model_workload, shell
from pages.components.facts import Fact, row
from pages.components.model_words import CLASSES, title


def draw(ws: Workspace, models: Sequence[LLMModel], load: Workload, origin: str) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{len(models)} models side by side**", width="content")
            st.button("Close", icon=":material/close:", type="tertiary", on_click=model_table.choose)
        model_workload.calculator(ws, load, origin)
        names = _names(models)
        costs = ws.models.workload_costs(load, list(names))
        with st.grid(2, min_column_width=340):
            with st.container():
                st.markdown("**My workload, a month**")
                _bill(names, costs)
            with st.container():
                st.markdown("**Cost against own latency**")
                _scatter(ws, names, costs)
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown("**Facts**", width="content")
            only = st.toggle("Only differences", key="models.only_differences")
        model_facts.table(ws, models, names, only)


def _names(models: Sequence[LLMModel]) -> dict[str, str]:
    """What each is called here: two of one name get their connection."""
    told = [title(model) for model in models]
    return {
        model.id: name if told.count(name) == 1 else f"{name} ({model.connection})"
        for model, name in zip(models, told, strict=True)
    }


def _bill(names: Mapping[str, str], costs: Mapping[str, Any]) -> None:
    known = [cost.usd for cost in costs.values() if cost.usd is not None]
    facts = []
    for one, cost in costs.items():
        if cost.usd is None:
            missing = ", ".join(CLASSES.get(name, name).lower() for name in cost.missing)
            about = f"Not known: no price for {missing}."
        else:
            more = f" {figures.share(float(cost.usd / min(known)) - 1)} more than the cheapest." if min(known) else ""
            parts = ", ".join(f"{CLASSES.get(name, name)} {figures.usd(usd)}" for name, usd in cost.parts.items())
            about = f"{parts}.{more if cost.usd > min(known) else ' The cheapest.'}"
        facts.append(Fact(figures.plain(names[one]), figures.usd(cost.usd), about.replace("$", "\\$")))
    row(facts, width=150)
    for one, cost in costs.items():
        if cost.usd is None:
            missing = ", ".join(CLASSES.get(name, name).lower() for name in cost.missing)
            st.caption(f"{figures.plain(names[one])}: its price for {figures.plain(missing)} is not known.")


def _scatter(ws: Workspace, names: Mapping[str, str], costs: Mapping[str, Any]) -> None:
    latency = model_rows.here(ws)["latency_p50_ms"].astype(float) / 1000
    points = pd.DataFrame(
        {
            "model": list(names.values()),
            "usd": [float(cost.usd) if cost.usd is not None else None for cost in costs.values()],
            "seconds": latency.reindex(list(names)).to_numpy(),
        }
    ).astype({"usd": float})
    known = points.dropna()
    if known.empty:
        st.caption("None of them has both a known cost and own calls in the last 30 days to take the time of.")
        return
    theme = shell.theme()
    figure = model_charts.cost_against_latency(known, theme=theme)
    st.plotly_chart(figure, config=charts.NO_TOOLBAR, alt="Cost a month against own latency", key="models.scatter")
    with st.container(horizontal=True):
        for name in model_charts.names(known["model"].tolist(), theme=theme):
            st.markdown(name, width="content")
    for point in points[points.isna().any(axis=1)].itertuples():
        lacking = " and ".join(
            words
            for words, value in (("cost is", point.usd), ("latency here is", point.seconds))
            if not figures.known(value)
        )
        st.caption(f"{figures.plain(point.model)} is not drawn: its {lacking} not known.")
