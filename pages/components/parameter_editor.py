"""One control for each parameter that the model takes. An empty control leaves the value to the model."""

from __future__ import annotations

from typing import Any

import streamlit as st

from llm_core import Parameters
from llm_core.parameters import ParameterSpec, Preset, Validation
from llm_core.parameters.specs import GROUPS
from pages.components import figures

BROWSER_LIMIT = 2**53 - 1
"""The largest whole number that a browser can hold exactly."""
ON_OFF = {"On": True, "Off": False}


def edit(specs: list[ParameterSpec], preset: Preset) -> Parameters:
    """Draw the controls, filled with the preset; returns what they say now."""
    given = preset.parameters.given()
    values = dict(given)
    for group in GROUPS:
        shown = [spec for spec in specs if spec.group == group and _has_control(spec, given)]
        if not shown:
            continue
        st.markdown(f"**{group.capitalize()}**")
        with st.grid(2, min_column_width=220):
            for spec in shown:
                values[spec.name] = _control(spec, given.get(spec.name), key_of(preset, spec.name))
    _lacking([spec for spec in specs if not spec.supported and spec.name not in given])
    return Parameters.of({name: value for name, value in values.items() if value not in (None, "", ())})


def key_of(preset: Preset, name: str) -> str:
    """A saved change makes a new version, and so fresh controls."""
    return f"parameters.{preset.name}.{preset.version}.{name}"


def reset(preset: Preset) -> None:
    """Callback: forget what was edited."""
    for key in [key for key in st.session_state if str(key).startswith(key_of(preset, ""))]:
        del st.session_state[key]


def _has_control(spec: ParameterSpec, given: dict[str, Any]) -> bool:
    """A value the model does not take keeps its control, so that it can be taken out."""
    return (spec.supported or spec.name in given) and (spec.kind != "object" or bool(spec.choices))


def _control(spec: ParameterSpec, value: Any, key: str) -> Any:
    """The value goes in through the session, so that each control is empty by default and can be emptied again."""
    if value is not None:
        st.session_state.setdefault(key, _shown(spec, value))
    label, empty = figures.sentence(spec.name), _placeholder(spec)
    common: dict[str, Any] = {"key": key, "help": _help(spec), "persist_state": "session"}
    match spec.kind:
        case "number" | "integer":
            make = float if spec.kind == "number" else int
            bounds = {name: None if bound is None else make(bound) for name, bound in _bounds(spec).items()}
            return st.number_input(label, value=None, placeholder=empty, **bounds, **common)
        case "flag":
            return ON_OFF.get(st.segmented_control(label, list(ON_OFF), **common) or "")
        case "texts":
            options = list(value or ())
            return tuple(st.multiselect(label, options, accept_new_options=True, placeholder="Type one", **common))
        case "text":
            return st.text_area(label, placeholder=empty, height=100, **common)
    options = list(dict.fromkeys((*spec.choices, *([value] if isinstance(value, str) else []))))
    return st.selectbox(label, options, None, placeholder=empty, accept_new_options=not spec.choices, **common)


def _shown(spec: ParameterSpec, value: Any) -> Any:
    """The value as its control holds it."""
    match spec.kind:
        case "number":
            return float(value)
        case "flag":
            return "On" if value else "Off"
        case "texts":
            return list(value)
    return value


def _bounds(spec: ParameterSpec) -> dict[str, float | None]:
    within = {"min_value": spec.min, "max_value": spec.max}
    kept = {name: None if bound is None or abs(bound) > BROWSER_LIMIT else bound for name, bound in within.items()}
    return kept | {"step": spec.step or 1}


def _placeholder(spec: ParameterSpec) -> str:
    if not figures.known(spec.default):
        return "Model default"
    return f"Default {spec.default:g}" if isinstance(spec.default, float) else f"Default {spec.default}"


def _help(spec: ParameterSpec) -> str:
    low, high = spec.min, spec.max
    span = (
        f" {low:g} to {high:g}{f' {spec.unit}' if spec.unit else ''}." if low is not None and high is not None else ""
    )
    return f"{spec.meaning}{'' if abs(low or 0) > BROWSER_LIMIT else span} {spec.reason}".strip()


def _lacking(specs: list[ParameterSpec]) -> None:
    if specs:
        with st.expander(f"Not with this model: {len(specs)}", type="compact"):
            for spec in specs:
                st.caption(f"**{figures.sentence(spec.name)}**: {figures.plain(spec.reason)}")


def findings(found: Validation) -> None:
    """What would be refused, what would be ignored or unwise, or that all is well."""
    for finding in found.errors:
        st.error(finding.hint, title=f"{figures.sentence(finding.field)}: {finding.message}", icon=":material/block:")
    for finding in found.warnings:
        st.warning(
            finding.hint, title=f"{figures.sentence(finding.field)}: {finding.message}", icon=":material/warning:"
        )
    if not found.errors and not found.warnings:
        st.success("This model takes all of it.", icon=":material/check_circle:")
