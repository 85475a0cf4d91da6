"""The Responses API: what is sent, how every kind of answer is read, and when a request goes to Chat Completions."""

from __future__ import annotations

from typing import Any

import pytest

from llm_core.errors import InvalidMessage, InvalidParameters
from llm_core.types import Audio, File, Image, Message, Text, ToolCall, ToolResult
from tests.wire.calls import WAYS, adapter_to, assert_as_expected, call, cases, request
from tests.wire.recordings import Recording, own
from tests.wire.server import WireServer

from .test_openai_chat import STRICT, TOOL


def sent(wire: WireServer, *arguments: Any, way: str = "complete", **named: Any) -> dict[str, Any]:
    with adapter_to(wire) as adapter:
        outcome = call(adapter, request(*arguments, **named), way)
    assert outcome.error is None
    assert wire.requests[-1].path == "/v1/responses"
    body: dict[str, Any] = wire.requests[-1].body
    return body


@pytest.mark.parametrize(("fixture", "way"), cases(own("openai/responses.json")))
def test_an_answer_is_read_as_it_was_meant(wire: WireServer, fixture: Recording, way: str) -> None:
    wire.script(fixture.step())
    with adapter_to(wire) as adapter:
        assert_as_expected(call(adapter, request(), way), fixture.expect)


def test_the_usual_request_goes_to_responses_and_is_not_stored(wire: WireServer) -> None:
    assert sent(wire) == {
        "model": "gpt-6-luna",
        "input": [{"role": "user", "content": "Say hello."}],
        "store": False,
    }


def test_storing_is_the_connections_choice(wire: WireServer) -> None:
    with adapter_to(wire, store=True) as adapter:
        call(adapter, request())
    assert wire.requests[-1].body["store"] is True


def test_turns_tool_calls_and_results_become_items(wire: WireServer) -> None:
    history = (
        Message("system", "Be brief."),
        Message("user", "Weather?"),
        Message("assistant", [Text("I look."), ToolCall("c1", "weather", '{"city":"Oslo"}')]),
        Message("tool", [ToolResult("c1", "rain")]),
    )
    body = sent(wire, history, tools=(TOOL,), tool_choice="weather")
    assert body["input"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Oslo"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
    ]
    assert body["tools"] == [{"type": "function", **TOOL["function"], "strict": False}]
    assert body["tool_choice"] == {"type": "function", "name": "weather"}


def test_a_tool_choice_in_the_shape_of_chat_is_translated(wire: WireServer) -> None:
    choice = {"type": "function", "function": {"name": "weather"}}
    assert sent(wire, tools=(TOOL,), tool_choice=choice)["tool_choice"] == {"type": "function", "name": "weather"}


def test_a_tool_of_the_vendors_own_is_passed_through(wire: WireServer) -> None:
    assert sent(wire, tools=({"type": "web_search"},))["tools"] == [{"type": "web_search"}]


def test_images_and_files_become_parts(wire: WireServer) -> None:
    parts = [Text("Look"), Image(url="https://example.com/a.png", detail="high"), File(b"%PDF", "application/pdf")]
    assert sent(wire, parts)["input"][0]["content"] == [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "high"},
        {"type": "input_file", "filename": "file", "file_data": "data:application/pdf;base64,JVBERg=="},
    ]


def test_every_parameter_reaches_the_wire(wire: WireServer) -> None:
    given = {
        "temperature": 0.5,
        "max_tokens": 100,
        "top_p": 0.9,
        "reasoning_effort": "low",
        "verbosity": "high",
        "service_tier": "flex",
        "logprobs": True,
        "top_logprobs": 3,
        "system": "Be kind.",
    }
    body = sent(wire, parameters=given, schema=STRICT)
    assert {name: body[name] for name in ("temperature", "top_p", "service_tier", "top_logprobs")} == {
        name: given[name] for name in ("temperature", "top_p", "service_tier", "top_logprobs")
    }
    assert body["max_output_tokens"] == 100
    assert body["reasoning"] == {"effort": "low"}
    assert body["include"] == ["message.output_text.logprobs"]
    assert body["instructions"] == "Be kind."
    assert body["text"] == {
        "verbosity": "high",
        "format": {"type": "json_schema", "name": "Colour_of_a_thing", "schema": STRICT, "strict": True},
    }


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("json_object", {"type": "json_object"}),
        (
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
            {"type": "json_schema", "name": "a", "schema": {}},
        ),
        ({"type": "text"}, {"type": "text"}),
    ],
)
def test_a_response_format_is_translated(wire: WireServer, given: Any, wanted: Any) -> None:
    assert sent(wire, parameters={"response_format": given})["text"]["format"] == wanted


@pytest.mark.parametrize(
    "only_chat", [{"stop": ("x",)}, {"n": 2}, {"seed": 1}, {"frequency_penalty": 0.5}, {"presence_penalty": 0.5}]
)
@pytest.mark.parametrize("way", WAYS)
def test_what_only_chat_completions_can_carry_goes_there(wire: WireServer, only_chat: dict[str, Any], way: str) -> None:
    with adapter_to(wire) as adapter:
        assert call(adapter, request(parameters=only_chat), way).error is None
    assert wire.requests[-1].path == "/v1/chat/completions"


def test_audio_goes_to_chat_completions(wire: WireServer) -> None:
    with adapter_to(wire) as adapter:
        assert call(adapter, request([Text("What is it?"), Audio(b"RIFF")])).error is None
    assert wire.requests[-1].path == "/v1/chat/completions"


def test_a_connection_that_insists_on_responses_refuses_the_rest(wire: WireServer) -> None:
    with adapter_to(wire, api="responses") as adapter:
        assert isinstance(call(adapter, request(parameters={"seed": 1})).error, InvalidParameters)
        assert isinstance(call(adapter, request([Audio(b"RIFF")])).error, InvalidMessage)
    assert not wire.requests
