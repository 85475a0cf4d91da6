"""Every parameter of every family at every edge: sent, it is what the preview showed and what the vendor's documents
allow; past the edge it is caught before anything is sent.

`tests.wire.strict` holds what the documents say, written down apart from `llm_core.parameters.families`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_core import Workspace
from llm_core.errors import InvalidParameters
from llm_core.parameters import ParameterSpec
from tests.wire import strict
from tests.wire.calls import KEY
from tests.wire.replies import Say
from tests.wire.server import WireServer
from tests.wire.strict import anthropic, google, openai

SENT = [
    *(f"openai:{name}" for name in openai.MODELS),
    *(f"anthropic:{name}" for name in anthropic.MODELS),
    *(f"google:{name}" for name in google.MODELS),
    "cohere:command-a-03-2025",
    "cohere:command-a-reasoning-08-2025",
    "huggingface:meta-llama/Llama-3.3-70B-Instruct",
]
LOCAL = "local:smollm2-135m"
"""Previewed here; the model itself is asked in test_real_model.py."""
_WITHOUT_V1 = ("anthropic", "google", "cohere")
NEEDED = {"top_logprobs": {"logprobs": True}}
"""Without which a parameter is refused at any value."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, WireServer]]:
    """A workspace connected to every vendor, all of them played by one server that is strict for the one called."""
    with WireServer(usual=Say(text="{}")) as server, Workspace.open(tmp_path_factory.mktemp("edges")) as ws:
        server.check = False
        for provider in ("openai", "anthropic", "google", "cohere", "huggingface"):
            address = server.url if provider in _WITHOUT_V1 else server.base_url
            ws.providers.connect(provider, KEY, base_url=address)
        yield ws, server


def specs(ws: Workspace, model: str) -> dict[str, ParameterSpec]:
    return {spec.name: spec for spec in ws.parameters.spec(model)}


def edges(spec: ParameterSpec) -> list[Any]:
    match spec.kind:
        case "number" | "integer":
            told = (spec.min, spec.max, spec.default, *spec.besides)
            return [value for value in dict.fromkeys(told) if value is not None] or [7]
        case "choice":
            return list(spec.choices) or ["high"]
        case "flag":
            return [True, False]
        case "text":
            return ["Be kind.", ""]
        case "texts":
            most = int(spec.max) if spec.max is not None else 20
            return [["END"], [f"stop{number}" for number in range(most)]]
        case _ if spec.name == "safety_settings":
            return [{kind.lower(): threshold for kind in spec.kinds} for threshold in spec.choices] or [{}]
        case _:
            shaped = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
            return [*spec.choices, shaped]


def past(spec: ParameterSpec) -> list[Any]:
    match spec.kind:
        case "number" | "integer":
            step = spec.step or 1
            outside = [spec.min - step if spec.min is not None else None]
            outside += [spec.max + step if spec.max is not None else None, "much", True]
            whole = [int(each) if spec.kind == "integer" and isinstance(each, float) else each for each in outside]
            return [value for value in whole if value is not None and value not in spec.besides]
        case "choice":
            words = ("minimal", "never heard of") if spec.choices else ()
            return [3, "", *(word for word in words if word not in spec.choices)]
        case "flag":
            return ["yes", 1]
        case "text":
            return [3, ["Be kind."]]
        case "texts":
            many = [[f"stop{n}" for n in range(int(spec.max) + 1)]] if spec.max is not None else []
            return [[], [""], 3, *many, *([["  "]] if spec.not_blank else [])]
        case _ if spec.name == "safety_settings":
            return [{"harassment": "SOMEWHAT"}, {"boredom": "OFF"}, "OFF"]
        case _:
            return ["yaml", 3, *(["json_object"] if "json_object" not in spec.choices else [])]


@pytest.mark.parametrize("model", SENT)
def test_what_a_spec_allows_at_its_edges_is_sent_as_previewed_and_taken(
    place: tuple[Workspace, WireServer], model: str
) -> None:
    ws, server = place
    server.strict = model.partition(":")[0]
    for spec in specs(ws, model).values():
        for value in edges(spec) if spec.supported else ():
            asked = {spec.name: value, **NEEDED.get(spec.name, {})}
            shown = ws.parameters.preview(model, asked, "Hello?")
            assert shown.body is not None, (asked, shown.validation.errors)
            reply = ws.llm.complete("Hello?", model=model, parameters=asked)
            assert reply.text == "{}", asked
            sent = server.requests[-1]
            assert (sent.path, sent.body) == (shown.url.removeprefix(server.url), shown.body), asked


@pytest.mark.parametrize("model", SENT)
def test_what_is_past_an_edge_is_caught_before_anything_is_sent(
    place: tuple[Workspace, WireServer], model: str
) -> None:
    ws, server = place
    so_far = len(server.requests)
    for spec in specs(ws, model).values():
        for value in past(spec) if spec.supported else [edges(spec)[0]]:
            asked = {spec.name: value, **NEEDED.get(spec.name, {})}
            shown = ws.parameters.preview(model, asked, "Hello?")
            assert shown.body is None, asked
            (error, *_) = shown.validation.errors
            assert error.field == spec.name
            assert error.message
            assert error.hint, asked
            with pytest.raises(InvalidParameters):
                ws.llm.complete("Hello?", model=model, parameters=asked)
    assert len(server.requests) == so_far


def test_a_local_model_is_asked_within_the_limits_of_its_server(place: tuple[Workspace, WireServer]) -> None:
    ws, _ = place
    for spec in specs(ws, LOCAL).values():
        for value in edges(spec) if spec.supported else ():
            asked = {spec.name: value, **NEEDED.get(spec.name, {})}
            shown = ws.parameters.preview(LOCAL, asked, "Hello?", stream=True)
            assert shown.body is not None, (spec.name, value, shown.validation.errors)
            assert strict.problem(shown.url, shown.body, "local") is None, (spec.name, value)


REFUSED_TOGETHER = [
    ("anthropic:claude-sonnet-4-5", {"temperature": 0.5, "top_p": 0.9}, "top_p"),
    ("anthropic:claude-opus-4-1", {"thinking_budget": 2_000, "temperature": 0.5}, "thinking_budget"),
    ("anthropic:claude-opus-4-1", {"thinking_budget": 2_000, "top_k": 5}, "thinking_budget"),
    ("anthropic:claude-opus-4-1", {"thinking_budget": 2_000, "top_p": 0.9}, "thinking_budget"),
    ("anthropic:claude-opus-4-1", {"thinking_budget": 2_000, "max_tokens": 2_000}, "thinking_budget"),
    ("anthropic:claude-opus-4-6", {"reasoning_effort": "low", "temperature": 0.5}, "reasoning_effort"),
    ("google:gemini-2.5-flash", {"reasoning_effort": "low", "thinking_budget": 100}, "reasoning_effort"),
    ("google:gemini-3.6-flash", {"reasoning_effort": "low", "thinking_budget": 100}, "reasoning_effort"),
    ("openai:gpt-5.4", {"reasoning_effort": "low", "temperature": 0.5}, "temperature"),
    ("openai:gpt-5.1", {"reasoning_effort": "high", "top_p": 0.5}, "top_p"),
    ("openai:gpt-4.1", {"top_logprobs": 2}, "top_logprobs"),
    ("huggingface:meta-llama/Llama-3.3-70B-Instruct", {"top_logprobs": 2, "logprobs": False}, "top_logprobs"),
]
TAKEN_TOGETHER = [
    ("anthropic:claude-3-7-sonnet-20250219", {"temperature": 0.5, "top_p": 0.9}),
    (
        "anthropic:claude-3-7-sonnet-20250219",
        {"thinking_budget": 2_000, "temperature": 1, "top_p": 0.95, "max_tokens": 2_001},
    ),
    ("anthropic:claude-opus-4-5", {"reasoning_effort": "low", "temperature": 0.5}),
    ("anthropic:claude-opus-4-6", {"reasoning_effort": "none", "temperature": 0.5}),
    ("openai:gpt-5.4", {"reasoning_effort": "none", "temperature": 0.5, "logprobs": True}),
    ("openai:gpt-5.4", {"temperature": 0.5}),
    ("openai:gpt-4.1", {"max_tokens": 1}),
]


@pytest.mark.parametrize(("model", "asked", "field"), REFUSED_TOGETHER)
def test_values_that_bind_each_other_are_caught_together(
    place: tuple[Workspace, WireServer], model: str, asked: Mapping[str, Any], field: str
) -> None:
    ws, _ = place
    for name, value in asked.items() if "top_logprobs" not in asked else ():
        assert ws.parameters.validate(model, {name: value}), name
    found = ws.parameters.preview(model, asked, "Hello?")
    assert found.body is None
    assert [error.field for error in found.validation.errors] == [field]


@pytest.mark.parametrize(("model", "asked"), TAKEN_TOGETHER)
def test_values_that_bind_each_other_and_fit_are_taken(
    place: tuple[Workspace, WireServer], model: str, asked: Mapping[str, Any]
) -> None:
    ws, server = place
    server.strict = model.partition(":")[0]
    assert ws.llm.complete("Hello?", model=model, parameters=asked).text == "{}"


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(model=st.sampled_from([*SENT, LOCAL]), data=st.data())
def test_whatever_combination_is_let_through_is_documented_to_be_taken(
    place: tuple[Workspace, WireServer], model: str, data: st.DataObject
) -> None:
    ws, _ = place
    known = specs(ws, model)
    names = data.draw(st.sets(st.sampled_from(sorted(known)), max_size=6))
    asked = {name: data.draw(st.sampled_from(edges(known[name]) + past(known[name]))) for name in sorted(names)}
    tools = data.draw(st.sampled_from([None, [{"type": "function", "function": {"name": "weather"}}]]))
    choice = data.draw(st.sampled_from([None, "auto", "required", "weather"]))
    shown = ws.parameters.preview(model, asked, "Hello?", tools=tools, tool_choice=choice)
    if shown.body is None:
        assert shown.validation.errors
    else:
        assert strict.problem(shown.url, shown.body, model.partition(":")[0]) is None, (asked, choice)
