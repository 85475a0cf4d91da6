"""What a model costs: each class now with its tiers, the way prices went and will go, and sources that disagree."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import LLMModel, Workspace
from pages.components import charts, figures, model_charts, shell
from pages.components.facts import Fact, row
from pages.components.model_words import CLASSES, TOKENS, per, title


def draw(ws: Workspace, model: LLMModel) -> None:
    st.markdown("**Price**")
    if model.provider == "local":
        st.caption("Free: it runs on this machine.")
        return
    history = ws.models.prices.history(model.id)
    if history.empty:
        st.caption(
            "No price list knows this model, so what its calls cost stays unknown. Set its price if you know it."
        )
        return
    _disagreements(ws, model)
    with st.grid(2, min_column_width=340):
        with st.container():
            _now(in_force(history))
        with st.container():
            _over_time(history, model)


def in_force(history: pd.DataFrame) -> pd.DataFrame:
    """The rates that count today, those of tiers too."""
    today = datetime.now(UTC).date()
    begun = history["effective_from"].isna() | (history["effective_from"] <= today)
    lasting = history["effective_to"].isna() | (history["effective_to"] > today)
    return history[begun & lasting]


def _now(rates: pd.DataFrame) -> None:
    """Each class, the main two first; then what long prompts cost."""
    if rates.empty:
        st.caption("No price is in force today.")
        return
    base = rates[rates["over_tokens"].isna()]
    order = {name: place for place, name in enumerate(CLASSES)}
    base = base.sort_values(
        "rate", key=lambda names: names.map(lambda name: order.get(name, len(order))), kind="stable"
    )
    facts = [
        Fact(_label(rate), figures.usd(rate.usd), f"By {figures.plain(rate.source)}{_since(rate)}.")
        for rate in base.itertuples()
    ]
    row(facts, width=130)
    for tokens, dearer in rates[rates["over_tokens"].notna()].groupby("over_tokens"):
        words = ", ".join(f"{_class(one.rate).lower()} {figures.usd(one.usd)}" for one in dearer.itertuples())
        st.caption(figures.plain(f"Where the prompt is over {figures.tokens(tokens)} tokens, the whole call: {words}."))


def _label(rate: Any) -> str:
    hours = f", {rate.hours} UTC" if figures.known(rate.hours) else ""
    return f"{_class(rate.rate)}, {per(rate.per)}{hours}"


def _class(name: str) -> str:
    return CLASSES.get(name, figures.sentence(name))


def _since(rate: Any) -> str:
    return f", since {rate.effective_from:%d %b %Y}" if figures.known(rate.effective_from) else ""


def _over_time(history: pd.DataFrame, model: LLMModel) -> None:
    drawn = history[history["over_tokens"].isna() & (history["per"] == TOKENS) & history["hours"].isna()]
    if drawn[["effective_from", "effective_to"]].isna().all(axis=None):
        st.caption("No change of its price is known or announced.")
        return
    theme = shell.theme()
    figure = model_charts.price_steps(drawn, datetime.now(UTC).date(), theme=theme)
    st.plotly_chart(figure, config=charts.NO_TOOLBAR, alt=f"Price of {title(model)} over time", key="models.prices")
    with st.container(horizontal=True):
        for name in model_charts.legend(drawn, theme=theme):
            st.markdown(name, width="content")
    announced = history[history["announced"].astype(bool)]
    for change in announced.drop_duplicates("effective_from").itertuples():
        st.caption(f":orange[:material/event:] A change is announced for {change.effective_from:%d %b %Y}.")


def _disagreements(ws: Workspace, model: LLMModel) -> None:
    """Where another source tells a price that is over 5 % off ours: both figures, and which one counts."""
    for found in ws.models.prices.disagreements(model.id):
        st.warning(
            figures.plain(
                f"{_class(found.rate)}: {figures.usd(found.ours)} by {found.ours_source.name}, which counts; "
                f"{figures.usd(found.theirs)} by {found.theirs_source.name}. See your invoice, then set your own price."
            ),
            title="Price lists disagree",
            icon=":material/balance:",
        )
