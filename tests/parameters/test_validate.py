from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core import Parameters, Workspace
from llm_core.parameters.families import specs_for
from llm_core.parameters.specs import WIDEST
from llm_core.parameters.validate import Validation, validate
from llm_core.types import PARAMETER_ORDER, LLMModel

MODELS = [
    LLMModel("c", provider, name)
    for provider, name in (
        ("openai", "gpt-4.1"),
        ("openai", "gpt-6-luna"),
        ("anthropic", "claude-opus-4-1"),
        ("google", "gemini-3.6-flash"),
        ("cohere", "command-a"),
        ("local", "smollm2"),
        ("compatible", "own"),
    )
]


def checked(parameters: Any, provider: str = "openai", name: str = "gpt-4.1", **known: Any) -> Validation:
    return validate(specs_for(LLMModel("c", provider, name, **known)), parameters)


def fields(findings: Any) -> list[str]:
    return [finding.field for finding in findings]


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {},
        Parameters(),
        {"temperature": None},
        {"temperature": 0},
        {"temperature": 1.5, "max_tokens": 1, "seed": -(2**63)},
        {"stop": "END"},
        {"stop": ["a", "b", "c", "d"]},
        {"response_format": "json_object"},
        {"response_format": {"type": "json_schema", "json_schema": {}}},
        {"logprobs": True, "top_logprobs": 20},
        {"top_p": 0.5, "frequency_penalty": -2.0, "presence_penalty": 2, "n": 128},
        Parameters(temperature=0.3, stop=("a",), system="Be kind."),
    ],
)
def test_what_the_model_takes_is_not_questioned(parameters: Any) -> None:
    assert checked(parameters) == Validation()
    assert checked(parameters)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 2.01),
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("temperature", "hot"),
        ("temperature", True),
        ("temperature", 10**400),
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("max_tokens", 100.0),
        ("seed", 2**63),
        ("stop", []),
        ("stop", [""]),
        ("stop", ["a", "b", "c", "d", "e"]),
        ("stop", {"a"}),
        ("n", 0),
        ("service_tier", "fastest"),
        ("service_tier", 1),
        ("response_format", "yaml"),
        ("response_format", 3),
        ("logprobs", 1),
        ("top_logprobs", 21),
        ("system", ["x"]),
        ("top_k", 40),
        ("safety_settings", {}),
        ("temprature", 1),
    ],
)
def test_what_would_be_refused_is_an_error_at_its_field(field: str, value: Any) -> None:
    parameters = {field: value, "logprobs": True} if field == "top_logprobs" else {field: value}
    (error,) = checked(parameters).errors
    assert error.field == field
    assert error.message
    assert error.hint
    assert error.value
    assert error.rule or field == "temprature"
    assert not checked(parameters)


@pytest.mark.parametrize("value", ["y" * 500, 10**400, 10**5000], ids=["text", "number", "unprintable"])
def test_a_finding_stays_short_whatever_was_given(value: Any) -> None:
    for field in ("response_format", "temperature", "seed"):
        (error,) = checked({field: value}).errors
        assert len(error.message) < 100


def test_a_reasoning_model_refuses_sampling_with_the_reason() -> None:
    found = checked(Parameters(temperature=0.3, top_p=0.9), name="gpt-6-luna")
    assert fields(found.errors) == ["temperature", "top_p"]
    assert "fixed" in found.errors[0].rule
    assert found.errors[0].rule in found.errors[0].hint
    assert found.errors[0].hint.endswith("Leave it out.")
    assert found.errors[0].value == "0.3"


def test_safety_settings_are_held_to_googles_kinds_and_thresholds() -> None:
    def told(value: Any) -> str:
        return " ".join(
            error.hint for error in checked({"safety_settings": value}, "google", "gemini-3.5-flash").errors
        )

    assert told({"harassment": "BLOCK_ONLY_HIGH"}) == ""
    assert told([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]) == ""
    assert "threshold" in told({"harassment": "SOMETIMES"})
    assert "kinds of harm" in told({"rudeness": "BLOCK_ONLY_HIGH"})
    assert "mapping" in told("BLOCK_ONLY_HIGH")
    assert "mapping" in told([3])


def test_a_value_outside_the_range_with_a_meaning_of_its_own_is_taken() -> None:
    def budget(value: int) -> Validation:
        return checked({"thinking_budget": value}, "google", "gemini-2.5-pro")

    assert budget(-1)
    assert budget(128)
    assert not budget(-2)
    assert not budget(127)


def test_claude_takes_no_stop_sequence_of_white_space_alone() -> None:
    assert not checked({"stop": ["\n\n"]}, "anthropic", "claude-opus-4-1")
    assert checked({"stop": ["\n\nHuman:"]}, "anthropic", "claude-opus-4-1")


def test_an_answer_longer_than_the_models_longest_is_refused() -> None:
    assert fields(checked({"max_tokens": 4_097}, max_output_tokens=4_096).errors) == ["max_tokens"]
    assert checked({"max_tokens": 4_096}, max_output_tokens=4_096)


def test_values_that_contradict_each_other_are_refused() -> None:
    assert fields(checked({"top_logprobs": 3}).errors) == ["top_logprobs"]
    thinking = {"thinking_budget": 4_000, "max_tokens": 4_000}
    assert fields(checked(thinking, "anthropic", "claude-opus-4-1").errors) == ["thinking_budget"]
    thinking["max_tokens"] = 4_001
    assert checked(thinking, "anthropic", "claude-opus-4-1")


@pytest.mark.parametrize(
    ("parameters", "provider", "name", "field"),
    [
        ({"temperature": 0.5, "top_p": 0.5}, "openai", "gpt-4.1", "top_p"),
        ({"temperature": 1.6}, "openai", "gpt-4.1", "temperature"),
        ({"temperature": 0, "n": 3}, "openai", "gpt-4.1", "n"),
        ({"temperature": 0.5}, "google", "gemini-3.6-flash", "temperature"),
        ({"max_tokens": 200}, "openai", "gpt-6-luna", "max_tokens"),
    ],
)
def test_what_is_unwise_or_ignored_is_a_warning_only(parameters, provider: str, name: str, field: str) -> None:
    found = checked(parameters, provider, name)
    assert found.errors == ()
    assert fields(found.warnings) == [field]


def test_an_unknown_model_is_said_to_be_so_and_checked_against_the_widest_limits(ws: Workspace) -> None:
    for model_id in ("nowhere:m", "no id", "", None, 7):
        found = ws.parameters.validate(model_id, {"temperature": 3.0})
        assert fields(found.errors) == ["temperature"]
        assert fields(found.warnings) == ["model"]


ANY_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.dates(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner) | st.frozensets(st.integers()),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(
    model=st.sampled_from([*MODELS, None]),
    parameters=ANY_VALUE
    | st.dictionaries(st.sampled_from(PARAMETER_ORDER) | ANY_VALUE.filter(lambda v: _hashable(v)), ANY_VALUE),
)
def test_nothing_makes_it_raise(model: LLMModel | None, parameters: Any) -> None:
    found = validate(specs_for(model), parameters)
    for finding in (*found.errors, *found.warnings):
        assert isinstance(finding.field, str)
        assert finding.message
        assert len(finding.message) < 200


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(model=st.sampled_from(MODELS), data=st.data())
def test_any_value_within_its_spec_is_taken(model: LLMModel, data: st.DataObject) -> None:
    spec = data.draw(
        st.sampled_from([spec for spec in specs_for(model) if spec.supported and spec.kind in ("number", "integer")])
    )
    low, high = spec.min if spec.min is not None else -1e6, spec.max if spec.max is not None else 1e6
    inside = st.integers(int(low), int(high)) if spec.kind == "integer" else st.floats(low, high)
    outside = [bound for bound in (spec.min and spec.min - 1, spec.max and spec.max + 1) if bound]
    values = {spec.name: data.draw(inside), **({"logprobs": True} if spec.name == "top_logprobs" else {})}
    assert validate(specs_for(model), values).errors == ()
    for value in outside:
        assert validate(specs_for(model), {spec.name: value}).errors


def test_the_widest_limits_hold_without_any_model() -> None:
    assert validate(WIDEST.values(), {"temperature": 2, "top_k": 5, "thinking_budget": -1})
    assert not validate(WIDEST.values(), {"temperature": 2.1})


def test_a_name_that_is_no_parameter_is_an_error_also_without_a_value() -> None:
    found = validate(specs_for(None), {"temprature": None, "temperature": None})
    assert [error.field for error in found.errors] == ["temprature"]
