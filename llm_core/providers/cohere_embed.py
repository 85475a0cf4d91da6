"""Cohere's Embed API, version 2. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidParameters
from .cohere_usage import note_usage
from .failures import ErrorInside
from .protocol import Answer, EmbedRequest

PATH = "/v2/embed"

_PURPOSES = {
    "document": "search_document",
    "query": "search_query",
    "classification": "classification",
    "clustering": "clustering",
}


def body(request: EmbedRequest) -> dict[str, Any]:
    """Cohere insists on a purpose; texts to be searched are the usual one. Raises InvalidParameters."""
    purpose = request.purpose or "document"
    if purpose not in _PURPOSES:
        raise InvalidParameters(f"Cohere has no purpose {purpose!r}.", f"Use one of {', '.join(_PURPOSES)}.")
    made: dict[str, Any] = {
        "model": request.model,
        "texts": list(request.texts),
        "input_type": _PURPOSES[purpose],
        "embedding_types": ["float"],
    }
    if request.dimensions is not None:
        made["output_dimension"] = request.dimensions
    return made


def read(data: Any, into: Answer) -> None:
    """Raises ErrorInside, or KeyError and the like for what is no answer."""
    if isinstance(data, Mapping) and isinstance(data.get("message"), str):
        raise ErrorInside(data)
    into.vectors = data["embeddings"]["float"]
    note_usage(data.get("meta"), into)
    into.finish = "stop"
