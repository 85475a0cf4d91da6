"""Presets as a JSON file, out and in. What comes in is checked whole before any of it is kept.

docs/presets.md describes the format, with a JSON Schema for editors that `schema` makes. An import checks more than the
schema can say: the ranges and contradictions that `ws.parameters.save` checks too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InvalidInput, InvalidPresetFile
from .preset import NAME_LENGTH, PURPOSE_LENGTH, Kept, Preset, as_data, checked_name, checked_purpose, data_of
from .specs import WIDEST, ParameterSpec

FORMAT, VERSION = "llm-manager presets", 1
MOST_BYTES, MOST_PRESETS, DEEPEST = 1_000_000, 500, 40


def write(presets: Iterable[Preset]) -> str:
    """The file's text. Versions, and which are defaults, stay here: they mean nothing elsewhere.

    Raises InvalidInput where there are none.
    """
    listed = [{"name": preset.name, "purpose": preset.purpose, "parameters": data_of(preset)} for preset in presets]
    if not listed:
        raise InvalidInput("There is no preset of your own to export.", "Save one, or name the presets to export.")
    return json.dumps({"format": FORMAT, "version": VERSION, "presets": listed}, indent=2, ensure_ascii=False) + "\n"


def read(text: str | bytes) -> list[Kept]:
    """The presets of a file, each checked. Raises InvalidPresetFile that says what is wrong, and where."""
    found = _object(_parsed(text), "The file", ("format", "version", "presets"))
    if found.get("format") != FORMAT:
        raise _wrong("This is no file of presets.", f'Its "format" must be "{FORMAT}".')
    version = found.get("version")
    if type(version) is not int or version < 1:
        raise _wrong('The file\'s "version" must be a whole number.', f"It is {VERSION} now.")
    if version > VERSION:
        raise _wrong(f"The file is of version {version}, made by a newer program.", "Update this one.")
    listed = found.get("presets")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_PRESETS:
        raise _wrong('The file\'s "presets" must be a list.', f"Of 1 to {MOST_PRESETS} presets.")
    presets = [_preset(one, f"Preset {number}") for number, one in enumerate(listed, 1)]
    names = [preset.name.casefold() for preset in presets]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise _wrong(f"Two presets are called {presets[number].name}.", "Give each a name of its own.")
    return presets


def _parsed(text: str | bytes) -> Any:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if not isinstance(data, bytes):
        raise _wrong("A file of presets is text.", "Give its text or its bytes.")
    if len(data) > MOST_BYTES:
        raise _wrong(f"The file has {len(data):,} bytes.", f"At most {MOST_BYTES:,} are read.")
    try:
        found = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_no_name_twice, parse_constant=_no_such_number)
    except UnicodeDecodeError:
        raise _wrong("The file is not UTF-8.", "Save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _wrong(f"The file is not JSON: {error.msg} at {place}.", "Is all of it there?") from None
    except InvalidPresetFile:
        raise
    except ValueError:  # a whole number of thousands of digits
        raise _too_long() from None
    except RecursionError:
        raise _too_deep() from None
    _require_plain(found)
    return found


def _preset(one: Any, where: str) -> Kept:
    found = _object(one, where, ("name", "purpose", "parameters"))
    name = found.get("name")
    if isinstance(name, str) and name.strip() and name.isprintable():
        where = f"{where} ({name.strip()[:NAME_LENGTH]})"
    parameters = _object(found.get("parameters"), f'{where}: "parameters"', tuple(WIDEST))
    for parameter, value in parameters.items():
        if value is None:
            raise _wrong(f"{where}: {parameter} is null.", "Leave out what is not set.")
    try:
        return Kept(checked_name(name), checked_purpose(found.get("purpose", "")), as_data(parameters))
    except InvalidInput as error:
        raise _wrong(f"{where}: {error.message}", error.hint) from None


def _object(value: Any, where: str, names: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(f"{where} must be an object.", "Write it in braces, with a name for each value.")
    for name in value:
        if name not in names:
            raise _wrong(f"{where} has an unknown name {name[:40]!r}.", f"Known ones: {', '.join(names)}.")
    return value


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _wrong(f"The name {twice[:40]!r} stands twice in one object.", "Leave one of them.")
    return found


def _no_such_number(word: str) -> Any:
    raise _wrong(f"The file holds {word}, which is no number of JSON.", "Give a number.")


def _require_plain(value: Any) -> None:
    """Nothing that other programs stumble over: many levels, whole numbers beyond 64 bits."""
    level = [value]
    for _ in range(DEEPEST):
        if any(isinstance(one, int) and abs(one) >= 2**63 for one in level):
            raise _too_long()
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise _too_deep()


def _too_long() -> InvalidPresetFile:
    return _wrong("The file holds a whole number of more than 64 bits.", "Give a smaller one.")


def _too_deep() -> InvalidPresetFile:
    return _wrong("The file is nested too deeply.", f"At most {DEEPEST} levels are read.")


def _wrong(message: str, hint: str) -> InvalidPresetFile:
    return InvalidPresetFile(message, hint)


def schema() -> dict[str, Any]:
    """The JSON Schema of a file: its shape and the kind of each value."""
    preset = {
        "type": "object",
        "required": ["name", "parameters"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH, "pattern": "\\S"},
            "purpose": {"type": "string", "maxLength": PURPOSE_LENGTH},
            "parameters": {
                "type": "object",
                "additionalProperties": False,
                "properties": {spec.name: _kind(spec) | {"description": spec.meaning} for spec in WIDEST.values()},
            },
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Presets of LLM Manager",
        "type": "object",
        "required": ["format", "version", "presets"],
        "additionalProperties": False,
        "properties": {
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "presets": {"type": "array", "minItems": 1, "maxItems": MOST_PRESETS, "items": preset},
        },
    }


def _kind(spec: ParameterSpec) -> dict[str, Any]:
    text = {"type": "string"}
    kinds: dict[str, dict[str, Any]] = {
        "number": {"type": "number"},
        "integer": {"type": "integer"},
        "choice": text,
        "flag": {"type": "boolean"},
        "text": text,
        "texts": {"anyOf": [text, {"type": "array", "items": text, "minItems": 1}]},
        "object": {"type": ["string", "object", "array"]},
    }
    return kinds[spec.kind]
