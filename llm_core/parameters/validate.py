"""Tells before a call what the provider would refuse (errors) and what would be ignored or unwise (warnings)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..types import Parameters
from .interactions import broken
from .specs import WIDEST, ParameterSpec


@dataclass(frozen=True, slots=True)
class Finding:
    """`field` is the parameter's name, or `model`, `parameters`, `messages`, `tools` or `tool_choice`."""

    field: str
    message: str
    hint: str = ""
    """What to do, with the reason where `message` has none."""
    rule: str = ""
    """The rule that was broken, by itself."""
    value: str = ""
    """What was given, in a few letters."""


@dataclass(frozen=True, slots=True)
class Validation:
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        """True where nothing would be refused."""
        return not self.errors

    def __add__(self, other: Validation) -> Validation:
        return Validation(self.errors + other.errors, self.warnings + other.warnings)


def validate(specs: Iterable[ParameterSpec], parameters: object) -> Validation:
    """Check a Parameters or a dict, or anything else, against `specs`. Never raises."""
    given = given_of(parameters)
    if given is None:
        return Validation((Finding("parameters", "These are no parameters.", "Give a Parameters or a dict."),))
    by_name = {spec.name: spec for spec in specs}
    errors = list(_errors(by_name, given))
    wrong = {finding.field for finding in errors}
    sound = {name: value for name, value in given.items() if name in by_name and name not in wrong}
    refused, unwise = _contradictions(by_name, sound)
    return Validation((*errors, *refused), (*_cautions(by_name, sound), *unwise, *_unwise_values(sound)))


def given_of(parameters: object) -> Mapping[Any, Any] | None:
    """Those that are set, and what is no parameter, set or not; None for what holds no parameters at all."""
    if isinstance(parameters, Parameters):
        return parameters.given()
    if isinstance(parameters, Mapping):
        return {name: value for name, value in parameters.items() if value is not None or name not in WIDEST}
    return {} if parameters is None else None


def problem_of(spec: ParameterSpec, value: Any) -> str:
    """What is wrong with a value by itself, as a hint; empty where nothing is."""
    if not spec.supported:
        return spec.reason or "Leave it out."
    return _CHECKS[spec.kind](spec, value)


def shown(value: Any) -> str:
    """A short text for any value, without asking strange objects to describe themselves."""
    if isinstance(value, str):
        return repr(value[:40]) if type(value) is str else "that text"
    if type(value) in (bool, float, type(None)) or (type(value) is int and abs(value) < 10**18):
        return repr(value)
    return "a number of that size" if isinstance(value, int) else f"a {type(value).__name__}"


def _errors(specs: Mapping[str, ParameterSpec], given: Mapping[Any, Any]) -> Iterable[Finding]:
    for name, value in given.items():
        spec = specs.get(name) if isinstance(name, str) else None
        if spec is None:
            known = f"Known ones: {', '.join(specs)}."
            yield Finding(shown(name).strip("'"), "There is no such parameter.", known, value=shown(value))
        elif not spec.supported:
            remedy = f"{spec.reason} Leave it out.".strip()
            yield Finding(spec.name, "This model does not take it.", remedy, spec.reason, shown(value))
        elif problem := problem_of(spec, value):
            yield Finding(spec.name, f"It cannot be {shown(value)}.", problem, spec.reason or problem, shown(value))


def _contradictions(
    specs: Mapping[str, ParameterSpec], given: Mapping[str, Any]
) -> tuple[list[Finding], list[Finding]]:
    refused: list[Finding] = []
    unwise: list[Finding] = []
    bonds = {name: specs[name].interactions for name in given}
    defaults = {name: spec.default for name, spec in specs.items() if spec.supported}
    for name, interaction in broken(bonds, given, defaults):
        if not specs[interaction.other].supported:
            continue
        found = Finding(name, interaction.rule, interaction.remedy, interaction.rule, shown(given[name]))
        (refused if interaction.refused else unwise).append(found)
    return refused, unwise


def _cautions(specs: Mapping[str, ParameterSpec], given: Mapping[str, Any]) -> Iterable[Finding]:
    for name, value in given.items():
        if specs[name].caution:
            yield Finding(name, specs[name].caution, "Leave it out.", specs[name].caution, shown(value))


def _unwise_values(given: Mapping[str, Any]) -> Iterable[Finding]:
    temperature = given.get("temperature")
    if temperature is not None and temperature > 1.5:
        told = shown(temperature)
        yield Finding("temperature", "Answers tend to fall apart this high.", "Stay at or under 1.5.", value=told)
    if temperature == 0 and given.get("n", 1) > 1:
        yield Finding("n", "At temperature 0 all answers are nearly alike.", "Raise the temperature or ask for one.")


def _number(spec: ParameterSpec, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "Give a number."
    if isinstance(value, float) and not math.isfinite(value):
        return "Give a number."
    low, high = spec.min, spec.max
    if value in spec.besides:
        return ""
    if (low is not None and value < low) or (high is not None and value > high):
        besides = "".join(f", or {each:g}" for each in spec.besides)
        if high is None:
            return f"Give {low:.10g} or more{besides}."
        return f"Give {low:.10g} to {high:.10g}{besides}." if low is not None else f"Give at most {high:.10g}."
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
    if spec.not_blank and not all(text.strip() for text in texts):
        return "Give texts of more than white space."
    return ""


def _object(spec: ParameterSpec, value: Any) -> str:
    if spec.name == "safety_settings":
        return _safety(spec, value)
    if isinstance(value, str) and spec.choices:
        if value in spec.choices:
            return ""
        return f"Give {'one of ' if len(spec.choices) > 1 else ''}{', '.join(spec.choices)}, or a mapping."
    return "" if isinstance(value, Mapping) else "Give a mapping."


def _safety(spec: ParameterSpec, value: Any) -> str:
    """A mapping of kinds of harm to thresholds, or Google's own list of both."""
    wanted = 'Give a mapping, as {"harassment": "BLOCK_ONLY_HIGH"}.'
    if isinstance(value, Mapping) and "category" not in value:
        entries: Sequence[Any] = [{"category": name, "threshold": threshold} for name, threshold in value.items()]
    elif isinstance(value, (str, bytes)) or not isinstance(value, (Mapping, Sequence)):
        return wanted
    else:
        entries = [value] if isinstance(value, Mapping) else value
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("category"), str):
            return wanted
        if spec.choices and entry.get("threshold") not in spec.choices:
            return f"Each threshold must be one of {', '.join(spec.choices)}."
        if spec.kinds and entry["category"].upper().removeprefix("HARM_CATEGORY_") not in spec.kinds:
            return f"Give kinds of harm out of {', '.join(spec.kinds).lower()}."
    return ""


_CHECKS = {
    "number": _number,
    "integer": _integer,
    "choice": _choice,
    "flag": _flag,
    "text": _text,
    "texts": _texts,
    "object": _object,
}
