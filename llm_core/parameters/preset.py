"""A named set of parameters: what it is, what it may be called, and how its values are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import InvalidInput, InvalidParameters
from ..types import Parameters
from .specs import WIDEST
from .validate import validate

NAME_LENGTH = 60
PURPOSE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Preset:
    """`version` counts its changes from 1. Usage records name both, so that a change does not rewrite the past."""

    name: str
    parameters: Parameters
    purpose: str = ""
    version: int = 1
    built_in: bool = False
    saved_at: datetime | None = field(default=None, compare=False)
    """When this version was saved; None for one that is built in."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A preset as the state and files keep it: everything checked, values as JSON has them."""

    name: str
    purpose: str
    parameters: Mapping[str, Any]


def as_kept(preset: Preset) -> Kept:
    """Raises InvalidInput, InvalidParameters. Whether its name is taken is not looked at."""
    return Kept(checked_name(preset.name), checked_purpose(preset.purpose), as_data(preset.parameters))


def checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or len(name.strip()) > NAME_LENGTH or not name.isprintable():
        raise InvalidInput("A preset needs a name.", f"Give 1 to {NAME_LENGTH} letters on one line.")
    return name.strip()


def checked_purpose(purpose: object) -> str:
    if not isinstance(purpose, str) or len(purpose) > PURPOSE_LENGTH or not _can_be_sent(purpose):
        raise InvalidInput("A preset's purpose must be a short text.", f"Give at most {PURPOSE_LENGTH} letters.")
    return purpose.strip()


def as_data(parameters: Parameters | Mapping[str, Any]) -> dict[str, Any]:
    """Checked, and as JSON keeps them. Raises InvalidParameters for values no provider takes."""
    given = Parameters.of(parameters).given()
    errors = validate(WIDEST.values(), given).errors
    if errors:
        told = " ".join(f"{found.field}: {found.message}" for found in errors)
        raise InvalidParameters(f"These parameters cannot be saved. {told}", errors[0].hint, errors)
    try:
        data: dict[str, Any] = json.loads(json.dumps(given, allow_nan=False))
        sendable = all(map(_can_be_sent, _texts(data)))
    except (TypeError, ValueError, RecursionError):
        raise InvalidParameters("These parameters hold what JSON cannot.", "Use texts, numbers and mappings.") from None
    if not sendable:
        raise InvalidParameters("These parameters hold letters that cannot be sent.", "Type the text anew.")
    return data


def data_of(preset: Preset) -> dict[str, Any]:
    """The values of a preset that is kept, as JSON has them: checked when it was saved, by the rules of that time."""
    data: dict[str, Any] = json.loads(json.dumps(preset.parameters.given()))
    return data


def as_parameters(data: Mapping[str, Any]) -> Parameters:
    """What a newer program kept and this one does not know is left out."""
    return Parameters.of({name: value for name, value in data.items() if name in WIDEST})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _texts(inner)


def _can_be_sent(text: str) -> bool:
    """Not half of a letter outside the basic plane, which no UTF-8 can hold, nor a zero that some stores end at."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
