"""Chat Completions: what is sent, and how every kind of answer is read, in all four ways to call."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from llm_core.errors import InvalidInput, InvalidMessage, InvalidParameters
from llm_core.types import Audio, File, Image, Message, Text, ToolCall, ToolResult
from tests.wire.calls import STREAM_WAYS, WAYS, adapter_to, assert_as_expected, call, cases, request
from tests.wire.recordings import Recording, own
from tests.wire.replies import Say
from tests.wire.server import WireServer

PNG = b"\x89PNG made up"
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
STRICT = {
    "title": "Colour of a thing",
    "type": "object",
    "properties": {"colour": {"type": "string"}},
    "required": ["colour"],
    "additionalProperties": False,
}


def sent(wire: WireServer, *arguments: Any, way: str = "complete", **named: Any) -> dict[str, Any]:
    """The body that one request puts on the wire, after the replay server has checked it as OpenAI would."""
    with adapter_to(wire, api="chat") as adapter:
        outcome = call(adapter, request(*arguments, **named), way)
    assert outcome.error is None
    body: dict[str, Any] = wire.requests[-1].body
    return body


@pytest.mark.parametrize(("fixture", "way"), cases(own("openai/chat.json")))
def test_an_answer_is_read_as_it_was_meant(wire: WireServer, fixture: Recording, way: str) -> None:
    wire.script(fixture.step())
    with adapter_to(wire, api="chat") as adapter:
        assert_as_expected(call(adapter, request(), way), fixture.expect)


def test_token_counts_that_do_not_add_up_are_told_and_kept(wire: WireServer, caplog: pytest.LogCaptureFixture) -> None:
    odd = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 99}
    body = {"model": "m", "choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}], "usage": odd}
    wire.script(Recording("odd", "", {}, {"body": body}).step())
    with adapter_to(wire, api="chat") as adapter:
        answer = call(adapter, request()).answer
    assert "do not add up" in caplog.text
    assert answer.raw_usage == odd
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (10, 5)


def test_system_and_turns_are_sent_in_order(wire: WireServer) -> None:
    history = (
        Message("system", "Be brief."),
        Message("user", "Hi."),
        Message("assistant", "Hi!"),
        Message("user", "?"),
    )
    assert sent(wire, history)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": "?"},
    ]


def test_the_system_parameter_comes_first(wire: WireServer) -> None:
    assert sent(wire, parameters={"system": "Be kind."})["messages"][0] == {"role": "system", "content": "Be kind."}


def test_images_files_and_audio_become_parts(wire: WireServer) -> None:
    parts = [
        Text("Look: "),
        Image(data=PNG, detail="low"),
        Image(url="https://example.com/a.png"),
        File(b"%PDF", "application/pdf", "a.pdf"),
        Audio(b"RIFF", "audio/x-wav"),
    ]
    content = sent(wire, parts)["messages"][0]["content"]
    encoded = base64.b64encode(PNG).decode()
    assert content == [
        {"type": "text", "text": "Look: "},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]


def test_several_texts_without_anything_else_stay_text(wire: WireServer) -> None:
    assert sent(wire, [Text("a"), Text("b")])["messages"][0]["content"] == "ab"


def test_tools_their_calls_and_results_are_sent(wire: WireServer) -> None:
    history = (
        Message("user", "Weather in Oslo and Rome?"),
        Message("assistant", [ToolCall("c1", "weather", '{"city":"Oslo"}'), ToolCall("c2", "weather", "{}")]),
        Message("tool", [ToolResult("c1", "rain"), ToolResult("c2", "sun")]),
    )
    body = sent(wire, history, tools=(TOOL,), tool_choice="weather")
    assert body["tools"] == [TOOL]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert body["messages"][1]["content"] is None
    assert body["messages"][1]["tool_calls"][0] == {
        "id": "c1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
    }
    assert body["messages"][2:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "tool", "tool_call_id": "c2", "content": "sun"},
    ]


@pytest.mark.parametrize("choice", ["auto", "none", "required", {"type": "function", "function": {"name": "weather"}}])
def test_a_tool_choice_of_the_api_is_passed_through(wire: WireServer, choice: Any) -> None:
    assert sent(wire, tools=(TOOL,), tool_choice=choice)["tool_choice"] == choice


def test_a_schema_that_can_be_strict_is(wire: WireServer) -> None:
    form = sent(wire, schema=STRICT)["response_format"]
    assert form == {
        "type": "json_schema",
        "json_schema": {"name": "Colour_of_a_thing", "schema": STRICT, "strict": True},
    }


@pytest.mark.parametrize(
    "loose",
    [
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {**STRICT, "required": []},
        {**STRICT, "properties": {"colour": {"type": "object", "properties": {}}}},
    ],
)
def test_a_schema_with_optional_fields_is_not_strict(wire: WireServer, loose: dict[str, Any]) -> None:
    assert sent(wire, schema=loose)["response_format"]["json_schema"]["strict"] is False


def test_every_parameter_reaches_the_wire(wire: WireServer) -> None:
    given = {
        "temperature": 0.5,
        "max_tokens": 100,
        "top_p": 0.9,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "seed": 7,
        "stop": ("END",),
        "n": 2,
        "response_format": "json_object",
        "reasoning_effort": "low",
        "verbosity": "high",
        "service_tier": "flex",
        "logprobs": True,
        "top_logprobs": 3,
    }
    body = sent(wire, parameters=given)
    same = set(given) - {"max_tokens", "stop", "response_format"}
    assert {name: body[name] for name in same} == {name: given[name] for name in same}
    assert body["max_completion_tokens"] == 100
    assert body["stop"] == ["END"]
    assert body["response_format"] == {"type": "json_object"}


def test_zero_and_false_are_sent_and_nothing_is_not(wire: WireServer) -> None:
    body = sent(wire, parameters={"temperature": 0.0, "logprobs": False})
    assert body["temperature"] == 0.0
    assert body["logprobs"] is False
    assert set(body) == {"model", "messages", "temperature", "logprobs"}


def test_a_parameter_without_a_place_is_refused_before_anything_is_sent(wire: WireServer) -> None:
    with adapter_to(wire, api="chat") as adapter:
        outcome = call(adapter, request(parameters={"top_k": 5}))
    assert isinstance(outcome.error, InvalidParameters)
    assert "top_k" in str(outcome.error)
    assert not wire.requests
    assert not outcome.answer.sent


@pytest.mark.parametrize("way", STREAM_WAYS)
def test_a_stream_always_asks_for_usage(wire: WireServer, way: str) -> None:
    assert sent(wire, way=way)["stream_options"] == {"include_usage": True}


def test_log_probabilities_are_kept(wire: WireServer) -> None:
    entry = {"token": "Hi", "logprob": -0.1, "top_logprobs": []}
    choice = {"message": {"content": "Hi"}, "finish_reason": "stop", "logprobs": {"content": [entry]}}
    wire.script(Recording("", "", {}, {"body": {"model": "m", "choices": [choice]}}).step())
    with adapter_to(wire, api="chat") as adapter:
        assert call(adapter, request(parameters={"logprobs": True})).answer.logprobs == [entry]


def test_nan_in_an_answer_is_read(wire: WireServer) -> None:
    body = (
        '{"model": "m", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop", "logprobs": {"x": NaN}}]}'
    )
    wire.script(Recording("", "", {}, {"body": body}).step())
    with adapter_to(wire, api="chat") as adapter:
        assert call(adapter, request()).answer.text == "Hi"


@pytest.mark.parametrize("way", WAYS)
def test_further_choices_are_kept_apart(wire: WireServer, way: str) -> None:
    wire.script(Say(text="Red.", others=("Blue.", "Green.")))
    with adapter_to(wire, api="chat") as adapter:
        answer = call(adapter, request(parameters={"n": 3}), way).answer
    assert (answer.text, answer.alternatives) == ("Red.", ["Blue.", "Green."])


@pytest.mark.parametrize(
    "prompt",
    [
        (Message("tool", "no result"),),
        (Message("system", [Image(data=PNG)]),),
        (Message("assistant", [Image(data=PNG)]),),
        (Message("user", [ToolCall("c", "f", "{}")]),),
        (Message("user", [Image()]),),
        (Message("user", [Audio(b"..", "audio/flac")]),),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused(wire: WireServer, prompt: tuple[Message, ...]) -> None:
    with adapter_to(wire, api="chat") as adapter:
        assert isinstance(call(adapter, request(prompt)).error, InvalidMessage)
    assert not wire.requests


def test_what_json_cannot_hold_is_the_callers_mistake(wire: WireServer) -> None:
    with adapter_to(wire, api="chat") as adapter:
        outcome = call(adapter, request(tools=({"type": "function", "function": {"name": object()}},)))
    assert isinstance(outcome.error, InvalidInput)


def test_letters_of_all_kinds_arrive_unchanged(wire: WireServer) -> None:
    text = 'Grüße 世界 🌍 "quoted" \\ \x00 \n end'
    assert sent(wire, text)["messages"][0]["content"] == text
    assert json.dumps(wire.requests[-1].body, ensure_ascii=False)
