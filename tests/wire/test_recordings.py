"""Real recorded answers, replayed through the real client stack: text and usage must be those the vendor's SDK read.

The recordings are not part of the repository; where their folder is missing there is nothing to replay.
"""

from __future__ import annotations

from typing import Any

import pytest

from llm_core.errors import KeyRefused
from llm_core.types import Usage

from .calls import adapter_to, call, cases, request
from .recordings import Recording, recorded
from .server import WireServer

CHAT = recorded("openai-chat")
RESPONSES = recorded("openai-responses")


@pytest.mark.parametrize(("recording", "way"), cases(r for r in CHAT if r.response["status"] == 200))
def test_a_recorded_chat_completion(wire: WireServer, recording: Recording, way: str) -> None:
    _replay(wire, recording, way, "chat", ("prompt_tokens", "completion_tokens", "prompt", "completion"))


@pytest.mark.parametrize(("recording", "way"), cases(RESPONSES))
def test_a_recorded_response(wire: WireServer, recording: Recording, way: str) -> None:
    _replay(wire, recording, way, "responses", ("input_tokens", "output_tokens", "input", "output"))


@pytest.mark.parametrize(("recording", "way"), cases(r for r in CHAT if r.response["status"] == 401))
def test_a_recorded_refusal_of_the_key(wire: WireServer, recording: Recording, way: str) -> None:
    wire.script(recording.step())
    with adapter_to(wire, api="chat") as adapter:
        error = call(adapter, request(), way).error
    assert isinstance(error, KeyRefused)
    assert error.request_id == recording.response["headers"]["x-request-id"]


def _replay(wire: WireServer, recording: Recording, way: str, api: str, names: tuple[str, str, str, str]) -> None:
    wire.script(recording.step())
    with adapter_to(wire, api=api) as adapter:
        outcome = call(adapter, request(model=recording.request["body"].get("model", "m")), way)
    assert outcome.error is None
    assert outcome.answer.text == recording.sdk_text
    assert outcome.answer.usage == _as_recorded(recording.sdk_usage, names)
    assert outcome.answer.request_id == recording.response["headers"].get("x-request-id", "req_wire")
    if "stream" in way:
        assert "".join(piece.text for piece in outcome.pieces) == recording.sdk_text


def _as_recorded(told: Any, names: tuple[str, str, str, str]) -> Usage:
    """What the vendor's SDK returned. Written out once more, apart from the adapter's own reading."""
    of_prompt = told.get(f"{names[2]}_tokens_details") or {}
    of_output = told.get(f"{names[3]}_tokens_details") or {}
    assert told[names[0]] + told[names[1]] == told["total_tokens"]
    return Usage(
        input_tokens=told[names[0]],
        output_tokens=told[names[1]],
        cache_read_tokens=of_prompt.get("cached_tokens", 0),
        cache_write_tokens=of_prompt.get("cache_write_tokens", 0),
        input_audio_tokens=of_prompt.get("audio_tokens", 0),
        reasoning_tokens=of_output.get("reasoning_tokens", 0),
        output_audio_tokens=of_output.get("audio_tokens", 0),
    )
