"""Cohere: what is sent, and how every kind of answer is read, in all four ways to call; its list of models."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest

from llm_core import Workspace
from llm_core.errors import InvalidMessage, InvalidParameters, ProviderFailed
from llm_core.providers.protocol import Deadline
from llm_core.types import Audio, File, Image, Message, Text, ToolCall, ToolResult, Usage
from tests.wire.calls import STREAM_WAYS, adapter_to, assert_as_expected, call, cases, request
from tests.wire.recordings import Recording, own, recorded
from tests.wire.replies import Raw, Say
from tests.wire.server import WireServer

from .test_openai_chat import PNG, STRICT, TOOL

RECORDED = recorded("cohere-v2-chat")
FAILED = [recording for recording in RECORDED if recording.sdk_usage == {}]


def sent(wire: WireServer, *arguments: Any, way: str = "complete", **named: Any) -> dict[str, Any]:
    """The body that one request puts on the wire, after the replay server has checked it as Cohere would."""
    with adapter_to(wire, "cohere") as adapter:
        outcome = call(adapter, request(*arguments, **{"model": "command-a", **named}), way)
    assert outcome.error is None
    body: dict[str, Any] = wire.requests[-1].body
    return body


@pytest.mark.parametrize(("fixture", "way"), cases(own("cohere/chat.json")))
def test_an_answer_is_read_as_it_was_meant(wire: WireServer, fixture: Recording, way: str) -> None:
    wire.script(fixture.step())
    with adapter_to(wire, "cohere") as adapter:
        assert_as_expected(call(adapter, request(), way), fixture.expect)


@pytest.mark.parametrize(("recording", "way"), cases(r for r in RECORDED if r not in FAILED))
def test_a_recorded_answer_is_read_as_the_sdk_read_it(wire: WireServer, recording: Recording, way: str) -> None:
    wire.script(recording.step())
    with adapter_to(wire, "cohere") as adapter:
        outcome = call(adapter, request(), way)
    assert outcome.error is None
    assert outcome.answer.text == recording.sdk_text
    told: Any = recording.sdk_usage
    billed = told["billed_units"]
    assert outcome.answer.usage == Usage(
        input_tokens=int(billed["input_tokens"]),
        cache_read_tokens=int(min(told.get("cached_tokens", 0), billed["input_tokens"])),
        output_tokens=int(billed["output_tokens"]),
    )
    if "stream" in way:
        assert "".join(piece.text for piece in outcome.pieces) == recording.sdk_text


@pytest.mark.parametrize(("recording", "way"), cases(FAILED))
def test_a_recorded_stream_that_failed_is_an_error_though_its_status_was_200(
    wire: WireServer, recording: Recording, way: str
) -> None:
    wire.script(recording.step())
    with adapter_to(wire, "cohere") as adapter:
        outcome = call(adapter, request(), way)
    assert isinstance(outcome.error, ProviderFailed)
    assert "invalid tool generation" in str(outcome.error)
    assert outcome.answer.reasoning.startswith("I will first inspect the tables")
    assert outcome.answer.usage is None


def test_a_bill_above_what_was_seen_is_told(wire: WireServer, caplog: pytest.LogCaptureFixture) -> None:
    (fixture,) = [each for each in own("cohere/chat.json") if each.id == "billed more than seen"]
    wire.script(fixture.step())
    with adapter_to(wire, "cohere") as adapter:
        answer = call(adapter, request()).answer
    assert answer.raw_usage == fixture.response["body"]["usage"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_usage_of_an_answer_that_timed_out_is_kept(wire: WireServer) -> None:
    (fixture,) = [each for each in own("cohere/errors.json") if each.id == "200 that took too long"]
    wire.script(fixture.step())
    with adapter_to(wire, "cohere") as adapter:
        outcome = call(adapter, request())
    assert outcome.error is not None
    assert (outcome.answer.text, outcome.answer.usage) == ("One", Usage(input_tokens=4, output_tokens=1))


def test_the_least_that_can_be_sent(wire: WireServer) -> None:
    assert sent(wire) == {"model": "command-a", "messages": [{"role": "user", "content": "Say hello."}]}


def test_system_turns_and_images_are_sent_in_order(wire: WireServer) -> None:
    history = (
        Message("system", "Be brief."),
        Message("user", [Text("Hi"), Text(".")]),
        Message("assistant", "Hi!"),
        Message("user", [Text("And?"), Image(data=PNG, detail="low"), Image(url="https://example.com/a.png")]),
    )
    body = sent(wire, history, parameters={"system": "Be kind."})
    encoded = base64.b64encode(PNG).decode()
    assert body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hi!"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "And?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            ],
        },
    ]


def test_tools_their_calls_and_results_are_sent(wire: WireServer) -> None:
    history = (
        Message("user", "Weather?"),
        Message("assistant", [Text("I look."), ToolCall("c1", "weather", '{"city":"Oslo"}')]),
        Message("tool", [ToolResult("c1", "rain")]),
    )
    bare = {"type": "function", "function": {"name": "now", "strict": True}}
    body = sent(wire, history, tools=(TOOL, bare))
    assert body["tools"] == [
        TOOL,
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
    ]
    assert "strict_tools" not in body
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ]
    assert sent(wire, tools=(bare,))["strict_tools"] is True


@pytest.mark.parametrize(
    ("choice", "theirs", "offered"),
    [
        ("auto", None, ["weather", "now"]),
        ("none", "NONE", ["weather", "now"]),
        ("required", "REQUIRED", ["weather", "now"]),
        ("now", "REQUIRED", ["now"]),
        ({"type": "function", "function": {"name": "weather"}}, "REQUIRED", ["weather"]),
    ],
)
def test_a_tool_choice_is_translated(wire: WireServer, choice: Any, theirs: str | None, offered: list[str]) -> None:
    """Cohere cannot be told which tool: then no other is offered."""
    body = sent(wire, tools=(TOOL, {"type": "function", "function": {"name": "now"}}), tool_choice=choice)
    assert body.get("tool_choice") == theirs
    assert [tool["function"]["name"] for tool in body["tools"]] == offered


def test_a_schema_and_formats_are_sent(wire: WireServer) -> None:
    wanted = {"type": "json_object", "json_schema": STRICT}
    assert sent(wire, schema=STRICT)["response_format"] == wanted
    openais = {"type": "json_schema", "json_schema": {"name": "a", "schema": STRICT}}
    for given, theirs in ((openais, wanted), (wanted, wanted), ("json_object", {"type": "json_object"})):
        assert sent(wire, parameters={"response_format": given})["response_format"] == theirs


def test_every_other_parameter_reaches_the_wire(wire: WireServer) -> None:
    given = {
        "temperature": 0.0,
        "max_tokens": 100,
        "top_p": 0.9,
        "top_k": 5,
        "seed": 7,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "stop": ("END",),
        "logprobs": True,
    }
    body = sent(wire, parameters=given)
    assert body["stop_sequences"] == ["END"]
    assert (body["p"], body["k"]) == (0.9, 5)
    same = set(given) - {"top_p", "top_k", "stop"}
    assert {name: body[name] for name in same} == {name: given[name] for name in same}


@pytest.mark.parametrize(
    ("budget", "thinking"),
    [(0, {"type": "disabled"}), (-1, {"type": "enabled"}), (500, {"type": "enabled", "token_budget": 500})],
)
def test_thinking_is_asked_for(wire: WireServer, budget: int, thinking: Any) -> None:
    assert sent(wire, parameters={"thinking_budget": budget})["thinking"] == thinking


def test_log_probabilities_are_kept(wire: WireServer) -> None:
    entry = {"text": "Hi", "token_ids": [1], "logprobs": [-0.1]}
    message = {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}
    wire.script(Raw(body={"id": "c", "finish_reason": "COMPLETE", "message": message, "logprobs": [entry]}))
    delta = '{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}},"logprobs":'
    ends = 'data: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}'
    wire.script(Raw(events=[f'data: {delta}{{"text":"Hi","token_ids":[1],"logprobs":[-0.1]}}}}', ends]))
    with adapter_to(wire, "cohere") as adapter:
        for way in ("complete", "stream"):
            assert call(adapter, request(), way).answer.logprobs == [entry]


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ({"n": 2}, {}),
        ({"reasoning_effort": "low"}, {}),
        ({"service_tier": "flex"}, {}),
        ({"response_format": {"type": "json_schema"}}, {}),
        ({}, {"tools": ({"type": "web_search"},)}),
        ({}, {"tools": (TOOL,), "tool_choice": "no_such_tool"}),
    ],
)
def test_what_has_no_place_is_refused_before_anything_is_sent(wire: WireServer, given: Any, more: Any) -> None:
    with adapter_to(wire, "cohere") as adapter:
        outcome = call(adapter, request(parameters=given, **more))
    assert isinstance(outcome.error, InvalidParameters)
    assert not wire.requests


@pytest.mark.parametrize(
    "prompt",
    [
        (Message("tool", "no result"),),
        (Message("system", [Image(data=PNG)]),),
        (Message("user", [ToolCall("c", "f", "{}")]),),
        (Message("user", [Audio(b"RIFF")]),),
        (Message("user", [File(b"%PDF", "application/pdf")]),),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused(wire: WireServer, prompt: tuple[Message, ...]) -> None:
    with adapter_to(wire, "cohere") as adapter:
        assert isinstance(call(adapter, request(prompt)).error, InvalidMessage)
    assert not wire.requests


@pytest.mark.parametrize("way", STREAM_WAYS)
def test_a_stream_is_asked_for(wire: WireServer, way: str) -> None:
    assert sent(wire, way=way)["stream"] is True


def test_models_are_listed_page_by_page(wire: WireServer) -> None:
    command = {
        "name": "command-a-03-2025",
        "endpoints": ["chat", "rate"],
        "features": ["tools", "vision", "json_schema", "safety_modes"],
        "context_length": 288000.0,
        "is_deprecated": True,
    }
    embed = {"name": "embed-v4.0", "endpoints": ["embed"], "features": None, "context_length": 128000.0}
    wire.script(Raw(body={"models": [embed, command], "next_page_token": "a b"}), Raw(body={"models": [{"name": "x"}]}))
    with adapter_to(wire, "cohere") as adapter:
        chat, vectors, unknown = adapter.list_models(Deadline(20))
    assert [asked.path for asked in wire.requests] == [
        "/v1/models?page_size=1000",
        "/v1/models?page_size=1000&page_token=a%20b",
    ]
    assert (chat.id, chat.context_window, chat.lifecycle) == ("test:command-a-03-2025", 288_000, "deprecated")
    assert chat.capabilities == {"chat", "tools", "images", "schema"}
    assert (vectors.capabilities, vectors.modalities) == ({"embeddings"}, {"text"})
    assert (unknown.capabilities, unknown.lifecycle) == (frozenset(), None)


def test_a_listing_and_a_call_through_the_workspace_are_kept_and_priced(wire: WireServer, ws: Workspace) -> None:
    wire.models = ["command-a-03-2025"]
    ws.providers.connect("cohere", "made-up-key-of-cohere-0123456789abcdef", base_url=wire.url)
    (model,) = ws.models.refresh("cohere")
    assert (model.lifecycle, model.context_window) == ("active", 288_000)
    wire.usual = Say(text="Hi.", usage=Usage(input_tokens=1_000, cache_read_tokens=400, output_tokens=100))
    reply = ws.llm.complete("Hi.", model="cohere:command-a-03-2025")
    assert reply.text == "Hi."
    assert str(reply.cost_usd) == "0.0035000000"  # 1,000 at 2.5 and 100 at 10 dollars a million
