"""Gemini's embeddings. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidParameters
from .counts import consistent_usage, count
from .failures import ErrorInside
from .google_generate import model_path
from .protocol import Answer, EmbedRequest

_PURPOSES = {
    "document": "RETRIEVAL_DOCUMENT",
    "query": "RETRIEVAL_QUERY",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}


def path(request: EmbedRequest) -> str:
    return f"{model_path(request.model)}:batchEmbedContents"


def body(request: EmbedRequest) -> dict[str, Any]:
    """Raises InvalidParameters."""
    shared: dict[str, Any] = {"model": model_path(request.model)}
    if request.purpose is not None:
        if request.purpose not in _PURPOSES:
            raise InvalidParameters(
                f"Google has no purpose {request.purpose!r}.", f"Use one of {', '.join(_PURPOSES)}."
            )
        shared["taskType"] = _PURPOSES[request.purpose]
    if request.dimensions is not None:
        shared["outputDimensionality"] = request.dimensions
    return {"requests": [{**shared, "content": {"parts": [{"text": text}]}} for text in request.texts]}


def read(data: Any, into: Answer) -> None:
    """Only the second generation counts tokens. Raises ErrorInside, or KeyError and the like for what is no answer."""
    if data.get("error"):
        raise ErrorInside(data)
    into.vectors = [entry["values"] for entry in data["embeddings"]]
    into.finish = "stop"
    if isinstance(raw := data.get("usageMetadata"), Mapping):
        into.raw_usage = raw
        told = count(raw, "promptTokenCount")
        into.usage = None if told is None else consistent_usage(input_tokens=told)
