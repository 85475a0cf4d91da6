"""One model in full: its limits, prices with their source, what it can do, and making it active for a task."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from llm_core import LLMModel, Workspace
from llm_core.types import TASKS
from pages.components import feedback, figures, shell
from pages.components.choices import choose
from pages.components.facts import Fact, row


def draw(ws: Workspace, model: LLMModel, active: Mapping[str, str]) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{figures.plain(model.display_name or model.name)}**", width="content")
            st.caption(figures.plain(model.id), width="content")
        row(
            [
                Fact("Context", figures.tokens(model.context_window), _unknown(model.context_window)),
                Fact("Longest answer", figures.tokens(model.max_output_tokens), _unknown(model.max_output_tokens)),
                Fact("Prompt, per M", figures.usd(model.input_price), _source(model)),
                Fact("Answer, per M", figures.usd(model.output_price), _source(model)),
                Fact("Listed", figures.moment(model.checked_at, shell.tz())),
            ],
            width=130,
        )
        if model.capabilities:
            st.markdown(" ".join(f":gray-badge[{figures.plain(can)}]" for can in sorted(model.capabilities)))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            task = st.selectbox("Make active for", TASKS, key="models.task", format_func=str.capitalize, width=180)
            st.button(
                "Active" if active.get(task) == model.id else "Make active",
                type="primary",
                icon=":material/check:",
                disabled=active.get(task) == model.id,
                key="models.activate",
                on_click=activate,
                args=(ws, task, model),
            )


@feedback.callback
def activate(ws: Workspace, task: str, model: LLMModel) -> None:
    """Make it the model of calls that name none; for chat also the one that pages have chosen."""
    ws.models.activate(task, model.id)
    if task == "chat":
        choose(ws, "model", model.id)
    feedback.tell(f"{model.display_name or model.name} is now active for {task}.")


def _unknown(value: object) -> str | None:
    return None if value is not None else "Neither the provider nor the price list says."


def _source(model: LLMModel) -> str:
    return f"US dollars per million tokens, by {model.price_source}." if model.price_source else "No price is known."
