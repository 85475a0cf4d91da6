"""Fits a preset to a model: what the model lacks is left out, and a number past its range becomes the nearest it takes.

Only presets are fitted, since one is for all models. What a caller gives in a call is sent as it is, or refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..types import Parameters
from .interactions import Interaction, broken
from .specs import ParameterSpec
from .validate import problem_of


@dataclass(frozen=True, slots=True)
class Change:
    """`to` is None where the value was left out."""

    field: str
    value: Any
    to: Any
    why: str


def fit(
    specs: Iterable[ParameterSpec], parameters: Parameters, beside: Parameters | None = None
) -> tuple[Parameters, tuple[Change, ...]]:
    """What the model takes of them, beside those that the caller gives and that win anyway; and what was changed."""
    by_name = {spec.name: spec for spec in specs}
    winning = beside.given() if beside is not None else {}
    fitted: dict[str, Any] = {}
    changes: list[Change] = []
    for name, value in parameters.given().items():
        if name in winning:
            continue
        spec = by_name[name]
        problem = problem_of(spec, value)
        to = value if not problem else _nearest(spec, value)
        if to is not None:
            fitted[name] = to
        if problem:
            changes.append(Change(name, value, to, problem))
    while conflict := _conflict(by_name, fitted, winning):
        loser, interaction = conflict
        changes.append(Change(loser, fitted.pop(loser), None, interaction.rule))
    return Parameters(**fitted), tuple(changes)


def _nearest(spec: ParameterSpec, value: Any) -> float | None:
    """The nearest number in range, for a number; None where there is none."""
    if not spec.supported or spec.kind not in ("number", "integer") or isinstance(value, bool):
        return None
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    if spec.min is not None and value < spec.min:
        return spec.min
    return spec.max if spec.max is not None and value > spec.max else None


def _conflict(
    specs: Mapping[str, ParameterSpec], fitted: Mapping[str, Any], winning: Mapping[str, Any]
) -> tuple[str, Interaction] | None:
    """The next value of the preset to give up, and the rule that it breaks."""
    given = {**fitted, **winning}
    bonds = {name: specs[name].interactions for name in given if name in specs}
    defaults = {name: spec.default for name, spec in specs.items() if spec.supported}
    for name, interaction in broken(bonds, given, defaults):
        if not interaction.refused or not specs[interaction.other].supported:
            continue
        gives_up = (name, interaction.other) if interaction.needed or interaction.below else (interaction.other, name)
        for loser in gives_up:
            if loser in fitted:
                return loser, interaction
    return None
