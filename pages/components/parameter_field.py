"""One parameter of the editor: an input, a slider where it has two ends, its range and default, and its way back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from llm_core.parameters import ParameterSpec, Preset
from pages.components import figures, parameter_slider
from pages.components.parameter_slider import BROWSER_LIMIT
from pages.components.parameter_values import AS_JSON, ON_OFF, as_json, as_shown, key_of, problem_with_json, reset


def draw(spec: ParameterSpec, preset: Preset, *, changed: bool) -> None:
    """The controls of one parameter. An empty input leaves the value to the model."""
    key, value = key_of(preset, spec.name), preset.parameters.given().get(spec.name)
    if value is not None and key not in st.session_state:
        st.session_state[key] = as_shown(spec, value)
        if st.session_state[key] == AS_JSON:
            st.session_state[f"{key}.json"] = as_json(value)
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            _input(spec, value, key)
            if changed:
                st.button(
                    "",
                    key=f"{key}.reset",
                    icon=":material/undo:",
                    type="tertiary",
                    help=f"{figures.sentence(spec.name)} back to the preset",
                    on_click=reset,
                    args=(preset, spec.name),
                )
        if line := _line(spec):
            st.markdown(f":small[:gray[{line}]]")
        parameter_slider.draw(spec, key)


def _input(spec: ParameterSpec, value: Any, key: str) -> None:
    label, empty = figures.sentence(spec.name), _placeholder(spec)
    common: dict[str, Any] = {"key": key, "help": _help(spec), "persist_state": "session"}
    match spec.kind:
        case "number" | "integer":
            st.number_input(label, value=None, placeholder=empty, **_bounds(spec, st.session_state.get(key)), **common)
        case "flag":
            st.segmented_control(label, list(ON_OFF), **common)
        case "texts":
            options = list(dict.fromkeys((*(value or ()), *st.session_state.get(key, ()))))
            st.multiselect(label, options, accept_new_options=True, placeholder="Type one", **common)
        case "text":
            st.text_area(label, placeholder=empty, height=120, **common)
        case "object":
            _object(spec, label, empty, common)
        case _:
            options = _with(spec.choices, value, st.session_state.get(key))
            st.selectbox(label, options, None, placeholder=empty, accept_new_options=not spec.choices, **common)


def _object(spec: ParameterSpec, label: str, empty: str, common: dict[str, Any]) -> None:
    words = [] if spec.kinds else list(spec.choices)
    with st.container():
        options = _with([*words, AS_JSON], st.session_state.get(common["key"]))
        st.selectbox(label, options, None, placeholder=empty, **common)
        if st.session_state.get(common["key"]) != AS_JSON:
            return
        st.text_area(
            f"{label} as JSON",
            key=f"{common['key']}.json",
            height=160,
            label_visibility="collapsed",
            placeholder='{"type": "json_schema", "json_schema": {…}}',
            persist_state="session",
        )
        if problem := problem_with_json(common["key"]):
            st.markdown(f":small[:red[:material/error: {figures.plain(problem)}]]")


def _with(choices: Iterable[str], *held: Any) -> list[str]:
    """The choices, and what is held although this model does not offer it: so it can be seen and taken out."""
    return list(dict.fromkeys((*choices, *(word for word in held if isinstance(word, str) and word))))


def _bounds(spec: ParameterSpec, held: Any) -> dict[str, float | None]:
    """What the browser lets a person type. A value past the range, as of a preset made for others, can be shown."""
    make = float if spec.kind == "number" else int
    others = [*spec.besides, *([held] if isinstance(held, (int, float)) else [])]
    low = None if spec.min is None else min(spec.min, *others, spec.min)
    high = None if spec.max is None else max(spec.max, *others, spec.max)
    bounds = {"min_value": low, "max_value": high}
    kept = {
        name: None if bound is None or abs(bound) > BROWSER_LIMIT else make(bound) for name, bound in bounds.items()
    }
    return kept | {"step": make(spec.step or 1)}


def _placeholder(spec: ParameterSpec) -> str:
    if not figures.known(spec.default):
        return "Model default"
    return f"Default {spec.default:g}" if isinstance(spec.default, float) else f"Default {spec.default}"


def _line(spec: ParameterSpec) -> str:
    """Its range and default, and what else to know of it with this model."""
    told = []
    if spec.kind in ("number", "integer"):
        if (low := spec.min) is not None and abs(low) <= BROWSER_LIMIT:
            high = spec.max
            told.append(f"{low:,g} to {high:,.10g}" if high is not None else f"{low:,g} or more")
        if figures.known(spec.default):
            told.append(f"default {spec.default:g}")
    return " · ".join(told)


def _help(spec: ParameterSpec) -> str:
    """In a sentence, with its unit, what to know of it here, and where that is documented."""
    unit = f" In {spec.unit}." if spec.unit else ""
    bonds = " ".join(interaction.rule for interaction in spec.interactions)
    source = f" [Documented here]({spec.source})." if spec.source else ""
    return f"{spec.meaning}{unit} {spec.reason} {bonds}{source}".replace("  ", " ").strip()
