"""Embedding and transcribing through `ws.llm`, over the real SDK and a real socket."""

from __future__ import annotations

import asyncio
import io
import wave
from pathlib import Path

import pytest

from llm_core import Audio, Usage, Workspace
from llm_core.errors import InvalidInput, NotConfigured
from llm_core.media import batches, read_audio, seconds_of
from tests.wire.replies import Say
from tests.wire.server import WireServer

KEY = "sk-test-0123456789abcdefghij"
EMBEDDING = "openai:text-embedding-3-small"


@pytest.fixture
def ready(ws: Workspace, wire: WireServer) -> Workspace:
    ws.providers.connect("openai", KEY, base_url=wire.base_url)
    return ws


def recording(seconds: float = 0.5) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * int(8000 * seconds))
    return made.getvalue()


def test_texts_become_vectors_in_their_order_and_one_record(ready: Workspace) -> None:
    reply = ready.llm.embed(["red", "green", "blue"], model=EMBEDDING, dimensions=4, project="p")
    assert len(reply.vectors) == 3
    assert {len(vector) for vector in reply.vectors} == {4}
    assert reply.usage is not None
    assert reply.cost_usd == ready.models.price(EMBEDDING, reply.usage).usd
    row = ready.usage.history().iloc[0]
    assert (row["task"], row["project"], row["input_tokens"]) == ("embed", "p", reply.usage.input_tokens)


def test_more_texts_than_a_provider_takes_at_once_are_several_calls_and_one_reply(ready: Workspace) -> None:
    most = ready.providers.adapter("openai").capabilities.texts_at_once
    assert most is not None
    reply = asyncio.run(ready.llm.aembed([f"text {number}" for number in range(most + 1)], model=EMBEDDING))
    assert len(reply.vectors) == most + 1
    rows = ready.usage.history()
    assert len(rows) == 2
    assert reply.usage is not None
    assert reply.usage.input_tokens == rows["input_tokens"].sum()
    assert reply.cost_usd == rows["cost_usd"].sum()


@pytest.mark.parametrize("texts", ["", [], ["a", ""], ["a", 7]])
def test_what_is_no_text_is_not_embedded(ready: Workspace, wire: WireServer, texts: object) -> None:
    with pytest.raises(InvalidInput):
        ready.llm.embed(texts, model=EMBEDDING)  # type: ignore[arg-type]
    assert not wire.asked("/embeddings")


def test_a_recording_becomes_text_with_the_active_model(ready: Workspace, wire: WireServer, tmp_path: Path) -> None:
    ready.models.activate("transcribe", "openai:gpt-transcribe")
    file = tmp_path / "note é.wav"
    file.write_bytes(recording())
    wire.script(Say(text="Hello there.", usage=Usage(audio_seconds=0.5)))
    reply = ready.llm.transcribe(file, language="en")
    assert reply.text == "Hello there."
    assert reply.usage is not None
    assert reply.usage.audio_seconds == 0.5
    row = ready.usage.history().iloc[0]
    assert (row["task"], row["model"], row["audio_seconds"]) == ("transcribe", "gpt-transcribe", 0.5)


def test_without_a_count_the_length_is_measured_and_marked_estimated(ready: Workspace, wire: WireServer) -> None:
    wire.script(Say(text="Hello there.", usage=None))
    reply = asyncio.run(ready.llm.atranscribe(recording(2.0), model="openai:gpt-transcribe"))
    assert reply.usage is not None
    assert (reply.usage.audio_seconds, reply.usage_source) == (2.0, "estimated")


def test_audio_is_taken_as_path_bytes_file_or_part(tmp_path: Path) -> None:
    data = recording()
    file = tmp_path / "a.wav"
    file.write_bytes(data)
    with file.open("rb") as opened:
        taken = [read_audio(source) for source in (file, str(file), data, opened)]
    assert {audio.data for audio in taken} == {data}
    assert all(audio.media_type.startswith("audio/") for audio in taken)
    part = Audio(b"x", "audio/mpeg")
    assert read_audio(part) is part


@pytest.mark.parametrize("source", [b"", b"no sound at all", "nowhere.wav"])
def test_what_is_no_recording_is_refused(source: bytes | str) -> None:
    with pytest.raises(InvalidInput):
        read_audio(source)


def test_the_length_of_a_recording_is_measured_or_unknown() -> None:
    assert seconds_of(recording(1.5)) == 1.5
    assert seconds_of(b"ID3 not a wave") is None
    assert seconds_of(recording()[:20]) is None


def test_texts_are_cut_into_batches_without_losing_one() -> None:
    assert batches("one", 10) == [("one",)]
    assert batches(["a", "b", "c"], 2) == [("a", "b"), ("c",)]
    assert batches(["a", "b", "c"], None) == [("a", "b", "c")]


def test_a_provider_that_cannot_says_so(ws: Workspace) -> None:
    ws.providers.connect("local")
    model = ws.models.list("local")[0].id
    with pytest.raises(NotConfigured):
        ws.llm.transcribe(recording(), model=model)
