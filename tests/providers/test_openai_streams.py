"""Streams that do not end as they should: cut at every event, stopped by the caller, broken by an error or nonsense."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from llm_core.errors import ConnectionBroken, ProviderFailed, RateLimited, TimedOut, UnreadableAnswer
from llm_core.providers.protocol import Answer
from llm_core.types import Usage
from tests.waiting import until
from tests.wire import openai_chat, openai_responses
from tests.wire.calls import STREAM_WAYS, adapter_to, call, request
from tests.wire.replies import Raw, Say
from tests.wire.server import Received, WireServer

WHOLE = Say(
    text="One two three.",
    reasoning="Let me count.",
    tool_calls=(("call_a", "count", '{"to": 3}'),),
    usage=Usage(input_tokens=20, output_tokens=30, reasoning_tokens=6),
)
APIS = {"chat": openai_chat, "responses": openai_responses}


def events_of(api: str) -> list[str]:
    form: Any = APIS[api]
    return form.events(WHOLE, {"model": "m", "stream_options": {"include_usage": True}})  # type: ignore[no-any-return]


CUTS = [
    pytest.param(api, number, reset, id=f"{api}-{number}{'-reset' if reset else ''}")
    for api in APIS
    for number in range(len(events_of(api)))
    for reset in (False, True)
]


@pytest.mark.parametrize("way", STREAM_WAYS)
@pytest.mark.parametrize(("api", "number", "reset"), CUTS)
def test_a_cut_after_any_event_keeps_what_came(wire: WireServer, api: str, number: int, reset: bool, way: str) -> None:
    wire.script(Say(**{**vars(WHOLE), "cut_after": number, "reset": reset}))
    with adapter_to(wire, api=api) as adapter:
        outcome = call(adapter, request(), way)
    assert isinstance(outcome.error, ConnectionBroken)
    assert outcome.error.__cause__ is None
    assert outcome.error.__context__ is None
    answer = outcome.answer
    assert WHOLE.text.startswith(answer.text)
    assert WHOLE.reasoning.startswith(answer.reasoning)
    assert "".join(piece.text for piece in outcome.pieces) == answer.text
    # A reset may overtake what was sent before it; an orderly end may not.
    if not reset:
        assert answer.text == sent_text(api, number)
        assert answer.request_id == "req_wire"
    assert answer.sent


@pytest.mark.parametrize("way", STREAM_WAYS)
@pytest.mark.parametrize("api", APIS)
def test_a_body_that_ends_too_soon_in_good_order_is_broken_too(wire: WireServer, api: str, way: str) -> None:
    some = [event for event in events_of(api) if 'finish_reason":"' not in event and "completed" not in event]
    for number in range(len(some)):
        wire.script(Raw(events=[event for event in some[:number] if "[DONE]" not in event]))
        with adapter_to(wire, api=api) as adapter:
            assert isinstance(call(adapter, request(), way).error, ConnectionBroken)


def test_usage_that_came_before_the_cut_is_kept(wire: WireServer) -> None:
    events = events_of("chat")
    wire.script(Say(**{**vars(WHOLE), "cut_after": len(events) - 1}))
    with adapter_to(wire, api="chat") as adapter:
        outcome = call(adapter, request(), "stream")
    assert isinstance(outcome.error, ConnectionBroken)
    assert outcome.answer.usage == WHOLE.usage
    assert outcome.answer.finish == "tool_calls"


@pytest.mark.parametrize("api", APIS)
def test_a_partial_tool_call_is_kept(wire: WireServer, api: str) -> None:
    events = events_of(api)
    last = max(number for number, event in enumerate(events) if "arguments" in event and "delta" in event)
    wire.script(Say(**{**vars(WHOLE), "cut_after": last}))
    with adapter_to(wire, api=api) as adapter:
        outcome = call(adapter, request(), "stream")
    (partial,) = outcome.answer.tool_calls
    assert (partial.id, partial.name) == ("call_a", "count")
    assert '{"to": 3}'.startswith(partial.arguments)


@pytest.mark.parametrize("api", APIS)
def test_a_stop_closes_the_wire_and_keeps_what_came(wire: WireServer, api: str) -> None:
    wire.script(Say(text="One two three four.", hold_after=4))
    with adapter_to(wire, api=api) as adapter:
        answer = Answer()
        stream = adapter.stream(request(), answer)
        first = next(stream).text
        stream.close()  # type: ignore[attr-defined]
        until(lambda: wire.requests[0].ended == "left")
        assert first
        assert answer.text.startswith(first)
        assert answer.usage is None
        assert adapter.estimate_usage(request(), answer) is not None


@pytest.mark.parametrize("api", APIS)
def test_an_async_stop_closes_the_wire(wire: WireServer, api: str) -> None:
    wire.script(Say(text="One two three four.", hold_after=4))
    answer = Answer()

    async def stop_early(stream: Any) -> None:
        await anext(stream)
        await stream.aclose()

    with adapter_to(wire, api=api) as adapter:
        asyncio.run(stop_early(adapter.astream(request(), answer)))
        until(lambda: wire.requests[0].ended == "left")
    assert answer.text


@pytest.mark.parametrize("streamed", [True, False])
def test_a_cancelled_task_closes_the_wire(wire: WireServer, streamed: bool) -> None:
    wire.script(Say(text="One two three four.", hold_after=4))

    async def cancel(adapter: Any) -> None:
        async def consume() -> None:
            if streamed:
                async for _ in adapter.astream(request(), Answer()):
                    pass
            else:
                await adapter.acomplete(request(), Answer())

        task = asyncio.create_task(consume())
        while not wire.requests:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with adapter_to(wire) as adapter:
        asyncio.run(cancel(adapter))
        until(lambda: wire.requests[0].ended == "left")


@pytest.mark.parametrize("way", STREAM_WAYS)
@pytest.mark.parametrize(
    ("api", "broken", "kind"),
    [
        ("chat", 'data: {"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}', RateLimited),
        ("chat", 'event: error\ndata: {"error": {"message": "Lost.", "type": "server_error"}}', ProviderFailed),
        ("responses", 'data: {"type": "error", "code": "server_error", "message": "Lost."}', ProviderFailed),
        ("responses", 'data: {"type": "error", "error": {"code": "rate_limit_exceeded", "message": "."}}', RateLimited),
        (
            "responses",
            "data: "
            + json.dumps(
                {
                    "type": "response.failed",
                    "response": {"status": "failed", "error": {"code": "server_error", "message": "Lost."}},
                }
            ),
            ProviderFailed,
        ),
        ("chat", "data: {not json", UnreadableAnswer),
        ("chat", "data: 7", UnreadableAnswer),
        ("chat", 'data: {"choices": [7]}', UnreadableAnswer),
        ("responses", "data: {not json", UnreadableAnswer),
        ("responses", "data: [1]", UnreadableAnswer),
        ("responses", 'data: {"type": "response.output_text.delta"}', UnreadableAnswer),
    ],
)
def test_an_error_in_mid_stream_is_typed_and_keeps_what_came(
    wire: WireServer, api: str, broken: str, kind: type[Exception], way: str
) -> None:
    begun = [event for event in events_of(api) if "delta" in event][:6]
    wire.script(Raw(events=[*begun, broken, *events_of(api)[-2:]]))
    with adapter_to(wire, api=api) as adapter:
        outcome = call(adapter, request(), way)
    assert type(outcome.error) is kind
    assert outcome.answer.text + outcome.answer.reasoning
    assert outcome.answer.usage is None


@pytest.mark.parametrize("way", STREAM_WAYS)
def test_a_body_left_open_after_the_end_does_not_hold_the_answer(wire: WireServer, way: str) -> None:
    events = events_of("chat")
    wire.script(Raw(events=[*events, ": still here"], hold_after=len(events)))
    asked = request()
    with adapter_to(wire, api="chat") as adapter:
        outcome = call(adapter, asked, way)
    assert outcome.error is None
    assert not asked.deadline.passed
    assert outcome.answer.text == WHOLE.text
    until(lambda: wire.requests[0].ended == "left")


@pytest.mark.parametrize("api", APIS)
def test_a_stream_read_to_its_end_leaves_its_connection_for_the_next_call(wire: WireServer, api: str) -> None:
    with adapter_to(wire, api=api) as adapter:
        for _ in range(5):
            assert call(adapter, request(), "stream").error is None
    assert wire.connections == 1


@pytest.mark.parametrize("way", STREAM_WAYS)
def test_a_deadline_in_mid_stream_keeps_what_came(wire: WireServer, way: str) -> None:
    wire.script(Say(text="One two three four.", hold_after=3))
    with adapter_to(wire, api="chat") as adapter:
        outcome = call(adapter, request(seconds=2), way)
    assert isinstance(outcome.error, TimedOut)
    assert outcome.answer.text == "One two "


def sent_text(api: str, number: int) -> str:
    """The text in the first events."""
    found = ""
    for event in events_of(api)[:number]:
        data = event.partition("data: ")[2]
        if data.startswith("{"):
            parsed = json.loads(data)
            if parsed.get("type") == "response.output_text.delta":
                found += parsed["delta"]
            for choice in parsed.get("choices") or ():
                found += choice["delta"].get("content") or ""
    return found


def test_the_log_of_the_replay_server_tells_how_answers_ended(wire: WireServer) -> None:
    wire.script(Say(), Say(cut_after=2), Say(cut_after=2, reset=True))
    with adapter_to(wire) as adapter:
        for _ in range(3):
            call(adapter, request(), "stream")
    assert [asked.ended for asked in wire.requests] == ["done", "cut", "reset"]
    assert all(isinstance(asked, Received) for asked in wire.requests)
