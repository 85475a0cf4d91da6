"""Tells before a call what the provider would refuse (errors) and what would be ignored or unwise (warnings)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..types import Parameters
from .specs import ParameterSpec


@dataclass(frozen=True, slots=True)
class Finding:
    """`field` is the parameter's name, or `model` or `parameters` for the whole."""

    field: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Validation:
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        """True where nothing would be refused."""
        return not self.errors


def validate(specs: Iterable[ParameterSpec], parameters: object) -> Validation:
    """Check a Parameters or a dict, or anything else, against `specs`. Never raises."""
    if isinstance(parameters, Parameters):
        given: Mapping[Any, Any] = parameters.given()
    elif isinstance(parameters, Mapping):
        given = {name: value for name, value in parameters.items() if value is not None}
    elif parameters is None:
        given = {}
    else:
        return Validation((Finding("parameters", "These are no parameters.", "Give a Parameters or a dict."),))
    by_name = {spec.name: spec for spec in specs}
    errors = list(_errors(by_name, given))
    wrong = {finding.field for finding in errors}
    sound = {name: value for name, value in given.items() if name in by_name and name not in wrong}
    errors += _contradictions(sound)
    return Validation(tuple(errors), tuple(_warnings(by_name, sound)))


def _errors(specs: Mapping[str, ParameterSpec], given: Mapping[Any, Any]) -> Iterable[Finding]:
    for name, value in given.items():
        spec = specs.get(name) if isinstance(name, str) else None
        if spec is None:
            yield Finding(_shown(name).strip("'"), "There is no such parameter.", f"Known ones: {', '.join(specs)}.")
        elif not spec.supported:
            yield Finding(spec.name, "This model does not take it.", spec.reason)
        elif problem := _CHECKS[spec.kind](spec, value):
            yield Finding(spec.name, f"It cannot be {_shown(value)}.", problem)


def _contradictions(given: Mapping[str, Any]) -> Iterable[Finding]:
    if given.get("top_logprobs") and not given.get("logprobs"):
        yield Finding("top_logprobs", "It needs logprobs.", "Set logprobs to true, or leave top_logprobs out.")
    budget, limit = given.get("thinking_budget"), given.get("max_tokens")
    if budget is not None and limit is not None and budget >= limit:
        yield Finding(
            "thinking_budget", "It leaves no room for an answer.", f"Make it less than max_tokens, which is {limit}."
        )


def _warnings(specs: Mapping[str, ParameterSpec], given: Mapping[str, Any]) -> Iterable[Finding]:
    for name in given:
        if specs[name].caution:
            yield Finding(name, specs[name].caution, "Leave it out.")
    temperature = given.get("temperature")
    if temperature is not None and given.get("top_p") is not None:
        yield Finding(
            "top_p", "temperature and top_p both narrow the drawing.", "Change one of them and leave the other."
        )
    if temperature is not None and temperature > 1.5:
        yield Finding("temperature", "Answers tend to fall apart this high.", "Stay at or under 1.5.")
    if temperature == 0 and given.get("n", 1) > 1:
        yield Finding("n", "At temperature 0 all answers are nearly alike.", "Raise the temperature or ask for one.")
    limit = given.get("max_tokens")
    always_reasons = specs["reasoning_effort"].supported and not specs["temperature"].supported
    thinks = given.get("reasoning_effort", "none") != "none" or always_reasons
    if limit is not None and limit < 1000 and thinks and given.get("thinking_budget") is None:
        yield Finding(
            "max_tokens", "Reasoning can use all of it and leave no answer.", "Allow some thousand tokens, or none set."
        )


def _number(spec: ParameterSpec, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "Give a number."
    if isinstance(value, float) and not math.isfinite(value):
        return "Give a number."
    low, high = spec.min, spec.max
    if (low is not None and value < low) or (high is not None and value > high):
        if high is None:
            return f"Give {low:g} or more."
        return f"Give {low:g} to {high:g}." if low is not None else f"Give at most {high:g}."
    return ""


def _integer(spec: ParameterSpec, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return "Give a whole number."
    return _number(spec, value)


def _choice(spec: ParameterSpec, value: Any) -> str:
    if not isinstance(value, str) or not value:
        return f"Give one of {', '.join(spec.choices)}." if spec.choices else "Give a word."
    return f"Give one of {', '.join(spec.choices)}." if spec.choices and value not in spec.choices else ""


def _flag(spec: ParameterSpec, value: Any) -> str:
    return "" if isinstance(value, bool) else "Give true or false."


def _text(spec: ParameterSpec, value: Any) -> str:
    return "" if isinstance(value, str) else "Give text."


def _texts(spec: ParameterSpec, value: Any) -> str:
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) and text for text in texts):
        return "Give a text, or a list of texts that are not empty."
    if not texts or (spec.max is not None and len(texts) > spec.max):
        return f"Give 1 to {spec.max:g} texts." if spec.max is not None else "Give at least one."
    return ""


def _object(spec: ParameterSpec, value: Any) -> str:
    if isinstance(value, str) and spec.choices:
        return "" if value in spec.choices else f"Give one of {', '.join(spec.choices)}, or a mapping."
    if isinstance(value, Mapping) or (spec.name == "safety_settings" and isinstance(value, Sequence)):
        return "Give a mapping." if isinstance(value, (str, bytes)) else ""
    return "Give a mapping."


_CHECKS = {
    "number": _number,
    "integer": _integer,
    "choice": _choice,
    "flag": _flag,
    "text": _text,
    "texts": _texts,
    "object": _object,
}


def _shown(value: Any) -> str:
    """A short text for any value, without asking strange objects to describe themselves."""
    if isinstance(value, str):
        return repr(value[:40]) if type(value) is str else "that text"
    if type(value) in (bool, float, type(None)) or (type(value) is int and abs(value) < 10**18):
        return repr(value)
    return "a number of that size" if isinstance(value, int) else f"a {type(value).__name__}"
