"""Google: what is sent, and how every kind of answer is read, in all four ways to call; its list of models."""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import Any

import pytest

from llm_core import Workspace
from llm_core.errors import (
    InvalidConnection,
    InvalidMessage,
    InvalidParameters,
    ModelNotFound,
    ProviderOverloaded,
    UnreadableAnswer,
)
from llm_core.providers.google_client import GoogleSDK
from llm_core.providers.google_content import kept_signature
from llm_core.providers.google_transcribe import INSTRUCTION
from llm_core.providers.protocol import Answer, Deadline, EmbedRequest, TranscribeRequest
from llm_core.types import Audio, File, Image, LLMProvider, Message, Text, ToolCall, ToolResult, Usage
from tests.wire.calls import KEY, STREAM_WAYS, WAYS, adapter_to, assert_as_expected, call, cases, request
from tests.wire.embeddings import vector
from tests.wire.recordings import Recording, own, recorded
from tests.wire.replies import Raw, Say
from tests.wire.server import WireServer

from .test_openai_chat import PNG, STRICT, TOOL

RECORDED = recorded("gemini-generate")
FIXTURES = {each.id: each for each in (*own("google/generate.json"), *own("google/errors.json"))}


def sent(wire: WireServer, *arguments: Any, way: str = "complete", options: Any = None, **named: Any) -> dict[str, Any]:
    """The body that one request puts on the wire, after the replay server has checked it as Google would."""
    with adapter_to(wire, "google", **(options or {})) as adapter:
        outcome = call(adapter, request(*arguments, **{"model": "gemini-3.6-flash", **named}), way)
    assert outcome.error is None
    body: dict[str, Any] = wire.requests[-1].body
    return body


@pytest.mark.parametrize(("fixture", "way"), cases(own("google/generate.json")))
def test_an_answer_is_read_as_it_was_meant(wire: WireServer, fixture: Recording, way: str) -> None:
    wire.script(fixture.step())
    with adapter_to(wire, "google") as adapter:
        assert_as_expected(call(adapter, request(), way), fixture.expect)


@pytest.mark.parametrize(("recording", "way"), cases(r for r in RECORDED if r.response["status"] == 200))
def test_a_recorded_answer_is_read_as_the_sdk_read_it(wire: WireServer, recording: Recording, way: str) -> None:
    wire.script(recording.step())
    with adapter_to(wire, "google") as adapter:
        outcome = call(adapter, request(), way)
    assert outcome.error is None
    assert outcome.answer.text == recording.sdk_text
    assert outcome.answer.usage == _as_recorded(recording.sdk_usage)
    if "stream" in way:
        assert "".join(piece.text for piece in outcome.pieces) == recording.sdk_text


@pytest.mark.parametrize(("recording", "way"), cases(r for r in RECORDED if r.response["status"] == 404))
def test_a_recorded_refusal_of_a_model(wire: WireServer, recording: Recording, way: str) -> None:
    wire.script(recording.step())
    with adapter_to(wire, "google") as adapter:
        assert isinstance(call(adapter, request(), way).error, ModelNotFound)


def _as_recorded(told: Any) -> Usage:
    """What the vendor's SDK returned. Written out once more, apart from the adapter's own reading."""
    thoughts, tool = told.get("thoughts_token_count", 0), told.get("tool_use_prompt_token_count", 0)
    said = told.get("candidates_token_count", 0)
    assert told["prompt_token_count"] + said + thoughts + tool == told["total_token_count"]
    audio = [entry for entry in told["prompt_tokens_details"] if entry["modality"] == "AUDIO"]
    return Usage(
        input_tokens=told["prompt_token_count"] + tool,
        input_audio_tokens=sum(entry["token_count"] for entry in audio),
        output_tokens=said + thoughts,
        reasoning_tokens=thoughts,
    )


@pytest.mark.parametrize("name", ["totals that do not add up are taken as they are", "more cached than asked"])
def test_counts_that_contradict_each_other_are_told_and_kept(
    wire: WireServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    wire.script(FIXTURES[name].step())
    with adapter_to(wire, "google") as adapter:
        answer = call(adapter, request()).answer
    assert answer.raw_usage == FIXTURES[name].response["body"]["usageMetadata"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("raw", [{}, {"promptTokenCount": -1}, {"promptTokenCount": "4"}, {"totalTokenCount": 9}])
def test_counts_without_the_prompt_are_no_usage(wire: WireServer, raw: Any) -> None:
    wire.script(Raw(body={**FIXTURES["no counts at all"].response["body"], "usageMetadata": raw}))
    with adapter_to(wire, "google") as adapter:
        outcome = call(adapter, request())
    assert (outcome.error, outcome.answer.usage, outcome.answer.raw_usage) == (None, None, raw)


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("ended for MALFORMED_FUNCTION_CALL", Usage(input_tokens=4, output_tokens=6)),
        ("a prompt that was blocked", Usage(input_tokens=7)),
    ],
)
def test_what_an_answer_that_failed_has_used_is_kept(wire: WireServer, name: str, usage: Usage) -> None:
    wire.script(FIXTURES[name].step())
    with adapter_to(wire, "google") as adapter:
        outcome = call(adapter, request())
    assert outcome.error is not None
    assert outcome.answer.usage == usage


@pytest.mark.parametrize("body", [{"candidates": [7]}, {"candidates": [{"content": {"parts": "x"}}]}, [], 7, "x"])
def test_what_is_no_answer_cannot_be_read(wire: WireServer, body: Any) -> None:
    wire.script(Raw(body=body if not isinstance(body, str) else '"x"'))
    with adapter_to(wire, "google") as adapter:
        assert isinstance(call(adapter, request()).error, UnreadableAnswer)


@pytest.mark.parametrize("way", WAYS)
def test_an_error_whose_body_is_no_text_still_has_its_status(wire: WireServer, way: str) -> None:
    """The SDK fails over such a body."""
    wire.script(Raw(status=503, body=b"\xff\xfe{", headers={"content-type": "application/octet-stream"}))
    with adapter_to(wire, "google") as adapter:
        error = call(adapter, request(), way).error
    assert isinstance(error, ProviderOverloaded)
    assert error.status == 503


def test_a_client_is_of_the_gemini_api_and_replays_nothing_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_GENAI_USE_ENTERPRISE": "true",
        "GOOGLE_GENAI_CLIENT_MODE": "replay",
    }.items():
        monkeypatch.setenv(name, value)
    sdk = GoogleSDK(LLMProvider("test", "google"), "http://127.0.0.1:1", KEY)
    client = sdk.new_client()
    assert (type(client._api_client).__name__, client._api_client.vertexai) == ("BaseApiClient", False)
    sdk.close_client(client)


@pytest.mark.parametrize("way", STREAM_WAYS)
def test_a_stream_that_is_cut_counts_what_it_told_and_guesses_the_rest(wire: WireServer, way: str) -> None:
    wire.script(Say(text="word " * 40, usage=Usage(input_tokens=500, output_tokens=90), cut_after=30))
    with adapter_to(wire, "google") as adapter:
        answer = call(adapter, request(), way).answer
        guess = adapter.estimate_usage(request(), answer)
    assert answer.usage is None
    assert guess is not None
    assert guess.input_tokens == 500
    assert guess.output_tokens > 29


@pytest.mark.parametrize("way", WAYS)
def test_the_least_that_can_be_sent(wire: WireServer, way: str) -> None:
    """The key stands in a header: what is in a URL ends in logs."""
    body = sent(wire, way=way)
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}], "store": False}
    action = "streamGenerateContent?alt=sse" if way in STREAM_WAYS else "generateContent"
    assert wire.requests[0].path == f"/v1beta/models/gemini-3.6-flash:{action}"
    assert wire.requests[0].headers["x-goog-api-key"] == KEY


def test_google_keeps_prompts_only_where_the_connection_says_so(wire: WireServer) -> None:
    assert sent(wire, options={"store": True})["store"] is True


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-4", "models/gemini-4"),
        ("tunedModels/mine", "tunedModels/mine"),
        ("gemini 4?x", "models/gemini%204%3Fx"),
    ],
)
def test_a_model_stands_in_the_path(wire: WireServer, model: str, path: str) -> None:
    with adapter_to(wire, "google") as adapter:
        call(adapter, request(model=model))
    assert wire.requests[0].path == f"/v1beta/{path}:generateContent"


def test_the_version_of_the_api_can_be_chosen(wire: WireServer) -> None:
    with adapter_to(wire, "google", api_version="v1") as adapter:
        call(adapter, request(model="m"))
    assert wire.requests[0].path == "/v1/models/m:generateContent"
    for version in ("../v1", "", 1):
        with pytest.raises(InvalidConnection), adapter_to(wire, "google", api_version=version):
            pass


def test_system_messages_stand_apart_and_neighbours_become_one_turn(wire: WireServer) -> None:
    history = (
        Message("system", "Be brief."),
        Message("user", "Hi."),
        Message("assistant", "Hi!"),
        Message("system", "It is night."),
        Message("user", [Text(""), Text("And "), Text("now?")]),
        Message("user", "Well?"),
    )
    body = sent(wire, history, parameters={"system": "Be kind."})
    assert body["systemInstruction"] == {
        "parts": [{"text": "Be kind."}, {"text": "Be brief."}, {"text": "It is night."}]
    }
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "Hi."}]},
        {"role": "model", "parts": [{"text": "Hi!"}]},
        {"role": "user", "parts": [{"text": "And "}, {"text": "now?"}, {"text": "Well?"}]},
    ]


def test_images_files_and_audio_become_parts(wire: WireServer) -> None:
    parts = [
        Text("Look: "),
        Image(data=PNG),
        Image(url="https://example.com/a.jpg?x=1"),
        Image(url="https://example.com/watch"),
        File(b"%PDF", "application/pdf", "a.pdf"),
        File(b"{}", "application/json", "a.json"),
        Audio(b"RIFF", "audio/x-wav"),
        Audio(b"OggS", "audio/ogg; codecs=opus"),
    ]
    found = sent(wire, parts)["contents"][0]["parts"]
    encoded = base64.b64encode(PNG).decode()
    assert found[1:] == [
        {"inlineData": {"mimeType": "image/png", "data": encoded}},
        {"fileData": {"fileUri": "https://example.com/a.jpg?x=1", "mimeType": "image/jpeg"}},
        {"fileData": {"fileUri": "https://example.com/watch"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}},
        {"inlineData": {"mimeType": "text/plain", "data": "e30="}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}},
        {"inlineData": {"mimeType": "audio/ogg", "data": "T2dnUw=="}},
    ]


def test_tools_are_declared_and_those_of_google_are_left_as_they_are(wire: WireServer) -> None:
    bare = {"type": "function", "function": {"name": "now", "strict": True}}
    function: Any = TOOL["function"]
    body = sent(wire, tools=(TOOL, {"googleSearch": {}}, bare))
    declared = {"name": "weather", "description": function["description"]} if "description" in function else {}
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {**declared, "name": function["name"], "parametersJsonSchema": function["parameters"]},
                {"name": "now"},
            ]
        },
        {"googleSearch": {}},
    ]


@pytest.mark.parametrize(
    ("choice", "theirs"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ("weather", {"mode": "ANY", "allowedFunctionNames": ["weather"]}),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        ),
        ({"functionCallingConfig": {"mode": "VALIDATED"}}, {"mode": "VALIDATED"}),
    ],
)
def test_a_tool_choice_is_translated(wire: WireServer, choice: Any, theirs: Any) -> None:
    assert sent(wire, tools=(TOOL,), tool_choice=choice)["toolConfig"] == {"functionCallingConfig": theirs}


def test_calls_and_results_are_sent_and_the_signature_of_a_thought_comes_back(wire: WireServer) -> None:
    wire.script(Say(text="", tool_calls=(("c1", "weather", '{"city": "Oslo"}'), ("c2", "weather", "{}"))))
    with adapter_to(wire, "google") as adapter:
        calls = call(adapter, request()).answer.tool_calls
        history = (
            Message("user", "Weather?"),
            Message("assistant", [Text("I look."), *calls]),
            Message("tool", [ToolResult("c1", '{"sky": "rain"}')]),
            Message("tool", [ToolResult("c2", "[1]")]),
            Message("user", "And?"),
        )
        assert call(adapter, request(history)).error is None
    asked, results = wire.requests[-1].body["contents"][1:]
    assert asked["parts"] == [
        {"text": "I look."},
        {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "c2lnbmVk"},
        {"functionCall": {"id": "c2", "name": "weather", "args": {}}},
    ]
    assert results["parts"] == [
        {"functionResponse": {"id": "c1", "name": "weather", "response": {"sky": "rain"}}},
        {"functionResponse": {"id": "c2", "name": "weather", "response": {"output": "[1]"}}},
        {"text": "And?"},
    ]


@pytest.mark.parametrize("opaque", ["", "no JSON", "7", '{"anthropic": []}', '{"google": 7}'])
@pytest.mark.parametrize(
    ("model", "signature"),
    [
        ("gemini-3.6-flash", "skip_thought_signature_validator"),
        ("gemini-flash-latest", "skip_thought_signature_validator"),
        ("gemini-2.5-pro", None),
        ("gemma-4-31b-it", None),
    ],
)
def test_calls_of_other_models_are_marked_as_unsigned_where_a_signature_is_asked_for(
    wire: WireServer, opaque: str, model: str, signature: str | None
) -> None:
    calls = [ToolCall("c1", "f", "{}", opaque), ToolCall("c2", "f", "", opaque)]
    results = [ToolResult("c1", "1"), ToolResult("c2", "2")]
    history = (Message("user", "Go."), Message("assistant", calls), Message("tool", results))
    parts = sent(wire, history, model=model)["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [signature, None]


def test_a_signature_is_kept_only_where_there_is_one() -> None:
    assert (kept_signature(None), kept_signature("")) == ("", "")
    assert kept_signature("AbC=") == '{"google": "AbC="}'


def test_a_schema_and_formats_are_sent(wire: WireServer) -> None:
    wanted = {"responseMimeType": "application/json", "responseJsonSchema": STRICT}
    assert sent(wire, schema=STRICT)["generationConfig"] == wanted
    openais = {"type": "json_schema", "json_schema": {"name": "a", "schema": STRICT}}
    bare = {"type": "json_schema", "schema": STRICT}
    any_shape = {"responseMimeType": "application/json"}
    for given, theirs in ((openais, wanted), (bare, wanted), ("json_object", any_shape), ("text", None)):
        assert sent(wire, parameters={"response_format": given}).get("generationConfig") == theirs


@pytest.mark.parametrize(
    ("model", "given", "thinking"),
    [
        ("gemini-2.5-flash", {"thinking_budget": 0}, {"thinkingBudget": 0}),
        ("gemini-2.5-flash", {"thinking_budget": -1}, {"thinkingBudget": -1, "includeThoughts": True}),
        ("gemini-2.5-pro", {"thinking_budget": 500}, {"thinkingBudget": 500, "includeThoughts": True}),
        ("gemini-2.5-pro", {"reasoning_effort": "low"}, {"thinkingBudget": 1024, "includeThoughts": True}),
        ("gemini-2.5-flash", {"reasoning_effort": "none"}, {"thinkingBudget": 0}),
        ("gemini-3.6-flash", {"reasoning_effort": "minimal"}, {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        ("gemini-4-argon", {"reasoning_effort": "high"}, {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-3-pro-preview", {"thinking_budget": 500}, {"thinkingBudget": 500, "includeThoughts": True}),
    ],
)
def test_thinking_is_asked_for_as_the_model_knows_it(wire: WireServer, model: str, given: Any, thinking: Any) -> None:
    assert sent(wire, model=model, parameters=given)["generationConfig"] == {"thinkingConfig": thinking}


def test_every_other_parameter_reaches_the_wire(wire: WireServer) -> None:
    given = {
        "temperature": 0.0,
        "max_tokens": 100,
        "top_p": 0.9,
        "top_k": 5,
        "seed": 7,
        "n": 2,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "stop": ("END",),
        "logprobs": True,
        "top_logprobs": 3,
        "service_tier": "flex",
    }
    body = sent(wire, parameters=given)
    assert body["serviceTier"] == "flex"
    assert body["generationConfig"] == {
        "temperature": 0.0,
        "maxOutputTokens": 100,
        "topP": 0.9,
        "topK": 5,
        "seed": 7,
        "candidateCount": 2,
        "frequencyPenalty": 0.1,
        "presencePenalty": 0.2,
        "stopSequences": ["END"],
        "responseLogprobs": True,
        "logprobs": 3,
    }


@pytest.mark.parametrize(
    "given",
    [
        {"harassment": "BLOCK_NONE"},
        {"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"},
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"},
        [{"category": "harassment", "threshold": "BLOCK_NONE"}],
    ],
)
def test_safety_settings_are_taken_in_short_and_in_full(wire: WireServer, given: Any) -> None:
    wanted = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    assert sent(wire, parameters={"safety_settings": given})["safetySettings"] == wanted


def test_log_probabilities_are_kept(wire: WireServer) -> None:
    chosen = {"token": "Hi", "tokenId": 1, "logProbability": -0.1}
    other = {"token": "Ho", "tokenId": 2, "logProbability": -2.1}
    result = {"chosenCandidates": [chosen], "topCandidates": [{"candidates": [chosen, other]}]}
    candidate = {"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP", "logprobsResult": result}
    body = {"candidates": [candidate]}
    wire.script(Raw(body=body), Raw(events=[f"data: {Raw(body=body).content.decode()}"] * 2))
    entry = {**chosen, "topCandidates": [chosen, other]}
    with adapter_to(wire, "google") as adapter:
        assert call(adapter, request()).answer.logprobs == [entry]
        assert call(adapter, request(), "stream").answer.logprobs == [entry, entry]


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ({"min_p": 0.1}, {}),
        ({"repetition_penalty": 1.1}, {}),
        ({"verbosity": "low"}, {}),
        ({"response_format": {"type": "json_schema"}}, {}),
        ({"response_format": "grammar"}, {}),
        ({"thinking_budget": 5, "reasoning_effort": "low"}, {}),
        ({"reasoning_effort": "none"}, {"model": "gemini-3.6-flash"}),
        ({"reasoning_effort": "xhigh"}, {"model": "gemini-2.5-flash"}),
        ({"safety_settings": [{"category": "harassment"}]}, {}),
        ({"safety_settings": ["harassment"]}, {}),
    ],
)
def test_what_has_no_place_is_refused_before_anything_is_sent(wire: WireServer, given: Any, more: Any) -> None:
    with adapter_to(wire, "google") as adapter:
        outcome = call(adapter, request(parameters=given, **more))
    assert isinstance(outcome.error, InvalidParameters)
    assert not wire.requests


@pytest.mark.parametrize(
    "prompt",
    [
        (Message("tool", "no result"),),
        (Message("tool", [ToolResult("nobody", "x")]),),
        (Message("system", [Image(data=PNG)]), Message("user", "Hi.")),
        (Message("user", [ToolCall("c", "f", "{}")]),),
        (Message("assistant", [Image(data=PNG)]),),
        (Message("assistant", [ToolCall("c", "f", "[1]")]),),
        (Message("assistant", [ToolCall("c", "f", "{")]),),
        (Message("user", [Image()]),),
        (Message("user", [Text("")]),),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused(wire: WireServer, prompt: tuple[Message, ...]) -> None:
    with adapter_to(wire, "google") as adapter:
        assert isinstance(call(adapter, request(prompt)).error, InvalidMessage)
    assert not wire.requests


def test_models_are_listed_page_by_page(wire: WireServer) -> None:
    flash = {
        "name": "models/gemini-3.6-flash",
        "displayName": "Gemini 3.6 Flash",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens", "batchGenerateContent"],
        "thinking": True,
    }
    gemma = {"name": "models/gemma-4", "supportedGenerationMethods": ["generateContent"], "inputTokenLimit": 0}
    embed = {"name": "models/gemini-embedding-2", "supportedGenerationMethods": ["embedContent"]}
    speech = {"name": "models/gemini-3.8-flash-tts", "supportedGenerationMethods": ["generateContent"]}
    bare = {"name": "models/new", "supportedGenerationMethods": None}
    wire.script(
        Raw(body={"models": [flash, gemma], "nextPageToken": "a b"}), Raw(body={"models": [embed, speech, bare]})
    )
    with adapter_to(wire, "google") as adapter:
        found = {model.name: model for model in adapter.list_models(Deadline(20))}
    assert [asked.path for asked in wire.requests] == [
        "/v1beta/models?pageSize=1000",
        "/v1beta/models?pageSize=1000&pageToken=a%20b",
    ]
    chat = found["gemini-3.6-flash"]
    assert (chat.id, chat.display_name) == ("test:gemini-3.6-flash", "Gemini 3.6 Flash")
    assert (chat.context_window, chat.max_output_tokens) == (1_048_576, 65_536)
    told = {"chat", "batch", "reasoning", "tools", "schema", "images", "files", "transcription"}
    assert chat.capabilities == told
    assert chat.modalities == {"text", "image", "file", "audio"}
    assert (found["gemma-4"].capabilities, found["gemma-4"].context_window) == ({"chat"}, None)
    assert found["gemini-embedding-2"].capabilities == {"embeddings"}
    assert found["gemini-3.8-flash-tts"].capabilities == found["new"].capabilities == frozenset()


@pytest.mark.parametrize("use_async", [False, True])
def test_texts_are_embedded_in_one_batch(wire: WireServer, use_async: bool) -> None:
    wire.script(Say(usage=Usage(input_tokens=9)), Say(usage=None), Raw(body={"error": {"message": "No."}}))
    texts = ("One.", "Twenty two.")
    asked = EmbedRequest("gemini-embedding-2", texts, Deadline(20), purpose="query", dimensions=2)
    with adapter_to(wire, "google") as adapter:
        answer, without = Answer(), Answer()
        for into in (answer, without):
            _done(adapter.aembed(asked, into) if use_async else adapter.embed(asked, into))
        with pytest.raises(Exception, match="No"):
            _done(adapter.aembed(asked, Answer()) if use_async else adapter.embed(asked, Answer()))
    assert answer.vectors == [vector(text, 2) for text in texts]
    assert (answer.usage, answer.raw_usage) == (Usage(input_tokens=9), {"promptTokenCount": 9})
    assert without.usage is None
    assert wire.requests[0].path == "/v1beta/models/gemini-embedding-2:batchEmbedContents"
    assert wire.requests[0].body["requests"][0] == {
        "model": "models/gemini-embedding-2",
        "taskType": "RETRIEVAL_QUERY",
        "outputDimensionality": 2,
        "content": {"parts": [{"text": "One."}]},
    }


def test_a_purpose_google_does_not_know_is_refused(wire: WireServer) -> None:
    with adapter_to(wire, "google") as adapter, pytest.raises(InvalidParameters):
        adapter.embed(EmbedRequest("m", ("x",), Deadline(20), purpose="poetry"), Answer())
    assert not wire.requests


@pytest.mark.parametrize("use_async", [False, True])
def test_a_recording_is_written_down_by_a_model_that_hears(wire: WireServer, use_async: bool) -> None:
    told = Usage(input_tokens=120, input_audio_tokens=110, output_tokens=30)
    wire.script(Say(text="Good morning.", usage=told))
    asked = TranscribeRequest("gemini-3.6-flash", b"RIFF", "audio/wav", Deadline(20), "en", "Ada, Bob")
    answer = Answer()
    with adapter_to(wire, "google") as adapter:
        _done(adapter.atranscribe(asked, answer) if use_async else adapter.transcribe(asked, answer))
    assert (answer.text, answer.usage, answer.finish) == ("Good morning.", told, "stop")
    audio, text = wire.requests[0].body["contents"][0]["parts"]
    assert audio == {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}
    assert text["text"].startswith(INSTRUCTION)
    assert "en." in text["text"]
    assert "Ada, Bob" in text["text"]


def _done(result: Any) -> None:
    if result is not None:
        asyncio.run(result)


def test_a_listing_and_calls_through_the_workspace_are_kept_and_priced(wire: WireServer, ws: Workspace) -> None:
    wire.models = ["gemini-2.5-flash"]
    ws.providers.connect("google", "AIza-made-up-key-of-google-0123456789ab", base_url=wire.url)
    (model,) = ws.models.refresh("google")
    assert (model.context_window, "transcription" in model.capabilities) == (1_048_576, True)
    wire.usual = Say(text="Hi.", usage=Usage(input_tokens=1_000, output_tokens=100, reasoning_tokens=90))
    reply = ws.llm.complete("Hi.", model="google:gemini-2.5-flash")
    assert (reply.text, reply.request_id) == ("Hi.", "resp_wire")
    assert str(reply.cost_usd) == "0.0005500000"  # 1,000 at 0.3 and 100 at 2.5 dollars a million
    heard = ws.llm.transcribe(b"RIFF", model="google:gemini-2.5-flash")
    assert (heard.text, heard.usage_source) == ("Hi.", "reported")
