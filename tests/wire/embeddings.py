"""The endpoints for embeddings as the replay server speaks them: OpenAI's, Cohere's, Google's and Hugging Face's."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

from . import google_generate
from .replies import Say


def vector(text: str, length: int | None) -> list[float]:
    """Made from the text, so that a test can tell which vector is whose."""
    return [float(len(text)), 0.5, -0.25, 0.125][: length or 4]


class _OpenAI:
    PATH = "/v1/embeddings"

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        if unknown := set(body) - _openai_fields():
            return f"Unrecognized request argument supplied: {min(unknown)}"
        if not body.get("input") or not all(isinstance(text, str) and text for text in body["input"]):
            return "'$.input' is invalid."
        return "'$.input' is too long" if len(body["input"]) > 2048 else None

    def plain(self, say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
        data = [
            {"object": "embedding", "index": index, "embedding": vector(text, body.get("dimensions"))}
            for index, text in enumerate(body["input"])
        ]
        answer = {"object": "list", "data": data[::-1], "model": say.model or body["model"]}
        if say.usage is None:
            return answer
        return {**answer, "usage": {"prompt_tokens": say.usage.input_tokens, "total_tokens": say.usage.input_tokens}}

    def events(self, say: Say, body: Mapping[str, Any]) -> list[str]:
        raise AssertionError("embeddings are never streamed")


class _Cohere(_OpenAI):
    PATH = "/v2/embed"
    REQUEST_ID = "x-debug-trace-id"

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        if unknown := set(body) - _cohere_fields():
            return f"invalid request: unknown field: parameter '{min(unknown)}'"
        if not body.get("texts") or len(body["texts"]) > 96:
            return "invalid request: the total number of texts must be at least 1 and at most 96"
        known = ("search_document", "search_query", "classification", "clustering", "image")
        return None if body.get("input_type") in known else "invalid request: valid input_type must be provided"

    def plain(self, say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
        vectors = [vector(text, body.get("output_dimension")) for text in body["texts"]]
        answer = {"id": "embed-wire", "embeddings": {"float": vectors}, "texts": body["texts"]}
        meta: dict[str, Any] = {"api_version": {"version": "2"}}
        if say.usage is not None:
            meta["billed_units"] = {"input_tokens": say.usage.input_tokens}
        return {**answer, "meta": meta, "response_type": "embeddings_by_type"}


class _Google(_OpenAI):
    PATH = "/v1beta/models/*:batchEmbedContents"
    REQUEST_ID = google_generate.REQUEST_ID

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        asked = body.get("requests") or ()
        if not 1 <= len(asked) <= 100:
            return "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch"
        known = {"model", "content", "taskType", "title", "outputDimensionality"}
        if unknown := {name for one in asked for name in one} - known:
            return f'Unknown name "{min(unknown)}" at requests[0]: Cannot find field.'
        return None if all(one["model"].startswith("models/") for one in asked) else "unexpected model name format"

    def plain(self, say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
        vectors = [
            vector(one["content"]["parts"][0]["text"], one.get("outputDimensionality")) for one in body["requests"]
        ]
        answer: dict[str, Any] = {"embeddings": [{"values": values} for values in vectors]}
        if say.usage is None:
            return answer
        return {**answer, "usageMetadata": {"promptTokenCount": say.usage.input_tokens}}


class _HuggingFace(_OpenAI):
    """Hugging Face's own: it counts nothing."""

    PATH = "/hf-inference/models/*/pipeline/feature-extraction"

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        if unknown := set(body) - {"inputs", "normalize", "prompt_name", "truncate", "dimensions"}:
            return f"unknown field {min(unknown)}"
        return None if body.get("inputs") else "inputs cannot be empty"

    def plain(self, say: Say, body: Mapping[str, Any]) -> Any:
        return [vector(text, body.get("dimensions")) for text in body["inputs"]]


@cache
def _openai_fields() -> frozenset[str]:
    from openai.types.embedding_create_params import EmbeddingCreateParams

    return frozenset(EmbeddingCreateParams.__annotations__)


@cache
def _cohere_fields() -> frozenset[str]:
    from cohere.v2.client import V2Client

    return frozenset({*inspect.signature(V2Client.embed).parameters} - {"self", "request_options"})


openai_embeddings, cohere_embeddings = _OpenAI(), _Cohere()
google_embeddings, huggingface_embeddings = _Google(), _HuggingFace()
