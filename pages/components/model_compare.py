"""Two to four models side by side: cost of the workload, how they did here, then every fact, differences marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import LLMModel, Workspace
from llm_core.catalog import Workload
from pages.components import charts, figures, model_charts, model_rows, model_table, model_workload, shell
from pages.components.facts import Fact, row
from pages.components.model_words import CAN, CLASSES, STATES, title

DIFFERS = "≠"
_TOKENS = ("Context window", "Maximum output")
TINT = {"light": "#FDF1E7", "dark": "#33261A"}


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
        _facts(ws, models, names, only)


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


def _facts(ws: Workspace, models: Sequence[LLMModel], names: Mapping[str, str], only: bool) -> None:
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
    tint = f"background-color: {TINT[shell.theme()]}"
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
