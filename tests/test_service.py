"""The path of a call, over the real SDK and a real socket: what comes back, what is retried, and what is recorded."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from llm_core import Message, Parameters, Reply, Usage, Workspace
from llm_core.errors import (
    ConnectionBroken,
    InvalidInput,
    InvalidMessage,
    InvalidParameters,
    KeyRefused,
    NoActiveModel,
    ProviderError,
    RateLimited,
    TimedOut,
    UnknownPreset,
    Unreachable,
)
from tests.waiting import PATIENCE_S
from tests.wire.replies import Raw, Say, failing
from tests.wire.server import WireServer

KEY = "sk-test-0123456789abcdefghij"
MODEL = "openai:gpt-6-luna"
NOW = {"retry-after": "0"}


@pytest.fixture(params=["chat", "responses"])
def api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ready(ws: Workspace, wire: WireServer, api: str) -> Workspace:
    """A workspace connected to the replay server, with one model active."""
    ws.providers.connect("openai", KEY, base_url=wire.base_url, options={"api": api})
    ws.models.activate("chat", MODEL)
    return ws


def rows(ws: Workspace) -> pd.DataFrame:
    """Every record, oldest first."""
    return ws.usage.history().sort_values(["started_at", "attempt", "part"], ignore_index=True)


def test_a_reply_brings_the_text_its_tokens_and_its_cost(ready: Workspace, wire: WireServer) -> None:
    usage = Usage(input_tokens=1000, cache_read_tokens=400, output_tokens=200, reasoning_tokens=50)
    wire.script(Say(text="Blue light scatters most.", usage=usage))
    reply = ready.llm.complete("Why is the sky blue?", tags={"team": "search"}, app="a", user="u", project="p")
    assert reply.text == "Blue light scatters most."
    assert reply.usage == usage
    assert reply.cost_usd == ready.models.price(MODEL, usage).usd
    assert isinstance(reply.cost_usd, Decimal)
    assert reply.cost_usd > 0
    assert (reply.model, reply.finish, reply.attempts, reply.recorded) == (MODEL, "stop", 1, True)
    row = rows(ready).iloc[0]
    assert (row["id"], row["status"], row["usage_source"]) == (reply.record_id, "ok", "reported")
    assert (row["app"], row["user"], row["project"], row["task"]) == ("a", "u", "p", "chat")
    assert row["tags"] == {"team": "search"}
    assert (row["input_tokens"], row["cache_read_tokens"], row["reasoning_tokens"]) == (1000, 400, 50)
    assert Decimal(str(row["cost_usd"])) == reply.cost_usd
    assert row["latency_ms"] == reply.latency_ms > 0


def test_a_stream_gives_pieces_and_then_the_same_reply(ready: Workspace, wire: WireServer) -> None:
    wire.script(Say(text="one two three four", usage=Usage(input_tokens=9, output_tokens=4)))
    with ready.llm.stream("Count.") as stream:
        assert stream.reply is None
        pieces = list(stream)
    assert len(pieces) > 1
    assert "".join(pieces) == "one two three four"
    reply = stream.reply
    assert reply is not None
    assert (reply.text, reply.usage, reply.status) == (
        "one two three four",
        Usage(input_tokens=9, output_tokens=4),
        "ok",
    )
    assert reply.ttft_ms is not None
    assert 0 < reply.ttft_ms <= reply.latency_ms
    assert rows(ready)["ttft_ms"].tolist() == [reply.ttft_ms]


def test_the_async_twins_do_the_same(ready: Workspace, wire: WireServer) -> None:
    async def both() -> tuple[Reply, str, Reply | None]:
        whole = await ready.llm.acomplete("Hello?")
        async with ready.llm.astream("Hello?") as stream:
            text = "".join([piece async for piece in stream])
        return whole, text, stream.reply

    whole, text, streamed = asyncio.run(both())
    assert whole.text == text == "Hello from the wire."
    assert streamed is not None
    assert streamed.usage == whole.usage == Usage(input_tokens=12, output_tokens=6)
    assert len(rows(ready)) == 2


def test_every_attempt_of_a_retried_call_is_a_record(ready: Workspace, wire: WireServer) -> None:
    wire.script(failing(429, headers=NOW), failing(500), Say(text="At last."))
    reply = ready.llm.complete("Hello?")
    assert (reply.text, reply.attempts) == ("At last.", 3)
    found = rows(ready)
    assert found["attempt"].tolist() == [1, 2, 3]
    assert found["call_id"].nunique() == 1
    assert found["id"].nunique() == 3
    assert found["error_kind"].tolist()[:2] == ["rate_limited", "provider_failed"]
    assert found["status"].tolist() == ["error", "error", "ok"]
    assert [Decimal(str(cost)) for cost in found["cost_usd"][:2]] == [0, 0], "a refused request is not billed"


def test_a_stream_is_retried_before_its_first_piece_only(ready: Workspace, wire: WireServer) -> None:
    wire.script(failing(503, headers=NOW), Say(text="one two three four five", cut_after=4))
    stream = ready.llm.stream("Count.")
    with pytest.raises(ConnectionBroken):
        list(stream)
    assert stream.text
    found = rows(ready)
    assert found["status"].tolist() == ["error", "partial"]
    assert found["usage_source"].tolist()[1] == "estimated"
    assert stream.reply is not None
    assert stream.reply.text == stream.text


def test_an_error_that_repeating_does_not_mend_is_raised_at_once(ready: Workspace, wire: WireServer) -> None:
    wire.script(failing(401, "Incorrect API key provided.", code="invalid_api_key"))
    with pytest.raises(KeyRefused) as caught:
        ready.llm.complete("Hello?")
    assert caught.value.hint
    assert rows(ready)[["attempt", "status", "error_kind"]].values.tolist() == [[1, "error", "key_refused"]]


def test_attempts_end_after_the_last_one_allowed(ready: Workspace, wire: WireServer) -> None:
    ready.settings.set("call.attempts", 2)
    wire.script(*[failing(429, headers=NOW)] * 5)
    with pytest.raises(RateLimited):
        ready.llm.complete("Hello?")
    assert rows(ready)["attempt"].tolist() == [1, 2]


def test_a_stopped_stream_is_recorded_with_what_was_known(ready: Workspace, wire: WireServer) -> None:
    wire.script(Say(text="one two three four", hold_after=4))
    stream = ready.llm.stream("Count.")
    first = next(stream)
    stream.close()
    assert stream.reply is not None
    assert stream.reply.status == "cancelled"
    assert stream.reply.text.startswith(first)
    row = rows(ready).iloc[0]
    assert (row["status"], row["usage_source"]) == ("cancelled", "estimated")
    assert row["output_tokens"] >= 1
    assert row["input_tokens"] >= 1


def test_stop_from_another_thread_ends_a_stream_that_waits(ready: Workspace, wire: WireServer) -> None:
    wire.script(Say(text="one two three four", hold_after=4))
    stream = ready.llm.stream("Count.", timeout=60)
    next(stream)
    reader = threading.Thread(target=lambda: list(stream))
    reader.start()
    stream.stop()
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert rows(ready)["status"].tolist() == ["cancelled"]


def test_a_stream_left_by_an_exception_in_the_callers_loop_is_recorded(ready: Workspace, wire: WireServer) -> None:
    wire.script(Say(text="one two three four", hold_after=4))

    def leave_early() -> None:
        with ready.llm.stream("Count.") as stream:
            raise KeyError(next(stream))

    with pytest.raises(KeyError):
        leave_early()
    assert rows(ready)["status"].tolist() == ["cancelled"]


def test_a_cancelled_task_is_recorded(ready: Workspace, wire: WireServer) -> None:
    wire.script(Say(delay=30))

    async def cancelled() -> None:
        task = asyncio.create_task(ready.llm.acomplete("Hello?"))
        while not wire.asked("/responses") + wire.asked("/chat/completions"):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert rows(ready)["status"].tolist() == ["cancelled"]


@pytest.mark.parametrize("step", [Say(delay=30), Say(text="slow " * 50, drip=1, pause=0.05)])
def test_the_deadline_holds_for_a_silent_and_for_a_dripping_server(
    ready: Workspace, wire: WireServer, step: Say
) -> None:
    wire.script(step)
    with pytest.raises(TimedOut):
        ready.llm.complete("Hello?", timeout=1.5)
    row = rows(ready).iloc[0]
    assert (row["status"], row["error_kind"]) == ("error", "timeout")
    assert pd.isna(row["cost_usd"]), "the provider may have billed it: unknown, not 0"


def test_a_retry_never_waits_past_the_deadline(ready: Workspace, wire: WireServer) -> None:
    wire.script(*[failing(429, headers={"retry-after": "20"})] * 3)
    with pytest.raises(RateLimited):
        ready.llm.complete("Hello?", timeout=15)
    assert len(rows(ready)) == 1


def test_an_unreachable_server_is_recorded_and_costs_nothing(ready: Workspace, wire: WireServer) -> None:
    ready.settings.set("call.attempts", 1)
    ready.providers.connect("openai", KEY, base_url="http://127.0.0.1:9/v1", name="nowhere")
    with pytest.raises(Unreachable):
        ready.llm.complete("Hello?", model="nowhere:gpt-6-luna")
    row = rows(ready).iloc[0]
    assert (row["connection"], row["status"], row["error_kind"]) == ("nowhere", "error", "unreachable")
    assert Decimal(str(row["cost_usd"])) == 0


def test_an_answer_without_a_known_price_is_unpriced_not_free(ready: Workspace, wire: WireServer) -> None:
    reply = ready.llm.complete("Hello?", model="openai:never-heard-of-it")
    assert reply.cost_usd is None
    assert reply.usage is not None
    assert pd.isna(rows(ready).iloc[0]["cost_usd"])


def test_a_preset_is_overruled_field_by_field_and_named_in_the_record(ready: Workspace, wire: WireServer) -> None:
    reply = ready.llm.complete("Hello?", model="openai:gpt-4.1", preset="precise", parameters={"max_tokens": 77})
    body = wire.requests[-1].body
    preset = ready.parameters.preset("precise")
    assert body["temperature"] == preset.parameters.temperature
    assert 77 in (body.get("max_completion_tokens"), body.get("max_output_tokens"), body.get("max_tokens"))
    assert reply.recorded
    assert rows(ready)[["preset", "preset_version"]].values.tolist() == [["precise", preset.version]]


def test_what_a_model_lacks_of_a_preset_is_left_out_but_asked_for_in_person_refused(
    ready: Workspace, wire: WireServer
) -> None:
    assert ready.parameters.preset("precise").parameters.temperature is not None
    ready.llm.complete("Hello?", model=MODEL, preset="precise")
    assert "temperature" not in wire.requests[-1].body
    with pytest.raises(InvalidParameters):
        ready.llm.complete("Hello?", model=MODEL, parameters={"temperature": 0.2})


def test_the_system_parameter_reaches_the_provider(ready: Workspace, wire: WireServer) -> None:
    ready.llm.complete("Hello?", parameters=Parameters(system="Answer in French."))
    assert "Answer in French." in str(wire.requests[-1].body)


def test_a_schema_brings_a_parsed_answer(ready: Workspace, wire: WireServer) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    wire.script(Say(text='{"name": "Rome"}'), Say(text="Rome"))
    assert ready.llm.complete("A city?", schema=schema).parsed == {"name": "Rome"}
    missed = ready.llm.complete("A city?", schema=schema)
    assert missed.parsed is None
    assert missed.text == "Rome"
    assert missed.parse_error


def test_further_choices_come_along(ready: Workspace, wire: WireServer, api: str) -> None:
    if api == "responses":
        ready.providers.edit("openai", options={})  # n needs Chat Completions, which the usual connection then takes
    wire.script(Say(text="Rome", others=["Paris"]))
    assert ready.llm.complete("A city?", parameters={"n": 2}, model="openai:gpt-4.1").alternatives == ("Paris",)


def test_tools_go_out_and_tool_calls_come_back(ready: Workspace, wire: WireServer) -> None:
    tool = {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather in a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
    wire.script(
        Say(text="", tool_calls=[("c1", "weather", '{"city": "Rome"}')], finish="tool_calls"), Say(text="Sunny.")
    )
    asked = Message("user", "Weather in Rome?")
    without_reasoning = {"reasoning_effort": "none"}  # else this model takes tools in the Responses API alone
    reply = ready.llm.complete([asked], tools=[tool], parameters=without_reasoning)
    (call,) = reply.tool_calls
    assert (call.name, call.arguments, reply.finish) == ("weather", '{"city": "Rome"}', "tool_calls")
    history: list[Any] = [
        asked,
        Message("assistant", [call]),
        {"role": "tool", "tool_call_id": call.id, "content": "25 degrees"},
    ]
    assert ready.llm.complete(history, tools=[tool], parameters=without_reasoning).text == "Sunny."
    assert "25 degrees" in str(wire.requests[-1].body)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"task": "dance"}, InvalidInput),
        ({"timeout": 0}, InvalidInput),
        ({"timeout": True}, InvalidInput),
        ({"preset": "nobody"}, UnknownPreset),
        ({"parameters": {"temprature": 1}}, InvalidParameters),
        ({"parameters": {"temperature": 99}}, InvalidParameters),
        ({"tags": ["a"]}, InvalidInput),
    ],
)
def test_a_callers_mistake_is_told_before_anything_is_sent(
    ready: Workspace, wire: WireServer, options: dict[str, Any], expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        ready.llm.complete("Hello?", **options)
    with pytest.raises(expected):
        ready.llm.stream("Hello?", **options)
    assert not wire.asked("/responses") + wire.asked("/chat/completions")
    assert rows(ready).empty


def test_an_empty_prompt_is_refused(ready: Workspace) -> None:
    with pytest.raises(InvalidMessage):
        ready.llm.complete("  ")


def test_without_a_model_the_error_says_what_to_do(ws: Workspace) -> None:
    with pytest.raises(NoActiveModel) as caught:
        ws.llm.complete("Hello?")
    assert caught.value.hint


def test_a_call_that_cannot_be_recorded_still_answers(
    ready: Workspace, wire: WireServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from llm_core.errors import RecordNotKept

    def full(record: object) -> None:
        raise RecordNotKept("The disk is full.")

    monkeypatch.setattr(ready.usage, "record", full)
    with caplog.at_level(logging.WARNING):
        reply = ready.llm.complete("Hello?")
    assert reply.text == "Hello from the wire."
    assert reply.recorded is False
    assert "The disk is full." in caplog.text


def test_a_broken_price_list_does_not_cost_the_record(ready: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **named: object) -> None:
        raise RuntimeError("no prices today")

    monkeypatch.setattr(ready.models, "price", broken)
    reply = ready.llm.complete("Hello?")
    assert (reply.recorded, reply.cost_usd) == (True, None)


def test_an_answer_that_is_not_the_documented_format_is_a_typed_error(ready: Workspace, wire: WireServer) -> None:
    wire.script(Raw(body=b"<html>Welcome to the hotel wifi</html>", headers={"content-type": "text/html"}))
    with pytest.raises(ProviderError):
        ready.llm.complete("Hello?")
    assert rows(ready)["status"].tolist() == ["error"]


def test_many_threads_call_at_once_and_each_call_is_recorded_once(ready: Workspace, wire: WireServer) -> None:
    replies: list[Reply] = []

    def call(number: int) -> None:
        for turn in range(5):
            replies.append(ready.llm.complete(f"Hello {number} {turn}?"))

    _at_once([lambda number=number: call(number) for number in range(12)])
    assert len(replies) == 60
    found = rows(ready)
    assert sorted(found["id"]) == sorted(reply.record_id for reply in replies)


def _at_once(work: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
