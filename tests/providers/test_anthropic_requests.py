"""Anthropic: what is sent for every kind of request, and what is refused before anything is."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from llm_core.errors import InvalidConnection, InvalidMessage, InvalidParameters
from llm_core.providers.anthropic_messages import ANSWER_TOKENS, DEFAULT_MAX_TOKENS
from llm_core.types import Audio, File, Image, Message, Text, ToolCall, ToolResult
from tests.wire.calls import STREAM_WAYS, WAYS, adapter_to, call, request
from tests.wire.replies import Say
from tests.wire.server import WireServer

from .test_openai_chat import PNG, TOOL

SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0}, "pet": {"type": ["string", "null"]}},
    "required": ["age"],
}


def sent(wire: WireServer, *arguments: Any, way: str = "complete", options: Any = None, **named: Any) -> dict[str, Any]:
    """The body that one request puts on the wire, after the replay server has checked it as Anthropic would."""
    with adapter_to(wire, "anthropic", **(options or {})) as adapter:
        outcome = call(adapter, request(*arguments, **{"model": "claude-sonnet-5", **named}), way)
    assert outcome.error is None
    body: dict[str, Any] = wire.requests[-1].body
    return body


def test_the_least_that_can_be_sent(wire: WireServer) -> None:
    assert sent(wire) == {
        "model": "claude-sonnet-5",
        "max_tokens": DEFAULT_MAX_TOKENS,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Say hello."}]}],
    }


def test_system_messages_that_lead_stand_apart_and_turns_follow(wire: WireServer) -> None:
    history = (
        Message("system", "Be brief."),
        Message("user", "Hi."),
        Message("assistant", "Hi!"),
        Message("system", "It is night."),
        Message("user", [Text(""), Text("And "), Text("now?")]),
    )
    body = sent(wire, history, parameters={"system": "Be kind."})
    assert body["system"] == "Be kind.\n\nBe brief."
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "system", "user"]
    assert body["messages"][-1]["content"] == [{"type": "text", "text": "And "}, {"type": "text", "text": "now?"}]


def test_images_and_documents_become_blocks(wire: WireServer) -> None:
    parts = [
        Text("Look: "),
        Image(data=PNG),
        Image(url="https://example.com/a.png"),
        File(b"%PDF", "application/pdf", "a.pdf"),
        File("é,1".encode(), "text/csv", "a.csv"),
    ]
    content = sent(wire, parts)["messages"][0]["content"]
    encoded = base64.b64encode(PNG).decode()
    assert content[1:] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": encoded}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
            "title": "a.pdf",
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "é,1"}, "title": "a.csv"},
    ]


def test_tools_their_calls_and_results_are_converted(wire: WireServer) -> None:
    history = (
        Message("user", "Weather in Oslo and Rome?"),
        Message(
            "assistant", [Text("I look."), ToolCall("c1", "weather", '{"city":"Oslo"}'), ToolCall("c2", "weather", "")]
        ),
        Message("tool", [ToolResult("c1", "rain")]),
        Message("tool", [ToolResult("c2", "sun")]),
        Message("user", "So?"),
    )
    described = {"type": "function", "function": {"name": "now", "description": "The time.", "strict": True}}
    body = sent(wire, history, tools=(TOOL, described, {"type": "web_search_20260318", "name": "web_search"}))
    assert body["tools"] == [
        {"name": "weather", "input_schema": TOOL["function"]["parameters"]},  # type: ignore[index]
        {"name": "now", "description": "The time.", "strict": True, "input_schema": {"type": "object"}},
        {"type": "web_search_20260318", "name": "web_search"},
    ]
    assert body["messages"][1]["content"] == [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "c2", "name": "weather", "input": {}},
    ]
    assert body["messages"][2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "c1", "content": "rain"},
            {"type": "tool_result", "tool_use_id": "c2", "content": "sun"},
            {"type": "text", "text": "So?"},
        ],
    }


@pytest.mark.parametrize(
    ("choice", "theirs"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ("weather", {"type": "tool", "name": "weather"}),
        ({"type": "function", "function": {"name": "weather"}}, {"type": "tool", "name": "weather"}),
        ({"type": "any", "disable_parallel_tool_use": True}, {"type": "any", "disable_parallel_tool_use": True}),
    ],
)
def test_a_tool_choice_is_translated(wire: WireServer, choice: Any, theirs: Any) -> None:
    assert sent(wire, tools=(TOOL,), tool_choice=choice)["tool_choice"] == theirs


@pytest.mark.parametrize("way", WAYS)
def test_thinking_goes_back_with_the_calls_it_led_to(wire: WireServer, way: str) -> None:
    """Anthropic refuses a call of a tool, after thinking, without that thinking and its signature."""
    wire.script(Say(text="I look.", reasoning="Where? Oslo.", tool_calls=(("c1", "weather", '{"city": "Oslo"}'),)))
    thinks = {"thinking_budget": 2000}
    with adapter_to(wire, "anthropic") as adapter:
        first = call(adapter, request(tools=(TOOL,), parameters=thinks), way).answer
        history = (
            Message("user", "Weather?"),
            Message("assistant", [Text(first.text), *first.tool_calls]),
            Message("tool", [ToolResult("c1", "rain")]),
        )
        assert call(adapter, request(history, tools=(TOOL,), parameters=thinks), way).error is None
    kept = wire.requests[-1].body["messages"][1]["content"][0]
    assert kept == {"type": "thinking", "thinking": "Where? Oslo.", "signature": "c2lnbmVk"}
    assert "Oslo" not in repr(first.tool_calls[0]).replace(first.tool_calls[0].arguments, "")


@pytest.mark.parametrize("opaque", ["", "signature of Gemini", "7", '{"anthropic": 7}', '{"google": "AbC="}'])
def test_what_another_provider_wants_back_is_left_out(wire: WireServer, opaque: str) -> None:
    history = (
        Message("user", "Weather?"),
        Message("assistant", [ToolCall("c1", "weather", "{}", opaque)]),
        Message("tool", [ToolResult("c1", "rain")]),
    )
    content = sent(wire, history, tools=(TOOL,))["messages"][1]["content"]
    assert content == [{"type": "tool_use", "id": "c1", "name": "weather", "input": {}}]


def test_a_schema_is_closed_and_its_limits_told_in_words(wire: WireServer) -> None:
    form = sent(wire, schema={"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}})
    assert form["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {"age": {"type": "integer", "description": "{minimum: 0}"}},
            "additionalProperties": False,
        },
    }


def test_a_schema_that_the_sdk_cannot_read_goes_as_it_is(wire: WireServer) -> None:
    closed = {**SCHEMA, "additionalProperties": False}
    assert sent(wire, schema=closed)["output_config"]["format"]["schema"] == closed


def test_a_response_format_in_openais_shape_is_taken(wire: WireServer) -> None:
    given = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "string"}}}
    form = sent(wire, parameters={"response_format": given})["output_config"]["format"]
    assert form == {"type": "json_schema", "schema": {"type": "string"}}
    assert "output_config" not in sent(wire, parameters={"response_format": "text"})


def test_every_other_parameter_reaches_the_wire(wire: WireServer) -> None:
    given = {"temperature": 0.0, "top_p": 0.9, "top_k": 5, "max_tokens": 100, "stop": ("END",), "service_tier": "auto"}
    body = sent(wire, parameters=given)
    assert {name: body[name] for name in ("temperature", "top_p", "top_k", "max_tokens", "service_tier")} == {
        "temperature": 0.0,
        "top_p": 0.9,
        "top_k": 5,
        "max_tokens": 100,
        "service_tier": "auto",
    }
    assert body["stop_sequences"] == ["END"]
    assert sent(wire, parameters={"service_tier": "standard"})["service_tier"] == "standard_only"


ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("given", "model", "thinking", "effort"),
    [
        ({"reasoning_effort": "high"}, "claude-sonnet-5", ADAPTIVE, "high"),
        ({"reasoning_effort": "low"}, "claude-opus-4-5-20251101", None, "low"),
        ({"reasoning_effort": "none"}, "claude-sonnet-5", {"type": "disabled"}, None),
        ({"thinking_budget": 0}, "claude-sonnet-5", {"type": "disabled"}, None),
        ({"thinking_budget": -1}, "claude-sonnet-5", ADAPTIVE, None),
        (
            {"thinking_budget": 2048, "reasoning_effort": "max"},
            "claude-opus-4-5",
            {"type": "enabled", "budget_tokens": 2048, "display": "summarized"},
            "max",
        ),
    ],
)
def test_thinking_is_asked_for(wire: WireServer, given: Any, model: str, thinking: Any, effort: str | None) -> None:
    body = sent(wire, model=model, parameters=given)
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == effort


def test_a_budget_leaves_room_for_the_answer(wire: WireServer) -> None:
    assert sent(wire, parameters={"thinking_budget": 2048})["max_tokens"] == DEFAULT_MAX_TOKENS
    assert sent(wire, parameters={"thinking_budget": 30_000})["max_tokens"] == 30_000 + ANSWER_TOKENS


def test_a_tool_without_a_name_is_refused(wire: WireServer) -> None:
    nameless = {"type": "function", "function": {"parameters": {}}}
    with adapter_to(wire, "anthropic") as adapter:
        for more in ({"tools": (nameless,)}, {"tools": (TOOL,), "tool_choice": nameless}):
            assert isinstance(call(adapter, request(**more)).error, InvalidParameters)
    assert not wire.requests


@pytest.mark.parametrize(
    "given",
    [
        {"seed": 1},
        {"n": 2},
        {"frequency_penalty": 0.1},
        {"logprobs": True},
        {"verbosity": "low"},
        {"response_format": "json_object"},
        {"response_format": {"type": "json_schema"}},
        {"reasoning_effort": "none", "thinking_budget": 2000},
    ],
)
def test_a_parameter_without_a_place_is_refused_before_anything_is_sent(wire: WireServer, given: Any) -> None:
    with adapter_to(wire, "anthropic") as adapter:
        outcome = call(adapter, request(parameters=given))
    assert isinstance(outcome.error, InvalidParameters)
    assert not wire.requests
    assert not outcome.answer.sent


@pytest.mark.parametrize(
    "prompt",
    [
        (Message("user", ""),),
        (Message("tool", "no result"),),
        (Message("system", [Image(data=PNG)]),),
        (Message("assistant", [Image(data=PNG)]),),
        (Message("user", [ToolCall("c", "f", "{}")]),),
        (Message("assistant", [ToolCall("c", "f", "{broken")]),),
        (Message("assistant", [ToolCall("c", "f", "[1]")]),),
        (Message("user", [Image()]),),
        (Message("user", [Image(data=b"..", media_type="image/tiff")]),),
        (Message("user", [Audio(b"RIFF")]),),
        (Message("user", [File(b"..", "application/zip")]),),
        (Message("user", [File(b"\xff\xfe", "text/plain")]),),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused(wire: WireServer, prompt: tuple[Message, ...]) -> None:
    with adapter_to(wire, "anthropic") as adapter:
        assert isinstance(call(adapter, request(prompt)).error, InvalidMessage)
    assert not wire.requests


@pytest.mark.parametrize("way", STREAM_WAYS)
def test_a_stream_is_asked_for(wire: WireServer, way: str) -> None:
    assert sent(wire, way=way)["stream"] is True


def test_caching_is_the_connections_choice(wire: WireServer) -> None:
    assert sent(wire, options={"cache": "1h"})["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    with pytest.raises(InvalidConnection), adapter_to(wire, "anthropic", cache="2h"):
        pass
