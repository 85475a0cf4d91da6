"""Usage of answers that ended without one: by the stated rule, and None where nobody can know."""

from __future__ import annotations

import pytest

from llm_core.providers.estimate import estimate_usage, prompt_tokens, tokens
from llm_core.providers.protocol import Answer
from llm_core.types import Audio, File, Image, Message, Text, ToolCall, ToolResult
from tests.wire.calls import request
from tests.wire.recordings import recorded


def test_four_bytes_are_a_token() -> None:
    assert [tokens(text) for text in ("", "a", "abcd", "abcde", "世界")] == [0, 1, 1, 2, 2]


def test_nothing_sent_or_nothing_come_is_unknown() -> None:
    assert estimate_usage(request(), Answer(text="Hello.")) is None
    assert estimate_usage(request(), Answer(sent=True)) is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(text="a" * 40, sent=True),
        Answer(reasoning="a" * 40, sent=True),
        Answer(tool_calls=[ToolCall("c", "a" * 20, "a" * 20)], sent=True),
    ],
)
def test_what_came_is_counted_and_the_prompt_with_it(answer: Answer) -> None:
    usage = estimate_usage(request("a" * 400), answer)
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (104, 10)
    assert usage.reasoning_tokens == (10 if answer.reasoning else 0)


def test_an_answer_that_had_only_begun_counts_the_prompt() -> None:
    usage = estimate_usage(request("a" * 400), Answer(model_reported="m", sent=True))
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (104, 0)


def test_every_kind_of_part_counts() -> None:
    user = Message("user", [Text("abcd"), Image(url="https://x.example/a.png"), Audio(b"x" * 32_000)])
    files = Message("user", [File(b"x" * 40, "text/plain"), File(b"x" * 4000, "application/pdf")])
    called = Message("assistant", [ToolCall("c", "abcd", "abcd")])
    result = Message("tool", [ToolResult("c", "abcdefgh")])
    assert prompt_tokens(request((user, files, called, result))) == 4 * 4 + (1 + 765 + 10) + 10 + 2 + 2
    usage = estimate_usage(request((user,)), Answer(text="x", sent=True))
    assert usage is not None
    assert usage.input_audio_tokens == 10


def test_tools_schema_and_system_count() -> None:
    plain = prompt_tokens(request())
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    more = prompt_tokens(request(tools=(tool,), schema={"type": "object"}, parameters={"system": "Be kind."}))
    assert more > plain + 20


@pytest.mark.parametrize("recording", [r for r in recorded("openai-chat") if r.id in ("o4", "o6")], ids=lambda r: r.id)
def test_the_rule_is_near_what_was_billed(recording: object) -> None:
    """Two long recorded prompts. The rule is a guess: within a factor of one and a half."""
    body = recording.request["body"]  # type: ignore[attr-defined]
    messages = tuple(
        Message(message["role"], message["content"])
        if isinstance(message["content"], str)
        else Message(message["role"], "".join(part["text"] for part in message["content"]))
        for message in body["messages"]
    )
    billed = recording.sdk_usage["prompt_tokens"]  # type: ignore[attr-defined]
    assert billed / 1.5 < prompt_tokens(request(messages)) < billed * 1.5
