"""Presets out to JSON and back: whole or not at all, with an error that says what is wrong and where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llm_core import Parameters, Workspace
from llm_core.errors import InvalidInput, InvalidPresetFile, UnknownPreset
from llm_core.parameters import ImportReport, Preset
from llm_core.parameters.presets_built_in import BUILT_IN
from llm_core.parameters.specs import WIDEST

DOCS = Path(__file__).parents[2] / "docs"
GOOD: dict[str, Any] = {
    "format": "llm-manager presets",
    "version": 1,
    "presets": [
        {
            "name": "mine",
            "purpose": "Émile's.",
            "parameters": {
                "temperature": 0.4,
                "max_tokens": 99,
                "stop": ["a", "é"],
                "logprobs": True,
                "system": "Be kind.\nBe brief.",
                "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
            },
        },
        {"name": "second", "parameters": {}},
    ],
}
WRONG_VALUES = (
    None,
    True,
    -1,
    3.5,
    float("nan"),
    float("inf"),
    -(10**400),
    "",
    "x" * 70,
    "a\nb",
    "\ud83d",
    [],
    {},
    [[]],
)
"""What most fields cannot be; each field is tried with those that it cannot be."""


def with_preset(**fields: Any) -> dict[str, Any]:
    return GOOD | {"presets": [{"name": "new", "parameters": {}} | fields]}


def with_parameter(name: str, value: Any) -> dict[str, Any]:
    return with_preset(parameters={name: value})


def text_of(value: Any) -> str:
    return json.dumps(value)


def deep(levels: int, inner: str = "1") -> str:
    return '{"a":' * levels + inner + "}" * levels


def malformed() -> Iterator[tuple[str, str | bytes]]:
    """Files that cannot be imported, each with a name for it."""
    whole = text_of(GOOD)
    for length in range(0, len(whole) - 1, len(whole) // 40):
        yield f"cut after {length}", whole[:length]
    for index, mark in enumerate('{}[]":,'):
        yield f"without the first {mark}", whole.replace(mark, "", 1)
        yield f"with one more {mark} at the end ({index})", whole + mark
    for index, whole_value in enumerate((None, 1, 1.5, True, "text", [], {}, [GOOD], [1], [[]])):
        yield f"something else ({index})", text_of(whole_value)
    for field in ("format", "version", "presets"):
        yield f"no {field}", text_of({name: value for name, value in GOOD.items() if name != field})
        for index, value in enumerate((None, True, 0, -1, 1.5, "", "other", [], {}, [None], ["a"], 2, float("nan"))):
            yield f"{field} of value {index}", text_of(GOOD | {field: value})
    yield "an unknown name", text_of(GOOD | {"author": "me"})
    yield "a newer format", text_of(GOOD | {"version": 99})
    yield "a preset with an unknown name", text_of(with_preset(colour="red"))
    for field, allowed in (("name", ()), ("purpose", ("", "x" * 70, "a\nb")), ("parameters", ({},))):
        for index, value in enumerate(WRONG_VALUES):
            if value not in allowed:
                yield f"a preset's {field} of value {index}", text_of(with_preset(**{field: value}))
    yield "a purpose of a book", text_of(with_preset(purpose="x" * 5_000))
    yield "a preset without parameters", text_of(GOOD | {"presets": [{"name": "new"}]})
    yield "a preset without a name", text_of(GOOD | {"presets": [{"parameters": {}}]})
    yield "two of one name", text_of(GOOD | {"presets": [GOOD["presets"][1]] * 2})
    yield (
        "two of one name, written otherwise",
        text_of(GOOD | {"presets": [GOOD["presets"][1], {"name": " SECOND ", "parameters": {}}]}),
    )
    yield "too many", text_of(GOOD | {"presets": [{"name": f"n{n}", "parameters": {}} for n in range(501)]})
    for name, spec in WIDEST.items():
        wrong = {"number": "0.5", "integer": 1.5, "choice": 3, "flag": 1, "text": 3, "texts": [1], "object": 3}
        yield f"{name} of another kind", text_of(with_parameter(name, wrong[spec.kind]))
        yield f"{name} is null", text_of(with_parameter(name, None))
        yield f"{name} is not a number of JSON", text_of(with_parameter(name, float("nan")))
        if spec.kind in ("number", "integer"):
            yield f"{name} is huge", text_of(with_parameter(name, 10**300))
            yield f"{name} is -Infinity", text_of(with_parameter(name, float("-inf")))
            yield f"{name} overflows", text_of(with_parameter(name, 7)).replace("7", "1e999")
            yield f"{name} has 5,000 digits", text_of(with_parameter(name, 7)).replace("7", "7" * 5_000)
    yield "an unknown parameter", text_of(with_parameter("temprature", 1))
    yield "a contradiction", text_of(with_parameter("top_logprobs", 3))
    yield "a name twice in an object", whole.replace('"version": 1', '"version": 1, "version": 1')
    yield "a parameter twice", text_of(with_parameter("seed", 1)).replace('"seed": 1', '"seed": 1, "seed": 2')
    yield "half a letter in a system text", text_of(with_parameter("system", "a \ud83d"))
    yield "a zero in a system text", text_of(with_parameter("system", "a \0"))
    for levels in (50, 500, 5_000, 100_000):
        yield f"{levels} levels", text_of(with_parameter("response_format", 7)).replace("7", deep(levels))
        yield f"{levels} lists", "[" * levels + "]" * levels
    yield "megabytes", text_of(with_parameter("system", "x" * 2_000_000))
    yield "not UTF-8", text_of(GOOD).encode().replace(b"mine", b"m\xffne")
    yield "UTF-16", text_of(GOOD).encode("utf-16")
    yield "nothing", b""
    yield "zeros", bytes(100)
    yield "YAML", "format: llm-manager presets"
    yield "JSON lines", text_of(GOOD) + "\n" + text_of(GOOD)
    yield "with a remark", "// mine\n" + text_of(GOOD)
    yield "in single quotes", text_of(GOOD).replace('"', "'")


MALFORMED = dict(malformed())


def refusal(ws: Workspace, text: str | bytes, on_conflict: str) -> InvalidPresetFile | None:
    try:
        ws.parameters.import_presets(text, on_conflict=on_conflict)
    except InvalidPresetFile as error:
        return error
    return None


def test_two_hundred_malformed_files_are_each_refused_in_words_and_nothing_is_changed(ws: Workspace) -> None:
    ws.parameters.save(Preset("mine", Parameters(temperature=0.1)))
    before = ws.state.version(), ws.parameters.presets()
    assert len(MALFORMED) >= 200
    answers = {
        (what, on_conflict): refusal(ws, text, on_conflict)
        for what, text in MALFORMED.items()
        for on_conflict in ("refuse", "new version")
    }
    assert [what for what, error in answers.items() if error is None] == []
    for what, error in answers.items():
        assert error is not None
        assert error.message.endswith("."), what
        assert error.hint, what
        assert len(str(error)) < 1_000, what
    assert (ws.state.version(), ws.parameters.presets()) == before


def test_what_is_exported_comes_back_the_same_in_another_home(ws: Workspace, tmp_path: Path) -> None:
    saved = [
        ws.parameters.save(Preset(one["name"], Parameters.of(one["parameters"]), one.get("purpose", "")))
        for one in GOOD["presets"]
    ]
    text = ws.parameters.export_presets()
    assert json.loads(text)["presets"][0] == GOOD["presets"][0]
    with Workspace.open(tmp_path / "other") as other:
        assert other.parameters.import_presets(text) == ImportReport(added=("mine", "second"))
        assert other.parameters.import_presets(b"\xef\xbb\xbf" + text.encode()) == ImportReport(
            unchanged=("mine", "second")
        )
        assert [preset for preset in other.parameters.presets() if not preset.built_in] == saved


def test_built_in_ones_can_be_exported_by_name_and_come_in_as_they_are(ws: Workspace) -> None:
    text = ws.parameters.export_presets(list(BUILT_IN))
    assert ws.parameters.import_presets(text) == ImportReport(unchanged=tuple(BUILT_IN))
    with pytest.raises(UnknownPreset):
        ws.parameters.export_presets(["never there"])
    with pytest.raises(InvalidInput, match="no preset of your own"):
        ws.parameters.export_presets()


def test_a_name_that_is_taken_is_refused_renamed_or_made_a_new_version(ws: Workspace) -> None:
    ws.parameters.save(Preset("mine", Parameters(temperature=0.1)))
    text = text_of(GOOD)
    with pytest.raises(InvalidInput, match="mine"):
        ws.parameters.import_presets(text)
    assert [preset.name for preset in ws.parameters.presets() if not preset.built_in] == ["mine"]

    report = ws.parameters.import_presets(text, on_conflict="rename")
    assert report == ImportReport(added=("second",), renamed=(("mine", "mine (2)"),))
    assert ws.parameters.preset("mine").parameters.temperature == 0.1

    report = ws.parameters.import_presets(text, on_conflict="new version")
    assert report == ImportReport(changed=("mine",), unchanged=("second",))
    assert (ws.parameters.preset("mine").version, ws.parameters.preset("mine").parameters.temperature) == (2, 0.4)
    with pytest.raises(InvalidInput, match="on_conflict"):
        ws.parameters.import_presets(text, on_conflict="whatever")


def test_a_built_in_name_with_other_values_only_comes_in_under_another_name(ws: Workspace) -> None:
    text = text_of(with_preset(name="Precise", parameters={"temperature": 0.3}))
    for on_conflict in ("refuse", "new version"):
        with pytest.raises(InvalidInput, match="Precise"):
            ws.parameters.import_presets(text, on_conflict=on_conflict)
    assert ws.parameters.import_presets(text, on_conflict="rename").renamed == (("Precise", "Precise (2)"),)


def test_names_that_fill_the_length_are_shortened_to_be_told_apart(ws: Workspace) -> None:
    long = "x" * 60
    ws.parameters.save(Preset(long, Parameters(temperature=0.1)))
    renamed = ws.parameters.import_presets(text_of(with_preset(name=long)), on_conflict="rename").renamed
    assert renamed == ((long, "x" * 56 + " (2)"),)


def test_the_documented_schema_is_the_programs_and_takes_what_is_exported(ws: Workspace) -> None:
    schema = ws.parameters.preset_schema()
    assert json.loads((DOCS / "presets.schema.json").read_text(encoding="utf-8")) == schema, (
        "write ws.parameters.preset_schema() to docs/presets.schema.json"
    )
    checker = jsonschema.Draft202012Validator(schema)
    checker.validate(GOOD)
    checker.validate(json.loads(ws.parameters.export_presets(list(BUILT_IN))))
    for what in ("an unknown name", "no presets", "an unknown parameter", "temperature of another kind"):
        assert list(checker.iter_errors(json.loads(MALFORMED[what]))), what
