"""Hugging Face: what is sent, and how every kind of answer is read, in all four ways to call; its list of models."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llm_core import Workspace
from llm_core.errors import InvalidConnection, InvalidMessage, InvalidParameters, ProviderFailed, UnreadableAnswer
from llm_core.providers.huggingface import connect
from llm_core.providers.huggingface_tasks import Embedding, Transcribing
from llm_core.providers.llama_server import ModelToServe, borrow, give_back
from llm_core.providers.protocol import Answer, Deadline, EmbedRequest, TranscribeRequest
from llm_core.types import Audio, File, Image, LLMProvider, Message, Text, ToolCall, ToolResult, Usage
from tests.wire.calls import KEY, STREAM_WAYS, WAYS, adapter_to, assert_as_expected, call, cases, request
from tests.wire.embeddings import vector
from tests.wire.recordings import Recording, own, recorded
from tests.wire.replies import Raw, Say
from tests.wire.server import WireServer

from .test_openai_chat import PNG, STRICT, TOOL

MODEL = "deepseek-ai/DeepSeek-R1"
RECORDED = recorded("huggingface-chat")
FIXTURES = {each.id: each for each in own("huggingface/chat.json")}
ROUTED = {"x-inference-provider": "together"}


def sent(wire: WireServer, *arguments: Any, way: str = "complete", **named: Any) -> dict[str, Any]:
    """The body that one request puts on the wire, after the replay server has checked it."""
    with adapter_to(wire, "huggingface") as adapter:
        outcome = call(adapter, request(*arguments, **{"model": MODEL, **named}), way)
    assert outcome.error is None
    body: dict[str, Any] = wire.requests[-1].body
    return body


@pytest.mark.parametrize(("fixture", "way"), cases(FIXTURES.values()))
def test_an_answer_is_read_as_it_was_meant(wire: WireServer, fixture: Recording, way: str) -> None:
    wire.script(fixture.step())
    expect = dict(fixture.expect)
    if "model_reported" in expect:
        expect["model_reported"] = expect["model_reported"].replace("{asked}", MODEL)
    with adapter_to(wire, "huggingface") as adapter:
        assert_as_expected(call(adapter, request(model=MODEL), way), expect)


@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize(("recording", "way"), cases(RECORDED))
def test_a_recorded_answer_is_read_as_the_sdk_read_it(
    wire: WireServer, recording: Recording, way: str, split: bool
) -> None:
    """The SDK leaves the thinking in the text; so do we where the connection says so."""
    wire.script(recording.step())
    with adapter_to(wire, "huggingface", split_thinking=split) as adapter:
        outcome = call(adapter, request(model=recording.request["body"]["model"]), way)
    answer, whole = outcome.answer, recording.sdk_text or ""
    assert outcome.error is None
    thinking = re.match(r"<think>(.*?)</think>", whole, re.DOTALL) if split else None
    if thinking is None:
        assert (answer.text, answer.reasoning) == (whole, "")
    else:
        assert (answer.text, answer.reasoning) == (whole[thinking.end() :].lstrip(), thinking[1].strip())
    told: Any = recording.sdk_usage
    assert told["prompt_tokens"] + told["completion_tokens"] == told["total_tokens"]
    assert answer.usage == Usage(input_tokens=told["prompt_tokens"], output_tokens=told["completion_tokens"])
    if "stream" in way:
        assert "".join(piece.text for piece in outcome.pieces) == answer.text
        assert "".join(piece.reasoning for piece in outcome.pieces) == answer.reasoning


def test_counts_that_are_not_known_stay_in_the_raw_ones(wire: WireServer) -> None:
    wire.script(FIXTURES["plain, with extras that stay in the raw counts"].step())
    with adapter_to(wire, "huggingface") as adapter:
        answer = call(adapter, request()).answer
    assert answer.raw_usage is not None
    assert answer.raw_usage["cached_tokens"] == 3


def test_thinking_comes_as_pieces_of_its_own(wire: WireServer) -> None:
    wire.script(FIXTURES["thinking in the text, tags in pieces"].step())
    with adapter_to(wire, "huggingface") as adapter:
        pieces = call(adapter, request(), "stream").pieces
    assert [(piece.text, piece.reasoning) for piece in pieces] == [
        ("", "Let me"),
        ("", " see."),
        ("Blue,", ""),
        (" of course.", ""),
    ]


def test_the_least_that_can_be_sent(wire: WireServer) -> None:
    assert sent(wire) == {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}]}
    assert wire.requests[0].path == "/v1/chat/completions"
    assert wire.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("way", STREAM_WAYS)
def test_a_stream_is_asked_for_its_counts(wire: WireServer, way: str) -> None:
    body = sent(wire, way=way)
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


def test_a_provider_named_with_the_model_is_sent_with_it(wire: WireServer) -> None:
    assert sent(wire, model=f"{MODEL}:together")["model"] == f"{MODEL}:together"


@pytest.mark.parametrize(
    ("asked", "reported"),
    [
        (MODEL, f"{MODEL}:together"),
        (f"{MODEL}:fastest", f"{MODEL}:together"),
        (f"{MODEL}:cheapest", f"{MODEL}:together"),
        (f"{MODEL}:novita", "as it calls itself"),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_the_provider_that_the_router_chose_is_told_with_the_model(
    wire: WireServer, asked: str, reported: str, way: str
) -> None:
    wire.script(Say(model="as it calls itself", headers=ROUTED))
    with adapter_to(wire, "huggingface") as adapter:
        answer = call(adapter, request(model=asked), way).answer
    assert (answer.model_reported, answer.route) == (reported, "together")


def test_system_turns_images_tools_and_results_are_sent(wire: WireServer) -> None:
    history = (
        Message("user", [Text("And?"), Image(data=PNG)]),
        Message("assistant", [ToolCall("c1", "weather", "{}")]),
        Message("tool", [ToolResult("c1", "rain")]),
    )
    body = sent(wire, history, parameters={"system": "Be brief."}, tools=(TOOL,), tool_choice="weather")
    encoded = base64.b64encode(PNG).decode()
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "And?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ]
    assert body["tools"] == [TOOL]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}


def test_a_schema_and_every_parameter_reach_the_wire(wire: WireServer) -> None:
    given = {
        "temperature": 0.1,
        "max_tokens": 100,
        "top_p": 0.9,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "seed": 7,
        "stop": ("END",),
        "n": 2,
        "reasoning_effort": "low",
        "logprobs": True,
        "top_logprobs": 3,
    }
    body = sent(wire, parameters=given, schema=STRICT)
    assert body["response_format"]["json_schema"] == {"name": "Colour_of_a_thing", "schema": STRICT, "strict": True}
    assert {name: body[name] for name in given} == {**given, "stop": ["END"]}


@pytest.mark.parametrize(
    "given",
    [
        {"top_k": 5},
        {"min_p": 0.1},
        {"repetition_penalty": 1.1},
        {"verbosity": "low"},
        {"service_tier": "flex"},
        {"thinking_budget": 5},
        {"safety_settings": {}},
    ],
)
def test_a_parameter_without_a_place_is_refused_before_anything_is_sent(wire: WireServer, given: Any) -> None:
    with adapter_to(wire, "huggingface") as adapter:
        assert isinstance(call(adapter, request(parameters=given)).error, InvalidParameters)
    assert not wire.requests


@pytest.mark.parametrize("part", [Audio(b"RIFF"), File(b"%PDF", "application/pdf")])
def test_a_message_that_cannot_be_sent_is_refused(wire: WireServer, part: Any) -> None:
    with adapter_to(wire, "huggingface") as adapter:
        assert isinstance(call(adapter, request([part])).error, InvalidMessage)
    assert not wire.requests


def test_the_organization_that_pays_is_named_and_options_are_checked(wire: WireServer) -> None:
    with adapter_to(wire, "huggingface", organization="my-team") as adapter:
        call(adapter, request())
    assert wire.requests[0].headers["x-hf-bill-to"] == "my-team"
    for options in ({"split_thinking": "no"}, {"organization": 7}, {"project": "x"}):
        with pytest.raises(InvalidConnection), adapter_to(wire, "huggingface", **options):
            pass


MEDIA = {"input_modalities": ["text", "image"], "output_modalities": ["text"]}


def test_models_tell_what_their_live_providers_can_do_together(wire: WireServer) -> None:
    routes = [
        {"provider": "novita", "status": "live", "context_length": 64_000, "supports_tools": True},
        {"provider": "together", "status": "live", "context_length": 128_000, "supports_structured_output": True},
        {"provider": "gone", "status": "error", "context_length": 1_000_000},
    ]
    entries = [
        {"id": "a/b", "architecture": MEDIA, "providers": routes},
        {"id": "c/d", "providers": routes[2:]},
        {"id": "e/f"},
    ]
    wire.script(Raw(body={"object": "list", "data": entries}))
    with adapter_to(wire, "huggingface") as adapter:
        both, gone, bare = adapter.list_models(Deadline(20))
    assert wire.requests[0].path == "/v1/models"
    assert wire.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert (both.id, both.context_window, both.available) == ("test:a/b", 128_000, True)
    assert both.capabilities == {"chat", "tools", "schema", "images"}
    assert (both.modalities, both.outputs) == ({"text", "image"}, {"text"})
    assert (gone.available, gone.context_window) == (False, None)
    assert (bare.available, bare.capabilities) == (True, {"chat"})


TEXTS = ("One.", "Twenty two.")
EMBED = EmbedRequest("intfloat/e5", TEXTS, Deadline(None))
RECORDING = TranscribeRequest("openai/whisper-large-v3", b"RIFF\xff", "audio/wav", Deadline(None))


@pytest.mark.parametrize("use_async", [False, True])
def test_texts_are_embedded_by_hugging_face_itself(wire: WireServer, use_async: bool) -> None:
    answer, asked = Answer(), dataclasses.replace(EMBED, dimensions=2)
    with adapter_to(wire, "huggingface") as adapter:
        _done(adapter.aembed(asked, answer) if use_async else adapter.embed(asked, answer))
    assert answer.vectors == [vector(text, 2) for text in TEXTS]
    assert (answer.usage, answer.model_reported) == (None, "intfloat/e5:hf-inference")
    (got,) = wire.requests
    assert got.path == "/hf-inference/models/intfloat/e5/pipeline/feature-extraction"
    assert got.body == {"inputs": list(TEXTS), "dimensions": 2}
    assert got.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("use_async", [False, True])
def test_a_recording_is_sent_as_it_is(wire: WireServer, use_async: bool) -> None:
    wire.script(Say(text="Good morning."))
    answer = Answer()
    with adapter_to(wire, "huggingface") as adapter:
        _done(adapter.atranscribe(RECORDING, answer) if use_async else adapter.transcribe(RECORDING, answer))
    assert (answer.text, answer.finish, answer.usage) == ("Good morning.", "stop", None)
    assert answer.segments == [{"text": "Good morning.", "timestamp": [0.0, 12.5]}]
    (got,) = wire.requests
    assert (got.path, got.body) == ("/hf-inference/models/openai/whisper-large-v3", RECORDING.data)
    assert got.headers["content-type"] == "audio/wav"


def _done(result: Any) -> None:
    if result is not None:
        asyncio.run(result)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ([[0.1, 0.2]], UnreadableAnswer),  # one for two texts
        ([[[0.1], [0.2]], [[0.3], [0.4]]], UnreadableAnswer),  # one for each token
        ({"x": 1}, UnreadableAnswer),
        ({"error": "It broke."}, ProviderFailed),
    ],
)
def test_vectors_that_are_not_one_for_each_text_are_refused(wire: WireServer, body: Any, kind: type[Exception]) -> None:
    wire.script(Raw(body=body))
    with adapter_to(wire, "huggingface") as adapter, pytest.raises(kind):
        adapter.embed(EMBED, Answer())


@pytest.mark.parametrize(
    ("model", "path", "body", "answer"),
    [
        (
            "bge-multilingual:scaleway",
            "/scaleway/v1/embeddings",
            b'{"input":["One.","Twenty two."],"model":"bge-multilingual"}',
            {"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]},
        ),
        (
            "intfloat/e5:deepinfra",
            "/deepinfra/v1/openai/embeddings",
            b'{"input":["One.","Twenty two."],"model":"intfloat/e5"}',
            {"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]},
        ),
    ],
)
def test_a_provider_named_with_the_model_embeds_in_its_own_way(model: str, path: str, body: bytes, answer: Any) -> None:
    task = Embedding(dataclasses.replace(EMBED, model=model))
    out = task.outgoing(None)
    assert (out.path, out.content, out.content_type) == (path, body, "application/json")
    into = Answer()
    task.read(answer, into)
    assert (into.vectors, into.model_reported) == ([[1.0], [2.0]], model)


def test_providers_that_transcribe_get_a_recording_in_their_own_way() -> None:
    hinted = dataclasses.replace(RECORDING, model="whisper:deepinfra", language="en", prompt="Ada")
    out = Transcribing(hinted).outgoing(None)
    assert out.path == "/deepinfra/v1/openai/audio/transcriptions"
    assert out.content_type.startswith("multipart/form-data; boundary=")
    for part in (RECORDING.data, b'filename="audio.wav"', b'name="language"', b"Ada", b"whisper"):
        assert part in out.content
    task = Transcribing(dataclasses.replace(RECORDING, model="fal-ai/whisper:fal-ai"))
    out = task.outgoing(None)
    assert (out.path, out.content_type) == ("/fal-ai/fal-ai/whisper", "application/json")
    assert base64.b64encode(RECORDING.data) in out.content
    into = Answer()
    task.read({"text": "Good morning."}, into)
    assert (into.text, into.segments) == ("Good morning.", [])


@pytest.mark.parametrize(
    "more", [{"language": "en"}, {"prompt": "Ada"}, {"model": "w:replicate"}, {"model": "w:nobody"}]
)
def test_what_a_provider_cannot_do_is_refused_before_anything_is_sent(wire: WireServer, more: Any) -> None:
    with adapter_to(wire, "huggingface") as adapter:
        with pytest.raises(InvalidParameters):
            adapter.transcribe(dataclasses.replace(RECORDING, **more), Answer())
        with pytest.raises(InvalidParameters):
            adapter.embed(dataclasses.replace(EMBED, model="m:fal-ai"), Answer())
    assert not wire.requests


CHILD = """
import sys
from llm_core.providers.huggingface import connect
from llm_core.providers.protocol import *
from llm_core.types import *
adapter = connect(LLMProvider("hf", "huggingface", base_url=sys.argv[1]), None)
adapter.complete(ChatRequest("m", (Message("user", "Hi."),), Parameters(), Deadline(20)), Answer())
adapter.embed(EmbedRequest("m", ("x",), Deadline(20)), Answer())
adapter.transcribe(TranscribeRequest("m", b"RIFF\\xff", "audio/wav", Deadline(20)), Answer())
adapter.list_models(Deadline(20))
adapter.close()
from huggingface_hub.utils import _http
assert _http._GLOBAL_CLIENT is None and _http._GLOBAL_CLIENT_FACTORY is _http.default_client_factory
"""


def test_nothing_of_the_environment_is_sent_and_other_uses_of_the_hub_are_left_alone(wire: WireServer) -> None:
    """In a process of its own: the SDK reads most of its variables when it is imported."""
    names = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_USER_AGENT_ORIGIN", "CLAUDECODE", "AI_AGENT")
    addresses = ("HF_ENDPOINT", "HF_INFERENCE_ENDPOINT", "http_proxy", "ALL_PROXY")
    hostile = dict.fromkeys(names, "ambient") | dict.fromkeys(addresses, "http://127.0.0.1:1")
    hostile |= {"HF_HUB_OFFLINE": "1", "HUGGINGFACE_CO_STAGING": "1", "HF_DEBUG": "1", "SSL_CERT_FILE": "/ambient"}
    command = [sys.executable, "-c", CHILD, wire.base_url]
    done = subprocess.run(command, env={**os.environ, **hostile}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(wire.requests) == 4
    for got in wire.requests:
        assert "authorization" not in got.headers
        assert "ambient" not in str(got.headers)
        assert "agent/" not in got.headers["user-agent"]


@pytest.mark.parametrize(
    ("asked", "headers", "usd"),
    [
        (f"{MODEL}:together", {}, "0.0100000000"),  # 1,000 at 3 and 1,000 at 7 dollars a million
        (MODEL, ROUTED, "0.0100000000"),
        (MODEL, {}, None),
    ],
)
def test_a_call_has_the_price_of_the_provider_behind_the_router(
    wire: WireServer, ws: Workspace, asked: str, headers: Any, usd: str | None
) -> None:
    ws.providers.connect("huggingface", "hf_made_up_key_0123456789abcdefghij", base_url=wire.base_url)
    wire.usual = Say(text="Hi.", usage=Usage(input_tokens=1_000, output_tokens=1_000), headers=headers)
    reply = ws.llm.complete("Hi.", model=f"huggingface:{asked}")
    assert reply.text == "Hi."
    assert (str(reply.cost_usd) if reply.cost_usd is not None else None) == usd


def test_a_stream_without_counts_is_recorded_as_estimated(wire: WireServer, ws: Workspace) -> None:
    ws.providers.connect("huggingface", "hf_made_up_key_0123456789abcdefghij", base_url=wire.base_url)
    wire.usual = Say(text="word " * 40, usage=None)
    stream = ws.llm.stream("Hi.", model=f"huggingface:{MODEL}:together")
    assert "".join(stream) == "word " * 40
    assert stream.reply is not None
    assert stream.reply.usage_source == "estimated"
    assert stream.reply.usage is not None
    assert stream.reply.usage.output_tokens == 50


@pytest.mark.model
def test_a_real_model_behind_the_same_format_answers_in_all_four_ways(local_model: Path) -> None:
    server = borrow(ModelToServe(local_model, "smol", 2048))
    adapter = connect(LLMProvider("test", "huggingface", base_url=server.base_url), server.key)
    asked: Any = {"model": "smol", "parameters": {"max_tokens": 12, "temperature": 0.0, "seed": 1}}
    try:
        outcomes = [call(adapter, request("Say hello in three words.", **asked), way) for way in WAYS]
        listed = adapter.list_models(Deadline(20))
    finally:
        adapter.close()
        give_back(server)
    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert len({outcome.answer.text for outcome in outcomes}) == 1
    usages = [outcome.answer.usage for outcome in outcomes]
    assert all(usage is not None and 0 < usage.output_tokens <= 12 for usage in usages)
    assert len({usage.input_tokens for usage in usages if usage}) == 1
    assert [model.name for model in listed] == ["smol"]
