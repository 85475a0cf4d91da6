"""Two presets beside each other: their values, their requests, and real answers to the same prompt."""

from __future__ import annotations

import difflib
from typing import Any

import streamlit as st

from llm_core import LLMModel, Parameters, Workspace
from llm_core.parameters import ParameterSpec, Preset
from llm_core.types import PARAMETER_ORDER
from pages.components import answers, feedback, figures, parameter_request, parameter_try, parameter_values

KEY, OTHER, PROMPT = "parameters.compare", "parameters.other", "parameters.compare.prompt"


def draw(ws: Workspace, model: LLMModel, specs: list[ParameterSpec], preset: Preset) -> None:
    edited = parameter_values.read(specs, preset)
    others = [found.name for found in ws.parameters.presets() if found.name != preset.name]
    changed = edited != preset.parameters
    if changed:
        others.insert(0, preset.name)
    name = st.selectbox(
        "Compare with",
        others,
        format_func=lambda one: f"{one[:1].upper()}{one[1:]}" + (" as saved" if one == preset.name else ""),
        key=OTHER,
    )
    other = ws.parameters.preset(name)
    names = (f"{_title(preset)} as edited" if changed else _title(preset), _title(other))
    left, right = st.columns(2, gap="medium")
    with left:
        _values(names, edited, other.parameters)
    with right:
        _requests(ws, model, edited, other.parameters)
    busy = answers.running(KEY)
    st.markdown("**Answers**")
    text = st.text_area("Prompt of both", _prompt(), key=PROMPT, height=80, persist_state="session", disabled=busy)
    with st.container(horizontal=True):
        st.button(
            f"Ask both · {parameter_request.quote(ws, model, (edited, other.parameters), text)}",
            key=f"{KEY}.go",
            icon=":material/play_arrow:",
            disabled=busy or ws.is_sample or not text.strip(),
            on_click=_ask,
            args=(ws, model, specs, preset, other, names),
        )
        st.button(
            "Stop",
            key=f"{KEY}.stop",
            icon=":material/stop_circle:",
            disabled=not busy,
            on_click=answers.stop,
            args=(KEY,),
        )
    if not answers.lanes(KEY):
        st.caption("Both answers appear here, side by side." if not ws.is_sample else "Sample data makes no calls.")
        return
    answers.draw(KEY)
    if busy:
        st.rerun()


@feedback.callback
def _ask(
    ws: Workspace,
    model: LLMModel,
    specs: list[ParameterSpec],
    preset: Preset,
    other: Preset,
    names: tuple[str, str],
) -> None:
    """Reads what was typed last: what was drawn may be older."""
    text, edited = st.session_state[PROMPT], parameter_values.read(specs, preset)
    openers = (
        answers.opener(ws, model, preset, edited, text),
        answers.opener(ws, model, other, other.parameters, text),
    )
    answers.start(ws, KEY, model, list(zip(names, openers, strict=True)))


def _title(preset: Preset) -> str:
    return preset.name[:1].upper() + preset.name[1:]


def _prompt() -> str:
    return str(st.session_state.get(parameter_try.PROMPT) or parameter_try.USUAL_PROMPT)


def _values(names: tuple[str, str], one: Parameters, other: Parameters) -> None:
    st.markdown("**Values**")
    values = [one.given(), other.given()]
    rows = [name for name in PARAMETER_ORDER if name in values[0] or name in values[1]]
    if not rows:
        st.caption("Neither sets anything.")
        return
    rows.sort(key=lambda name: values[0].get(name) == values[1].get(name))
    lines = [f"| | {figures.plain(names[0])} | {figures.plain(names[1])} |", "| --- | --- | --- |"]
    for name in rows:
        pair = [_cell(value.get(name)) for value in values]
        same = values[0].get(name) == values[1].get(name)
        label = figures.sentence(name)
        lines.append(
            f"| {label} (same) | {pair[0]} | {pair[1]} |" if same else f"| **{label}** | {pair[0]} | {pair[1]} |"
        )
    st.markdown("\n".join(lines))


def _cell(value: Any) -> str:
    if value is None:
        return ":gray[model default]"
    text = ", ".join(map(repr, value)) if isinstance(value, tuple) else str(value)
    text = text.replace("\n", " ")
    return figures.plain(text if len(text) <= 120 else f"{text[:119]}…")


def _requests(ws: Workspace, model: LLMModel, one: Parameters, other: Parameters) -> None:
    """The lines of the two requests that differ, with those around them."""
    st.markdown("**Requests**")
    bodies = [parameter_request.wire_of(ws, model, each, _prompt()).body for each in (one, other)]
    if None in bodies:
        st.caption("One of them cannot be sent as it is: see its findings.")
        return
    texts = [parameter_request.pretty(body).splitlines() for body in bodies]
    lines = [
        line for line in difflib.unified_diff(texts[0], texts[1], n=2, lineterm="") if line[:2] not in ("--", "++")
    ]
    if lines:
        st.code("\n".join(line for line in lines if not line.startswith("@@")), language="diff", wrap_lines=True)
    else:
        st.caption(f"{figures.plain(model.name)} gets the same request from both.")
