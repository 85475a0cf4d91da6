"""Embeddings and transcription of the vendors that have them, sync and async."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from llm_core.errors import ConnectionBroken, InvalidParameters, KeyRefused, LLMManagerError, TimedOut, UnreadableAnswer
from llm_core.providers.audio_names import file_name
from llm_core.providers.protocol import Answer, Deadline, EmbedRequest, TranscribeRequest
from llm_core.types import Usage
from tests.waiting import until
from tests.wire.calls import Outcome, adapter_to, kept_waiting
from tests.wire.embeddings import vector
from tests.wire.replies import Raw, Say
from tests.wire.server import WireServer

VENDORS = ("openai", "compatible", "cohere")
TEXTS = ("One.", "Twenty two.", "三")
WAVE = b"RIFF\x00\r\n--not-a-border\x00WAVE"


def embedded(wire: WireServer, vendor: str, use_async: bool = False, **more: Any) -> tuple[Answer, Any]:
    """The answer and, where it failed, the error."""
    asked = EmbedRequest(**{"model": "embed-1", "texts": TEXTS, "deadline": Deadline(20), **more})
    return _done(wire, vendor, "aembed" if use_async else "embed", asked)


def transcribed(wire: WireServer, vendor: str, use_async: bool = False, **more: Any) -> tuple[Answer, Any]:
    usual = {"model": "transcribe-1", "data": WAVE, "media_type": "audio/wav", "language": "en"}
    asked = TranscribeRequest(**{**usual, "deadline": Deadline(20), **more})
    return _done(wire, vendor, "atranscribe" if use_async else "transcribe", asked)


def _done(wire: WireServer, vendor: str, way: str, asked: Any) -> tuple[Answer, Any]:
    answer = Answer()
    with adapter_to(wire, vendor) as adapter:
        try:
            done = getattr(adapter, way)(asked, answer)
            if done is not None:
                asyncio.run(done)
        except LLMManagerError as error:
            return answer, error
    return answer, None


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("vendor", VENDORS)
def test_each_text_gets_its_vector_in_order(wire: WireServer, vendor: str, use_async: bool) -> None:
    wire.script(Say(usage=Usage(input_tokens=9)))
    answer, error = embedded(wire, vendor, use_async)
    assert error is None
    assert answer.vectors == [vector(text, None) for text in TEXTS]
    assert answer.usage == Usage(input_tokens=9)
    assert answer.raw_usage
    assert answer.request_id == "req_wire"
    assert answer.sent


@pytest.mark.parametrize("vendor", VENDORS)
def test_dimensions_are_asked_for(wire: WireServer, vendor: str) -> None:
    answer, _ = embedded(wire, vendor, dimensions=2)
    assert answer.vectors == [vector(text, 2) for text in TEXTS]


@pytest.mark.parametrize(
    ("purpose", "theirs"), [(None, "search_document"), ("query", "search_query"), ("clustering", "clustering")]
)
def test_cohere_is_told_the_purpose(wire: WireServer, purpose: str | None, theirs: str) -> None:
    embedded(wire, "cohere", purpose=purpose)
    assert wire.requests[0].body["input_type"] == theirs


def test_openai_has_no_purposes_and_cohere_only_its_own(wire: WireServer) -> None:
    embedded(wire, "openai", purpose="query")
    assert set(wire.requests[0].body) == {"model", "input", "encoding_format"}
    _, error = embedded(wire, "cohere", purpose="poetry")
    assert isinstance(error, InvalidParameters)


@pytest.mark.parametrize("vendor", VENDORS)
def test_vectors_without_a_count_have_no_usage(wire: WireServer, vendor: str) -> None:
    wire.script(Say(usage=None))
    answer, error = embedded(wire, vendor)
    assert error is None
    assert answer.usage is None


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize(("vendor", "body"), [("openai", {"error": {"message": "x"}}), ("cohere", {"message": "x"})])
def test_an_error_inside_a_200_is_an_error(wire: WireServer, vendor: str, body: Any, use_async: bool) -> None:
    for ask in (embedded, transcribed):
        wire.script(Raw(body=body))
        _, error = ask(wire, vendor, use_async)
        assert error.kind == "provider_failed"


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("vendor", VENDORS)
def test_failures_are_ours_and_nothing_is_tried_again(wire: WireServer, vendor: str, use_async: bool) -> None:
    for ask in (embedded, transcribed):
        wire.script(Raw(status=401, body={"message": "no"}), Say(reset=True), Raw(body={"x": 1}), Say(delay=30))
        kinds = [type(ask(wire, vendor, use_async)[1]) for _ in range(3)]

        def late(seconds: float, ask: Any = ask) -> Outcome:
            answer, error = ask(wire, vendor, use_async, deadline=Deadline(seconds))
            return Outcome(answer, error=error)

        assert [*kinds, type(kept_waiting(late).error)] == [KeyRefused, ConnectionBroken, UnreadableAnswer, TimedOut]
    until(lambda: len(wire.requests) == 8)


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_recording_is_sent_as_it_is_and_comes_back_as_text(wire: WireServer, vendor: str, use_async: bool) -> None:
    wire.script(Say(text="Good morning."))
    answer, error = transcribed(wire, vendor, use_async)
    assert error is None
    assert answer.text == "Good morning."
    body = wire.requests[0].body
    assert body["file"] == {"name": "recording.wav", "type": "audio/wav", "data": WAVE}
    assert (body["model"], body["language"]) == ("transcribe-1", "en")


def test_whisper_gives_times_and_is_billed_by_seconds(wire: WireServer) -> None:
    wire.script(Say(text="Good morning.", usage=Usage(audio_seconds=13.0)))
    answer, _ = transcribed(wire, "openai", model="whisper-1", language=None, prompt="Names: Ada")
    assert wire.requests[0].body["prompt"] == "Names: Ada"
    assert "language" not in wire.requests[0].body
    assert answer.usage == Usage(audio_seconds=13.0)
    assert answer.language == "english"
    assert [segment["end"] for segment in answer.segments] == [12.5]


def test_a_server_that_tells_only_the_length_is_billed_by_it(wire: WireServer) -> None:
    wire.script(Say(text="Good morning.", usage=None))
    answer, _ = transcribed(wire, "compatible", model="whisper-large-v3")
    assert answer.usage == Usage(audio_seconds=12.5)


def test_a_diarizing_model_tells_the_speakers(wire: WireServer) -> None:
    answer, _ = transcribed(wire, "openai", model="gpt-4o-transcribe-diarize")
    assert [segment["speaker"] for segment in answer.segments] == ["A"]
    assert wire.requests[0].body["chunking_strategy"] == "auto"


def test_other_models_are_billed_by_tokens_of_audio_and_text(wire: WireServer) -> None:
    told = Usage(input_tokens=120, input_audio_tokens=110, output_tokens=30)
    wire.script(Say(text="Good morning.", usage=told))
    answer, _ = transcribed(wire, "openai", model="gpt-4o-transcribe")
    assert answer.usage == told
    assert answer.raw_usage is not None
    assert answer.raw_usage["type"] == "tokens"


@pytest.mark.parametrize(
    ("raw", "usage", "warned"),
    [
        ({"type": "duration", "seconds": "long"}, None, False),
        ({"type": "duration", "seconds": -1}, None, False),
        ({"type": "duration", "seconds": 1e300}, None, False),
        ({"type": "tokens", "input_tokens": 5}, None, False),
        (
            {"type": "tokens", "input_tokens": 5, "output_tokens": 2, "total_tokens": 9},
            Usage(input_tokens=5, output_tokens=2),
            True,
        ),
        (
            {"input_tokens": 5, "output_tokens": 2, "input_token_details": {"audio_tokens": 8}},
            Usage(input_tokens=5, input_audio_tokens=5, output_tokens=2),
            True,
        ),
    ],
)
def test_strange_counts_of_a_transcript_never_fail_it(
    wire: WireServer, caplog: pytest.LogCaptureFixture, raw: Any, usage: Usage | None, warned: bool
) -> None:
    wire.script(Raw(body={"text": "Hi.", "usage": raw}))
    answer, error = transcribed(wire, "openai")
    assert error is None
    assert (answer.text, answer.usage, answer.raw_usage) == ("Hi.", usage, raw)
    assert warned == any(record.levelno == logging.WARNING for record in caplog.records)


@pytest.mark.parametrize("more", [{"language": None}, {"prompt": "Names: Ada"}])
def test_cohere_needs_a_language_and_takes_no_prompt(wire: WireServer, more: Any) -> None:
    _, error = transcribed(wire, "cohere", **more)
    assert isinstance(error, InvalidParameters)
    assert not wire.requests


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("audio/mpeg", "recording.mp3"),
        ("audio/ogg; codecs=opus", "recording.ogg"),
        ("audio/x-new", "recording.x-new"),
        ("", "recording.bin"),
    ],
)
def test_a_recording_is_named_by_its_format(media_type: str, name: str) -> None:
    assert file_name(media_type) == name
