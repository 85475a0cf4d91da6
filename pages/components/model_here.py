"""How a model did here: speed, failures and spend of the own calls, as no vendor's page can tell."""

from __future__ import annotations

import streamlit as st

from llm_core import LLMModel, Workspace
from pages.components import figures, model_rows
from pages.components.facts import Fact, row

DAYS = model_rows.DAYS
_NOT_STREAMED = "None of these calls streamed its answer, so this is not known."


def draw(ws: Workspace, model: LLMModel) -> None:
    here = model_rows.here(ws)
    if model.id not in here.index:
        st.caption(f"Not called in the last {DAYS} days. Ask it something, and its speed and cost stand here.")
        st.page_link("pages/tester.py", label="Try it in the Tester", icon=":material/science:")
        return
    did = here.loc[model.id]
    failed = f"{figures.share(did.error_rate)} of {figures.exact(did.attempts)} requests; one that you stopped is none."
    row(
        [
            Fact("Calls", figures.count(did.calls), figures.exact(did.calls)),
            Fact("Spend", figures.usd(did.cost_usd), _coverage(did.priced)),
            Fact("Errors", figures.share(did.error_rate), failed),
            Fact("p50 latency", figures.duration(did.latency_p50_ms), "Half of the whole answers took no longer."),
            Fact("p95 latency", figures.duration(did.latency_p95_ms), "95 of 100 whole answers took no longer."),
            Fact("First token", figures.duration(did.ttft_p50_ms), _streamed(did.ttft_p50_ms, "Half came sooner.")),
            Fact(
                "Speed",
                figures.speed(did.tokens_per_second),
                _streamed(did.tokens_per_second, "Tokens a second after the first one, over all streamed answers."),
            ),
        ],
        width=120,
    )
    st.page_link(
        "pages/usage.py", label="Its calls on Usage", icon=":material/monitoring:", query_params={"model": model.name}
    )


def _coverage(priced: float) -> str:
    return "All of it priced." if priced == 1 else f"{figures.share(priced)} of the requests are priced."


def _streamed(value: object, known: str) -> str:
    return known if figures.known(value) else _NOT_STREAMED
