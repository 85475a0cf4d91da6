"""Chat Completions as llama.cpp's server takes them: its description, and the server's own answers at each limit
(xllamacpp 2026.10). It takes most values without a word, so some limits are those at which a value means something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .shape import Shape, filled, flag, form, misfit, number, text, texts, whole

_SHAPE: Shape = {
    "model": text,
    "messages": filled,
    "stream": flag,
    "stream_options": form({"include_usage": flag}),
    "timings_per_token": flag,
    "temperature": number(0),
    "top_p": number(0, 1),
    "top_k": whole(0),
    "min_p": number(0, 1),
    "repeat_penalty": lambda v: number(0)(v) and v > 0,
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "seed": whole(0, 2**32 - 2),
    "max_tokens": whole(1),
    "stop": texts(),
    "logprobs": flag,
    "top_logprobs": whole(0),
    "response_format": filled,
    "tools": filled,
    "tool_choice": lambda v: isinstance(v, (str, Mapping)),
}


def chat(body: Mapping[str, Any]) -> str | None:
    return misfit(body, _SHAPE, ("model", "messages"))
