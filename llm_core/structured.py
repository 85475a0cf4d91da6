"""Structured output: what `schema=` may be, and how an answer's text becomes `reply.parsed`.

A schema is JSON Schema as a dict, or a class with pydantic's `model_json_schema` and `model_validate`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .errors import InvalidParameters

_FENCE = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)


def as_json_schema(schema: Any) -> Mapping[str, Any] | None:
    """The JSON Schema to send. Raises InvalidParameters."""
    if schema is None:
        return None
    if isinstance(schema, Mapping):
        return schema
    make = getattr(schema, "model_json_schema", None)
    if make is None:
        raise InvalidParameters(
            f"schema cannot be a {type(schema).__name__}.", "Give JSON Schema as a dict, or a pydantic model class."
        )
    made: Mapping[str, Any] = make()
    return made


def parse(text: str, schema: Any) -> tuple[Any, str | None]:
    """The value that `text` holds and None, or None and why it does not fit. A ``` fence around it is taken off."""
    fenced = _FENCE.match(text)
    try:
        value = json.loads(fenced.group(1) if fenced else text)
    except ValueError as error:
        return None, f"The answer is not JSON: {error}."
    if not isinstance(schema, Mapping):
        try:
            return schema.model_validate(value), None
        except ValueError as error:  # pydantic's ValidationError is one
            return None, f"The answer does not fit {schema.__name__}: {error}"
    from jsonschema import exceptions, validators

    try:
        validators.validator_for(schema)(schema).validate(value)
    except exceptions.ValidationError as error:
        return None, f"The answer does not fit the schema at {error.json_path}: {error.message}"
    except exceptions.SchemaError as error:
        return value, f"The schema itself is not valid: {error.message}"
    return value, None
