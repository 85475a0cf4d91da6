"""OpenAI's embeddings, and those of compatible endpoints. No I/O."""

from __future__ import annotations

from typing import Any

from .counts import consistent_usage, count, section
from .failures import ErrorInside
from .protocol import Answer, EmbedRequest

PATH = "/embeddings"


def body(request: EmbedRequest) -> dict[str, Any]:
    """OpenAI's vectors are the same for every purpose."""
    made: dict[str, Any] = {"model": request.model, "input": list(request.texts), "encoding_format": "float"}
    if request.dimensions is not None:
        made["dimensions"] = request.dimensions
    return made


def read(data: Any, into: Answer) -> None:
    """Raises ErrorInside, or KeyError and the like for what is no answer."""
    if data.get("error"):
        raise ErrorInside(data)
    into.vectors = [entry["embedding"] for entry in sorted(data["data"], key=lambda entry: entry["index"])]
    into.model_reported = data.get("model") or into.model_reported
    into.finish = "stop"
    if raw := section(data, "usage"):
        into.raw_usage = raw
        told = count(raw, "prompt_tokens")
        into.usage = None if told is None else consistent_usage(input_tokens=told)
