"""Calls an adapter in each of the four ways, so that one test can hold all of them to the same outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from llm_core.errors import LLMManagerError
from llm_core.providers.protocol import Adapter, Answer, ChatRequest, Deadline, Piece
from llm_core.providers.registry import find
from llm_core.types import LLMProvider, Message, Parameters, Part, Usage

from .recordings import Recording
from .server import WireServer

PLAIN_WAYS = ("complete", "acomplete")
STREAM_WAYS = ("stream", "astream")
WAYS = PLAIN_WAYS + STREAM_WAYS
KEY = "sk-proj-Canary7mPq2RzX9vKd4WcT8bLn3"
"""A key that no text, repr, log or error may ever hold. Made up."""

_WITHOUT_V1 = ("anthropic", "google", "cohere")
"""Providers whose SDKs want a base URL without /v1."""


@dataclass
class Outcome:
    answer: Answer
    pieces: list[Piece] = field(default_factory=list)
    error: LLMManagerError | None = None


def request(
    prompt: str | list[Part] | tuple[Message, ...] = "Say hello.",
    *,
    seconds: float | None = 20,
    model: str = "gpt-6-luna",
    parameters: dict[str, Any] | None = None,
    **more: Any,
) -> ChatRequest:
    messages = prompt if isinstance(prompt, tuple) else (Message("user", prompt),)
    return ChatRequest(model, messages, Parameters(**(parameters or {})), Deadline(seconds), **more)


def call(adapter: Adapter, asked: ChatRequest, way: str = "complete") -> Outcome:
    """Make one call to its end. Errors of ours are kept in the outcome; any other is a fault of the adapter."""
    outcome = Outcome(Answer())
    try:
        match way:
            case "complete":
                adapter.complete(asked, outcome.answer)
            case "stream":
                for piece in adapter.stream(asked, outcome.answer):
                    outcome.pieces.append(piece)
            case "acomplete":
                asyncio.run(adapter.acomplete(asked, outcome.answer))
            case "astream":
                asyncio.run(_astream(adapter, asked, outcome))
    except LLMManagerError as error:
        outcome.error = error
    return outcome


def kept_waiting(ask: Callable[[float], Outcome]) -> Outcome:
    """What comes of a call that the server keeps waiting past its deadline, for so many seconds as it is handed.

    On a busy machine a short one can pass before anything is sent: then it is asked again with a longer one.
    """
    for seconds in (0.3, 2.0, 10.0):
        outcome = ask(seconds)
        if outcome.answer.sent:
            return outcome
    raise AssertionError("The deadline passed three times before the request was sent.")


def cases(recordings: Iterable[Recording]) -> list[Any]:
    """(recording, way) for pytest. A streamed answer is asked for as a stream, a plain one in all ways: an endpoint
    without streaming answers plainly whatever it was asked.
    """
    return [
        pytest.param(recording, way, id=f"{recording.id}-{way}")
        for recording in recordings
        for way in (STREAM_WAYS if recording.streamed else WAYS)
    ]


@contextmanager
def adapter_to(wire: WireServer, provider: str = "openai", key: str | None = KEY, **options: Any) -> Iterator[Adapter]:
    """An adapter of one provider whose endpoint is the replay server."""
    base_url = wire.url if provider in _WITHOUT_V1 else wire.base_url
    connection = LLMProvider(name="test", provider=provider, base_url=base_url, options=options)
    find(provider).load_sdk()  # so that no deadline of a test is spent on it
    adapter = find(provider).factory()(connection, key)
    try:
        yield adapter
    finally:
        adapter.close()


async def _astream(adapter: Adapter, asked: ChatRequest, outcome: Outcome) -> None:
    async for piece in adapter.astream(asked, outcome.answer):
        outcome.pieces.append(piece)


def assert_as_expected(outcome: Outcome, expect: Mapping[str, Any]) -> None:
    """Hold an outcome to what a fixture expects. Usage fields it does not name must be 0."""
    assert outcome.error is None
    answer = outcome.answer
    for name in (
        "text",
        "finish",
        "reasoning",
        "mode",
        "model_reported",
        "request_id",
        "alternatives",
        "server_timings",
    ):
        if name in expect:
            assert getattr(answer, name) == expect[name], name
    told = [[call.id, call.name, call.arguments] for call in answer.tool_calls]
    assert told == expect.get("tool_calls", [])
    if "usage" in expect:
        wanted = expect["usage"]
        assert answer.usage == (None if wanted is None else Usage(**wanted))
        assert (answer.raw_usage is None) == (wanted is None)
    if outcome.pieces:
        assert "".join(piece.text for piece in outcome.pieces) == answer.text
        assert "".join(piece.reasoning for piece in outcome.pieces) == answer.reasoning
