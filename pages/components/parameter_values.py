"""What the controls of the editor hold: how a value goes into a control, and comes out of it again.

Everything is read from the session, not from what a control returned: what was typed last counts, also in a callback.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from llm_core import Parameters
from llm_core.parameters import ParameterSpec, Preset

ON_OFF = {"On": True, "Off": False}
AS_JSON = "As JSON"
"""The choice of an object that no word names: a field for its JSON appears."""


def key_of(preset: Preset, name: str) -> str:
    """A saved change makes a new version, and so fresh controls."""
    return f"parameters.{preset.name}.{preset.version}.{name}"


def read(specs: Iterable[ParameterSpec], preset: Preset) -> Parameters:
    """The preset with everything that was changed in the controls."""
    given = preset.parameters.given()
    values = {spec.name: _value(spec, given.get(spec.name), key_of(preset, spec.name)) for spec in specs}
    return Parameters.of({name: value for name, value in values.items() if value not in (None, "", ())})


def reset(preset: Preset, name: str = "") -> None:
    """Callback: forget what was edited, of one field or of all."""
    begin = key_of(preset, name)
    for key in [
        key for key in st.session_state if str(key) == begin or str(key).startswith(f"{begin}." if name else begin)
    ]:
        del st.session_state[key]


def as_shown(spec: ParameterSpec, value: Any) -> Any:
    """The value as its control holds it."""
    match spec.kind:
        case "number":
            return float(value)
        case "flag":
            return "On" if value else "Off"
        case "texts":
            return list(value)
        case "object" if not isinstance(value, str):
            return AS_JSON
    return value


def as_json(value: Any) -> str:
    """The text of an object, for the field that appears with AS_JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, (Mapping, list, tuple)) else ""


def problem_with_json(key: str) -> str:
    """What is wrong with the text typed into a field of JSON."""
    text = str(st.session_state.get(f"{key}.json") or "").strip()
    if not text:
        return "Give the JSON of an object."
    try:
        found = json.loads(text)
    except ValueError as error:
        return f"Not JSON: {error}."
    return "" if isinstance(found, (dict, list)) else "Give a JSON object, in braces."


def _value(spec: ParameterSpec, given: Any, key: str) -> Any:
    if key not in st.session_state:
        return given
    held = st.session_state[key]
    match spec.kind:
        case "flag":
            return ON_OFF.get(held or "")
        case "texts":
            return tuple(held)
        case "object" if held == AS_JSON:
            if f"{key}.json" not in st.session_state:
                return given
            return None if problem_with_json(key) else json.loads(st.session_state[f"{key}.json"])
    return held
