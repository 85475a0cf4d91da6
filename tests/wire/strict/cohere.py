"""Cohere's Chat API, version 2.

The method `chat` of the cohere package 7.3.1 and its docstrings, and docs.cohere.com/reference/chat; seed: 0 or more,
from the API's description (github.com/cohere-ai/cohere-developer-experience).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .shape import Shape, filled, flag, form, misfit, number, one_of, text, texts, whole

_SHAPE: Shape = {
    "model": text,
    "messages": filled,
    "stream": flag,
    "tools": filled,
    "strict_tools": flag,
    "tool_choice": one_of("REQUIRED", "NONE"),
    "response_format": lambda v: isinstance(v, Mapping) and v.get("type") in ("text", "json_object"),
    "max_tokens": whole(1),
    "stop_sequences": texts(5),
    "temperature": number(0),
    "seed": whole(0, 2**64 - 1),
    "frequency_penalty": number(0, 1),
    "presence_penalty": number(0, 1),
    "k": whole(0, 500),
    "p": number(0.01, 0.99),
    "logprobs": flag,
    "thinking": form({"type": one_of("enabled", "disabled"), "token_budget": whole(1)}, ("type",)),
}


def chat(body: Mapping[str, Any]) -> str | None:
    if found := misfit(body, _SHAPE, ("model", "messages")):
        return found
    return "tool_choice needs tools" if "tool_choice" in body and not body.get("tools") else None
