"""One model in full: what it is and can, what it costs, how it did here, where that is known from, and its actions."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from llm_core import LLMModel, Workspace
from pages.components import figures, model_active, model_here, model_prices, model_sources, model_table, own_model
from pages.components.facts import Fact, row
from pages.components.model_words import CAN, STATES, title

SOON_DAYS = 90


def draw(ws: Workspace, model: LLMModel) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{figures.plain(title(model))}** :gray[{figures.plain(model.id)}]", width="content")
            with st.container(horizontal=True, width="content"):
                own_model.buttons(ws, model)
                st.button("Close", icon=":material/close:", type="tertiary", on_click=model_table.choose)
        _badges(model)
        _ending(model)
        model_active.buttons(ws, model)
        with st.grid(2, min_column_width=340):
            with st.container():
                st.markdown("**Specification**")
                row(_limits(model), width=120)
                _parameters(ws, model)
            with st.container():
                st.markdown(f"**How it did here** :small[:gray[your own calls, last {model_here.DAYS} days]]")
                model_here.draw(ws, model)
        model_prices.draw(ws, model)
        model_sources.draw(ws, model)


def _badges(model: LLMModel) -> None:
    state = STATES[model.state]
    with st.container(horizontal=True, gap="xsmall"):
        st.badge(state.word, color=state.colour, icon=state.icon, help=state.meaning)
        if model.own:
            st.badge("Your own", color="gray", icon=":material/person:")
        for word in (name for name in CAN if name in model.capabilities):
            st.badge(CAN[word], color="gray")
    if not model.capabilities:
        st.caption("What it can do is not known: neither its provider's list nor the catalogue says.")


def _ending(model: LLMModel) -> None:
    """The line of its life, where its end is known."""
    if model.retires_at is None:
        return
    days = (model.retires_at.astimezone(UTC).date() - datetime.now(UTC).date()).days
    instead = f" {figures.plain(model.replacement)} is to replace it." if model.replacement else ""
    if days < 0:
        st.error(f"Its end was on {_day(model.retires_at)}.{instead}", icon=":material/block:")
    else:
        show = st.warning if days <= SOON_DAYS else st.info
        show(f"Shuts down on {_day(model.retires_at)}, in {days} days.{instead}", icon=":material/event:")


def _limits(model: LLMModel) -> list[Fact]:
    life = {"Released": model.released_on, "Deprecated": model.deprecated_on, "Ends": model.retires_at}
    facts = [
        Fact("Context", figures.tokens(model.context_window), _exact(model.context_window)),
        Fact("Longest answer", figures.tokens(model.max_output_tokens), _exact(model.max_output_tokens)),
        Fact("Takes", _words(model.inputs), None if model.inputs else _NOBODY_SAYS),
        Fact("Gives", _words(model.outputs), None if model.outputs else _NOBODY_SAYS),
        Fact("Knows until", model.knowledge_until or figures.UNKNOWN, None if model.knowledge_until else _NOBODY_SAYS),
        *(Fact(label, _day(at), None) for label, at in life.items() if at is not None or label == "Released"),
    ]
    if model.reasoning_efforts:
        facts.append(Fact("Reasoning levels", figures.plain(", ".join(model.reasoning_efforts))))
    if model.licence:
        facts.append(Fact("Licence", figures.plain(model.licence)))
    return facts


def _parameters(ws: Workspace, model: LLMModel) -> None:
    """What it takes with its range, and what it refuses, with the reason as tooltip."""
    specs = ws.parameters.spec(model.id)
    with st.expander(f"Parameters: takes {sum(spec.supported for spec in specs)} of {len(specs)}", type="compact"):
        taken = [f"{figures.sentence(spec.name)}{_range(spec.min, spec.max)}" for spec in specs if spec.supported]
        st.markdown(":small[" + " · ".join(taken) + "]")
        refused: dict[str, list[str]] = {}
        for spec in specs:
            if not spec.supported:
                refused.setdefault(spec.reason, []).append(figures.sentence(spec.name))
        for reason, names in refused.items():
            st.caption(f"{', '.join(names)}: {figures.plain(reason)}")
        st.page_link("pages/parameters.py", label="Set them on Parameters", icon=":material/tune:")


_NOBODY_SAYS = "Neither the provider nor the catalogue says."


def _range(low: float | None, high: float | None) -> str:
    """A range that tells something: not all that a whole number can be."""
    if low is None or high is None or high > 1e9:
        return ""
    return f" {low:g}–{high:,g}"


def _exact(value: int | None) -> str:
    return _NOBODY_SAYS if value is None else f"{figures.exact(value)} tokens"


def _words(words: frozenset[str]) -> str:
    return ", ".join(sorted(words, key=lambda word: (word != "text", word))).capitalize() or figures.UNKNOWN


def _day(at: object) -> str:
    return f"{at.day} {at:%b %Y}" if figures.known(at) else figures.UNKNOWN  # type: ignore[attr-defined]
