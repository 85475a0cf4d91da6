"""Chat Completions as Hugging Face documents them: `chat_completion` of the huggingface_hub package 2.4.0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .shape import Shape, filled, flag, form, misfit, number, text, texts, whole

_SHAPE: Shape = {
    "model": text,
    "messages": filled,
    "stream": flag,
    "stream_options": form({"include_usage": flag}),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "logprobs": flag,
    "top_logprobs": whole(0, 5),
    "max_tokens": whole(1),
    "n": whole(1),
    "seed": lambda v: isinstance(v, int),
    "stop": texts(4),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "response_format": filled,
    "reasoning_effort": text,
    "tools": filled,
    "tool_choice": lambda v: isinstance(v, (str, Mapping)),
}
"""reasoning_effort is not in it, but of providers behind it: huggingface.co/docs/inference-providers."""


def chat(body: Mapping[str, Any]) -> str | None:
    if found := misfit(body, _SHAPE, ("model", "messages")):
        return found
    if body.get("top_logprobs") and not body.get("logprobs"):
        return "logprobs must be set to true if top_logprobs is used"
    return None
