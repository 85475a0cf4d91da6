"""OpenAI-compatible endpoints: their own words for things, what they list and count or not, options that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from llm_core.errors import (
    InvalidConnection,
    KeyRefused,
    ModelNotFound,
    NoModelList,
    PermissionRefused,
    UnreadableAnswer,
)
from llm_core.providers import compatible, openai
from llm_core.providers.protocol import Deadline
from llm_core.types import LLMModel, LLMProvider
from tests.wire.calls import KEY, STREAM_WAYS, WAYS, adapter_to, call, request
from tests.wire.replies import Raw, Say, failing
from tests.wire.server import WireServer


@pytest.fixture
def wire(wire: WireServer) -> WireServer:
    wire.lenient = True
    return wire


@pytest.mark.parametrize("way", WAYS)
def test_calls_are_chat_completions_without_a_key(wire: WireServer, way: str) -> None:
    with adapter_to(wire, "compatible", key=None) as adapter:
        outcome = call(adapter, request(), way)
    assert outcome.error is None
    assert outcome.answer.text == Say().text
    assert wire.requests[0].path == "/v1/chat/completions"
    assert "authorization" not in wire.requests[0].headers


def test_a_key_is_sent_where_there_is_one(wire: WireServer) -> None:
    with adapter_to(wire, "compatible") as adapter:
        call(adapter, request())
    assert wire.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_parameters_that_openai_lacks_reach_the_wire(wire: WireServer) -> None:
    given = {"top_k": 40, "min_p": 0.05, "repetition_penalty": 1.1, "max_tokens": 50}
    with adapter_to(wire, "compatible") as adapter:
        assert call(adapter, request(parameters=given)).error is None
    assert {name: wire.requests[0].body[name] for name in given} == given


def test_the_limit_of_an_answer_can_have_its_newer_name(wire: WireServer) -> None:
    with adapter_to(wire, "compatible", max_tokens_name="max_completion_tokens") as adapter:
        call(adapter, request(parameters={"max_tokens": 50}))
    assert wire.requests[0].body["max_completion_tokens"] == 50
    assert "max_tokens" not in wire.requests[0].body


@pytest.mark.parametrize("way", STREAM_WAYS)
def test_an_endpoint_that_refuses_the_question_is_not_asked_for_usage(wire: WireServer, way: str) -> None:
    with adapter_to(wire, "compatible", usage_in_stream=False) as adapter:
        outcome = call(adapter, request("Tell me of the sea."), way)
        assert outcome.error is None
        assert "stream_options" not in wire.requests[0].body
        assert outcome.answer.usage is None
        estimated = adapter.estimate_usage(request("Tell me of the sea."), outcome.answer)
    assert estimated is not None
    assert estimated.input_tokens > 0
    assert estimated.output_tokens > 0


RICH = {
    "id": "vendor/large",
    "name": "Vendor: Large",
    "context_length": 200_000,
    "top_provider": {"max_completion_tokens": 8192},
    "architecture": {"input_modalities": ["text", "image"]},
}


@pytest.mark.parametrize(
    ("listed", "wanted"),
    [
        (RICH, {"display_name": "Vendor: Large", "context_window": 200_000, "max_output_tokens": 8192}),
        (RICH, {"capabilities": frozenset(), "retires_at": None, "knowledge_until": None}),
        (
            RICH
            | {
                "architecture": {"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
                "supported_parameters": ["max_tokens", "tools", "structured_outputs", "reasoning"],
                "expiration_date": "2027-01-31",
                "knowledge_cutoff": "2026-03-31",
            },
            {
                "capabilities": {"chat", "tools", "schema", "reasoning", "images", "files"},
                "modalities": {"text", "image", "file"},
                "outputs": {"text"},
                "retires_at": datetime(2027, 1, 31, tzinfo=UTC),
                "knowledge_until": "2026-03-31",
            },
        ),
        (
            {
                "id": "mistral",
                "max_context_length": 131_072,
                "capabilities": {"completion_chat": True, "function_calling": True, "vision": False},
                "deprecation": "2026-11-30T12:00:00Z",
                "deprecation_replacement_model": "mistral-next",
            },
            {
                "context_window": 131_072,
                "capabilities": {"chat", "tools"},
                "retires_at": datetime(2026, 11, 30, 12, tzinfo=UTC),
                "replacement": "mistral-next",
            },
        ),
        (
            {"id": "openai", "created": 1_700_000_000, "shutdown_date": "2027-02-13"},
            {"retires_at": datetime(2027, 2, 13, tzinfo=UTC), "released_on": None, "capabilities": frozenset()},
        ),
        ({"id": "openai", "shutdown_date": None}, {"retires_at": None}),
        ({"id": "odd dates", "shutdown_date": "soon", "knowledge_cutoff": 2026}, {"retires_at": None}),
        ({"id": "groq", "context_window": 8192, "max_completion_tokens": 4096}, {"max_output_tokens": 4096}),
        ({"id": "vllm", "max_model_len": 4096}, {"context_window": 4096}),
        ({"id": "gguf", "meta": {"n_ctx_train": 2048}}, {"context_window": 2048}),
        ({"id": "plain", "object": "model"}, {"context_window": None, "display_name": ""}),
        ({"id": "odd", "context_length": "many", "meta": None, "architecture": []}, {"context_window": None}),
    ],
)
def test_what_an_endpoint_says_of_a_model_is_kept(
    wire: WireServer, listed: dict[str, Any], wanted: dict[str, Any]
) -> None:
    wire.script(Raw(body={"data": [listed]}))
    with adapter_to(wire, "compatible") as adapter:
        (model,) = adapter.list_models(Deadline(10))
    assert isinstance(model, LLMModel)
    assert (model.id, model.provider, model.available) == (f"test:{listed['id']}", "compatible", True)
    assert {name: getattr(model, name) for name in wanted} == wanted


def test_modalities_are_kept(wire: WireServer) -> None:
    wire.script(Raw(body={"data": [RICH]}))
    with adapter_to(wire, "compatible") as adapter:
        assert adapter.list_models(Deadline(10))[0].modalities == {"text", "image"}


def test_a_bare_list_is_taken_and_sorted_and_each_model_comes_once(wire: WireServer) -> None:
    wire.script(Raw(body=[{"id": "b"}, {"id": "a"}, {"id": "b"}, {"name": "nameless"}]))
    with adapter_to(wire, "compatible") as adapter:
        assert [model.name for model in adapter.list_models(Deadline(10))] == ["a", "b"]


@pytest.mark.parametrize("body", [{"models": []}, "text", 7, {"data": {"id": "a"}}, {"data": [1]}])
def test_what_is_no_list_of_models_is_unreadable(wire: WireServer, body: Any) -> None:
    wire.script(Raw(body=body))
    with adapter_to(wire, "compatible") as adapter, pytest.raises(UnreadableAnswer):
        adapter.list_models(Deadline(10))


@pytest.mark.parametrize("provider", ["compatible", "openai"])
def test_an_endpoint_without_a_list_that_takes_calls_says_so(wire: WireServer, provider: str) -> None:
    wire.missing = {"/v1/models"}
    with adapter_to(wire, provider) as adapter, pytest.raises(NoModelList):
        adapter.list_models(Deadline(10))
    assert wire.requests[-1].body == {}


def test_a_key_that_may_call_but_not_list_says_so(wire: WireServer) -> None:
    wire.script(failing(403, "Missing scopes: api.model.read"))
    with adapter_to(wire) as adapter, pytest.raises(NoModelList):
        adapter.list_models(Deadline(10))


def test_a_key_that_may_do_nothing_is_told_apart(wire: WireServer) -> None:
    wire.script(failing(403, "No."), failing(403, "No."))
    wire.check = False
    with adapter_to(wire) as adapter, pytest.raises(PermissionRefused):
        adapter.list_models(Deadline(10))


def test_an_address_where_nothing_answers_calls_is_told_apart(wire: WireServer) -> None:
    wire.missing = {"/v1/models", "/v1/chat/completions"}
    with adapter_to(wire, "compatible") as adapter, pytest.raises(ModelNotFound):
        adapter.list_models(Deadline(10))


def test_a_wrong_key_is_told_when_listing(wire: WireServer) -> None:
    wire.key = "sk-another"
    with adapter_to(wire, "compatible") as adapter, pytest.raises(KeyRefused) as caught:
        adapter.list_models(Deadline(10))
    assert caught.value.__context__ is None
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"usage_in_steam": False},
        {"usage_in_stream": "no"},
        {"max_tokens_name": "limit"},
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"api-key": "x"}},
        {"headers": {"X-Session-Token": "x"}},
        {"headers": ["X-Title"]},
        {"headers": {"X-Title": 7}},
        {"query": {"api_key": "x"}},
        {"ca_bundle": 7},
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidConnection):
        compatible.connect(LLMProvider("test", "compatible", "http://127.0.0.1:1/v1", options), None)


@pytest.mark.parametrize("options", [{"api": "completions"}, {"usage_in_stream": True}])
def test_options_of_openai_are_checked_too(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidConnection):
        openai.connect(LLMProvider("test", "openai", options=options), KEY)


def test_an_endpoint_without_an_address_cannot_be() -> None:
    with pytest.raises(InvalidConnection):
        compatible.connect(LLMProvider("test", "compatible"), None)
