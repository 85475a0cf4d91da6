"""Anthropic: how every kind of answer is read, in all four ways to call; its list of models."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from llm_core import Workspace
from llm_core.errors import KeyRefused
from llm_core.providers.anthropic import connect
from llm_core.providers.llama_server import ModelToServe, borrow, give_back
from llm_core.providers.protocol import Deadline
from llm_core.types import LLMProvider, Usage
from tests.wire.calls import WAYS, adapter_to, assert_as_expected, call, cases, request
from tests.wire.recordings import Recording, own, recorded
from tests.wire.replies import Raw, Say
from tests.wire.server import WireServer

RECORDED = recorded("anthropic-messages")


@pytest.mark.parametrize(("fixture", "way"), cases(own("anthropic/messages.json")))
def test_an_answer_is_read_as_it_was_meant(wire: WireServer, fixture: Recording, way: str) -> None:
    wire.script(fixture.step())
    with adapter_to(wire, "anthropic") as adapter:
        outcome = call(adapter, request(), way)
    assert_as_expected(outcome, fixture.expect)
    further = [(other.model, other.usage) for other in outcome.answer.further]
    assert further == [(model, Usage(**counts)) for model, counts in fixture.expect.get("further", [])]
    assert all(other.raw for other in outcome.answer.further)


@pytest.mark.parametrize(("recording", "way"), cases(r for r in RECORDED if r.response["status"] == 200))
def test_a_recorded_answer_is_read_as_the_sdk_read_it(wire: WireServer, recording: Recording, way: str) -> None:
    wire.script(recording.step())
    with adapter_to(wire, "anthropic") as adapter:
        outcome = call(adapter, request(model=recording.request["body"]["model"]), way)
    assert outcome.error is None
    assert outcome.answer.text == recording.sdk_text
    assert outcome.answer.usage == _as_recorded(recording.sdk_usage)
    assert outcome.answer.mode == "standard"
    if "stream" in way:
        assert "".join(piece.text for piece in outcome.pieces) == recording.sdk_text


@pytest.mark.parametrize(("recording", "way"), cases(r for r in RECORDED if r.response["status"] == 401))
def test_a_recorded_refusal_of_the_key(wire: WireServer, recording: Recording, way: str) -> None:
    wire.script(recording.step())
    with adapter_to(wire, "anthropic") as adapter:
        error = call(adapter, request(), way).error
    assert isinstance(error, KeyRefused)
    assert error.request_id == recording.response["headers"]["request-id"]


def _as_recorded(told: Any) -> Usage:
    """What the vendor's SDK returned. Written out once more, apart from the adapter's own reading."""
    read, written = told.get("cache_read_input_tokens", 0), told.get("cache_creation_input_tokens", 0)
    return Usage(
        input_tokens=told["input_tokens"] + read + written,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=told["cache_creation"].get("ephemeral_1h_input_tokens", 0),
        output_tokens=told["output_tokens"],
        reasoning_tokens=told.get("output_tokens_details", {}).get("thinking_tokens", 0),
        searches=told.get("server_tool_use", {}).get("web_search_requests", 0),
    )


@pytest.mark.parametrize(
    "name",
    ["more thought than said", "more for an hour than written at all", "iterations that are less than the total"],
)
def test_counts_that_contradict_each_other_are_told_and_kept(
    wire: WireServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    (fixture,) = [each for each in own("anthropic/messages.json") if each.id == name]
    wire.script(fixture.step())
    with adapter_to(wire, "anthropic") as adapter:
        answer = call(adapter, request()).answer
    assert answer.raw_usage == fixture.response["body"]["usage"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_models_are_listed_page_by_page_without_the_retired(wire: WireServer) -> None:
    yes, no = {"supported": True}, {"supported": False}
    able = {
        "structured_outputs": yes,
        "image_input": yes,
        "pdf_input": no,
        "thinking": {**yes, "types": {}},
        "batch": no,
        "effort": {**yes, "low": yes, "medium": no, "high": yes, "xhigh": None, "max": yes},
    }
    sonnet = {
        "id": "claude-sonnet-5",
        "display_name": "Claude Sonnet 5",
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
        "created_at": "2026-02-17T00:00:00Z",
        "lifecycle": "deprecated",
        "deprecated_at": "2026-09-01T00:00:00Z",
        "retires_at": "2027-03-01T00:00:00Z",
        "capabilities": able,
    }
    old = {"id": "claude-2", "display_name": "Claude 2", "lifecycle": "retired"}
    wire.script(
        Raw(body={"data": [sonnet, old], "has_more": True, "first_id": "x", "last_id": "claude-2"}),
        Raw(
            body={
                "data": [{"id": "claude-next", "created_at": "1970-01-01T00:00:00Z"}],
                "has_more": False,
                "last_id": "claude-next",
            }
        ),
    )
    with adapter_to(wire, "anthropic") as adapter:
        unknown, known = adapter.list_models(Deadline(20))
    assert [asked.path for asked in wire.requests] == [
        "/v1/models?limit=1000",
        "/v1/models?limit=1000&after_id=claude-2",
    ]
    assert (known.id, known.display_name) == ("test:claude-sonnet-5", "Claude Sonnet 5")
    assert (known.context_window, known.max_output_tokens) == (1_000_000, 128_000)
    assert known.capabilities == {"chat", "tools", "schema", "images", "reasoning"}
    assert known.modalities == {"text", "image"}
    assert (known.lifecycle, known.retires_at) == ("deprecated", datetime(2027, 3, 1, tzinfo=UTC))
    assert (known.released_on, known.deprecated_on) == (date(2026, 2, 17), date(2026, 9, 1))
    assert known.reasoning_efforts == ("low", "high", "max")
    assert (unknown.released_on, unknown.reasoning_efforts) == (None, ())
    assert (unknown.name, unknown.capabilities, unknown.context_window) == ("claude-next", frozenset(), None)


def test_a_listing_and_a_call_through_the_workspace_are_kept_and_priced(wire: WireServer, ws: Workspace) -> None:
    wire.models = ["claude-sonnet-5"]
    ws.providers.connect("anthropic", "sk-ant-api03-made-up-0123456789", base_url=wire.url)
    (model,) = ws.models.refresh("anthropic")
    assert (model.lifecycle, model.max_output_tokens) == ("active", 128_000)
    wire.usual = Say(text="Hi.", usage=Usage(input_tokens=1_000, cache_read_tokens=400, output_tokens=100))
    reply = ws.llm.complete("Hi.", model="anthropic:claude-sonnet-5")
    assert reply.text == "Hi."
    assert str(reply.cost_usd) == "0.0022800000"  # 600 at 2, 400 at 0.2 and 100 at 10 dollars a million


@pytest.mark.model
def test_a_real_model_behind_the_same_format_answers_in_all_four_ways(local_model: Path) -> None:
    """llama.cpp's server speaks Anthropic's format too, with counts of its own cache."""
    server = borrow(ModelToServe(local_model, "smol", 2048))
    place = LLMProvider("test", "anthropic", base_url=server.base_url.removesuffix("/v1"))
    adapter = connect(place, server.key)
    asked = {"model": "smol", "parameters": {"max_tokens": 12, "temperature": 0.0, "system": "Be brief."}}
    try:
        outcomes = [call(adapter, request("Say hello in three words.", **asked), way) for way in WAYS]  # type: ignore[arg-type]
    finally:
        adapter.close()
        give_back(server)
    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert len({outcome.answer.text for outcome in outcomes}) == 1
    usages = [outcome.answer.usage for outcome in outcomes]
    assert all(usage is not None and 0 < usage.output_tokens <= 12 for usage in usages)
    assert len({usage.input_tokens for usage in usages if usage}) == 1
    assert usages[-1] is not None
    assert 0 < usages[-1].cache_read_tokens < usages[-1].input_tokens
