"""The slider of a parameter, which moves with its input."""

from __future__ import annotations

from typing import Any

import streamlit as st

from llm_core.parameters import ParameterSpec
from pages.components import figures

BROWSER_LIMIT = 2**53 - 1
"""The largest whole number that a browser can hold exactly."""
MOST_STEPS, MOST = 2_000, 2**24
"""A slider with more steps is moved by doubling; a number with more values, as a seed, has none."""


def draw(spec: ParameterSpec, key: str) -> None:
    """For a number with two ends. Where the input with the key `key` is empty it stands at the default."""
    marks = _marks(spec)
    if spec.kind not in ("number", "integer") or not marks:
        return
    held = st.session_state.get(key)
    at = next(
        (one for one in (held, spec.default) if isinstance(one, (int, float))),
        marks[-1] if spec.name == "max_tokens" else marks[0],
    )
    common: dict[str, Any] = {
        "key": f"{key}.slider",
        "label_visibility": "collapsed",
        "on_change": _moved,
        "args": (key,),
    }
    if _steps(spec) <= MOST_STEPS:
        low, high, step = (type(marks[0])(one) for one in (spec.min, spec.max, spec.step or 1))
        st.session_state[f"{key}.slider"] = min(max(type(marks[0])(at), low), high)
        st.slider(figures.sentence(spec.name), low, high, step=step, **common)
    else:
        st.session_state[f"{key}.slider"] = min(marks, key=lambda mark: abs(mark - at))
        st.select_slider(figures.sentence(spec.name), marks, format_func=lambda mark: f"{mark:,}", **common)


def _moved(key: str) -> None:
    st.session_state[key] = st.session_state[f"{key}.slider"]


def _steps(spec: ParameterSpec) -> float:
    assert spec.min is not None
    assert spec.max is not None
    return (spec.max - spec.min) / (spec.step or 1)


def _marks(spec: ParameterSpec) -> list[Any]:
    """Where the slider can stand: the two ends, or the ends and what doubling meets between them; none without ends."""
    if spec.min is None or spec.max is None or spec.max <= spec.min or spec.max > MOST:
        return []
    if spec.kind == "number":
        return [float(spec.min), float(spec.max)]
    low, high = int(spec.min), int(spec.max)
    if _steps(spec) <= MOST_STEPS:
        return [low, high]
    doubling = [2**power for power in range(4, 40) if max(low, 0) < 2**power < high]
    return [low, *doubling, high]
