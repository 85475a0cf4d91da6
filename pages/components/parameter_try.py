"""The same prompt several times at these settings: how different answers are, what they cost, how long they take."""

from __future__ import annotations

import streamlit as st

from llm_core import LLMModel, Workspace
from llm_core.parameters import ParameterSpec, Preset
from llm_core.parameters.diversity import diversity
from pages.components import answers, feedback, figures, parameter_request, parameter_values
from pages.components.facts import Fact, row

KEY, PROMPT, TIMES = "parameters.try", "parameters.prompt", "parameters.times_asked"
USUAL_PROMPT = "Suggest a name for a small bakery by the sea, and say why in one sentence."
SIZES = (1, 3, 5, 8)


def prompt(*, disabled: bool = False) -> str:
    """The text that answers are asked for; shared by all parts of the page."""
    st.session_state.setdefault(PROMPT, USUAL_PROMPT)
    return st.text_area("Prompt", key=PROMPT, height=90, persist_state="session", disabled=disabled)


def draw(ws: Workspace, model: LLMModel, specs: list[ParameterSpec], preset: Preset) -> None:
    edited = parameter_values.read(specs, preset)
    busy = answers.running(KEY)
    text = prompt(disabled=busy)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        times = st.segmented_control("Answers", SIZES, default=3, required=True, key=TIMES, disabled=busy)
        cost = parameter_request.quote(ws, model, [edited] * (times or 1), text)
        st.button(
            f"Ask {times} times · {cost}" if times != 1 else f"Ask once · {cost}",
            key="parameters.try.go",
            type="primary",
            icon=":material/play_arrow:",
            disabled=busy or ws.is_sample or not text.strip(),
            on_click=_ask,
            args=(ws, model, specs, preset),
        )
        st.button(
            "Stop",
            key="parameters.try.stop",
            icon=":material/stop_circle:",
            disabled=not busy,
            on_click=answers.stop,
            args=(KEY,),
        )
    if ws.is_sample:
        st.caption("Sample data makes no calls. Leave it to ask a model.")
    found = answers.lanes(KEY)
    if not found:
        st.caption("The answers appear here, with how different they are.")
        return
    figures_here = st.container()
    answers.draw(KEY)
    if busy:
        st.rerun()
    replies = [lane.reply for lane in found if lane.reply is not None]
    with figures_here:
        row([*_diversity([reply.text for reply in replies]), *answers.facts(replies)], width=96)


@feedback.callback
def _ask(ws: Workspace, model: LLMModel, specs: list[ParameterSpec], preset: Preset) -> None:
    """Reads what was typed last: what was drawn may be older."""
    text, edited = st.session_state[PROMPT], parameter_values.read(specs, preset)
    ask = answers.opener(ws, model, preset, edited, text)
    answers.start(ws, KEY, model, [(f"Answer {number + 1}", ask) for number in range(st.session_state[TIMES])])


def _diversity(texts: list[str]) -> list[Fact]:
    if len(texts) < 2:
        return []
    found = diversity(texts)
    return [
        Fact("Different", f"{found.different} of {found.texts}", "Answers that are not the same as one before."),
        Fact(
            "New word pairs",
            figures.share(found.distinct_2),
            "Distinct-2: pairs of words, of all in these answers, that are not said again. Higher is more varied.",
        ),
        Fact(
            "Alike",
            figures.share(found.self_similarity),
            "Self-similarity: words and pairs of words that two answers share, on average. Lower is more varied.",
        ),
    ]
