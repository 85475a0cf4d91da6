"""The endpoints for embeddings as the replay server speaks them: OpenAI's and Cohere's."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

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


@cache
def _openai_fields() -> frozenset[str]:
    from openai.types.embedding_create_params import EmbeddingCreateParams

    return frozenset(EmbeddingCreateParams.__annotations__)


@cache
def _cohere_fields() -> frozenset[str]:
    from cohere.v2.client import V2Client

    return frozenset({*inspect.signature(V2Client.embed).parameters} - {"self", "request_options"})


openai_embeddings, cohere_embeddings = _OpenAI(), _Cohere()
