"""OpenAI's two APIs.

Fields, types and ranges: the request types of the openai package 3.54.0, made from OpenAI's API description. n: 1 to
128, and seed: 64 bits, from the description itself (github.com/openai/openai-openapi). max_output_tokens: 16 or more,
as the API's own refusal says (github.com/earendil-works/pi/issues/6265). What each model takes: OpenAI's guides to
reasoning and to its latest models (developers.openai.com/api/docs/guides/reasoning and /latest-model, for GPT-5.2,
5.4, 5.6 and GPT-6), and the table of efforts at community.openai.com/t/1371738.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .shape import Shape, filled, flag, form, misfit, number, one_of, text, texts, whole


@dataclass(frozen=True)
class Facts:
    efforts: tuple[str, ...] = ()
    usual: str = ""
    """The effort without any."""
    samples: bool = True
    """Takes temperature, top_p and log probabilities at any effort."""
    samples_at_none: bool = False
    verbosity: bool = False


_REASONS = {"samples": False, "verbosity": True}
MODELS = {
    "gpt-4.1": Facts(),
    "gpt-4o-mini": Facts(),
    "o3": Facts(("low", "medium", "high"), "medium", samples=False),
    "o4-mini": Facts(("low", "medium", "high"), "medium", samples=False),
    "gpt-5": Facts(("minimal", "low", "medium", "high"), "medium", **_REASONS),
    "gpt-5-pro": Facts(("high",), "high", **_REASONS),
    "gpt-5.1": Facts(("none", "low", "medium", "high"), "none", samples_at_none=True, **_REASONS),
    "gpt-5.2-codex": Facts(("low", "medium", "high", "xhigh"), "medium", **_REASONS),
    "gpt-5.4": Facts(("none", "low", "medium", "high", "xhigh"), "none", samples_at_none=True, **_REASONS),
    "gpt-5.5": Facts(("none", "low", "medium", "high", "xhigh"), "medium", **_REASONS),
    "gpt-5.6-sol": Facts(("none", "low", "medium", "high", "xhigh", "max"), "medium", **_REASONS),
    "gpt-6.1-sol": Facts(("low", "medium", "high", "xhigh", "max"), "medium", **_REASONS),
    "gpt-6-luna": Facts(("none", "low", "medium", "high", "xhigh", "max"), "medium", **_REASONS),
}
_TOOLS_ONLY_AT_NONE = ("gpt-5.6-sol", "gpt-6.1-sol", "gpt-6-luna")
"""In Chat Completions."""

_TIERS = one_of("auto", "default", "flex", "scale", "priority", "fast")
_INT64 = whole(-(2**63), 2**63 - 1)
_RESPONSES: Shape = {
    "model": text,
    "input": filled,
    "instructions": text,
    "store": flag,
    "stream": flag,
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "max_output_tokens": whole(16),
    "service_tier": _TIERS,
    "top_logprobs": whole(0, 20),
    "include": lambda v: v == ["message.output_text.logprobs"],
    "reasoning": form({"effort": text}),
    "text": form(
        {
            "verbosity": one_of("low", "medium", "high"),
            "format": lambda v: isinstance(v, Mapping) and v.get("type") in ("text", "json_object", "json_schema"),
        }
    ),
    "tools": filled,
    "tool_choice": lambda v: v in ("auto", "none", "required") or isinstance(v, Mapping),
}
_CHAT: Shape = {
    "model": text,
    "messages": filled,
    "stream": flag,
    "stream_options": form({"include_usage": flag}),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "max_completion_tokens": whole(1),
    "n": whole(1, 128),
    "seed": _INT64,
    "stop": texts(4),
    "logprobs": flag,
    "top_logprobs": whole(0, 20),
    "reasoning_effort": text,
    "verbosity": one_of("low", "medium", "high"),
    "service_tier": _TIERS,
    "response_format": lambda v: isinstance(v, Mapping) and v.get("type") in ("text", "json_object", "json_schema"),
    "tools": filled,
    "tool_choice": lambda v: v in ("auto", "none", "required") or isinstance(v, Mapping),
}


def responses(body: Mapping[str, Any]) -> str | None:
    if found := misfit(body, _RESPONSES, ("model", "input")):
        return found
    effort = body.get("reasoning", {}).get("effort")
    verbosity = body.get("text", {}).get("verbosity")
    named = {name for name in ("temperature", "top_p", "top_logprobs", "include") if name in body}
    return _tools(body) or _of_model(body["model"], effort, verbosity, named)


def chat(body: Mapping[str, Any]) -> str | None:
    if found := misfit(body, _CHAT, ("model", "messages")):
        return found
    if body.get("top_logprobs") and not body.get("logprobs"):
        return "top_logprobs: logprobs must be set to true"
    if "stream_options" in body and not body.get("stream"):
        return "stream_options: only with stream"
    effort, model = body.get("reasoning_effort"), body["model"]
    if body.get("tools") and model in _TOOLS_ONLY_AT_NONE and effort != "none":
        return f"Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions."
    named = {name for name in ("temperature", "top_p", "logprobs", "top_logprobs") if name in body}
    reasons = bool(MODELS[model].efforts)
    always = {name for name in ("frequency_penalty", "presence_penalty", "stop") if name in body and reasons}
    if always:
        return f"Unsupported parameter: {min(always)}"
    return _tools(body) or _of_model(model, effort, body.get("verbosity"), named)


def _of_model(model: str, effort: str | None, verbosity: str | None, sampling: set[str]) -> str | None:
    facts = MODELS[model]
    if effort is not None and effort not in facts.efforts:
        return f"Unsupported value: reasoning effort {effort!r} with {model}"
    if verbosity is not None and not facts.verbosity:
        return f"Unsupported parameter: verbosity with {model}"
    at_none = facts.samples_at_none and (effort or facts.usual) == "none"
    if sampling and not (facts.samples or at_none):
        return f"Unsupported parameter: {min(sampling)} with {model}"
    return None


def _tools(body: Mapping[str, Any]) -> str | None:
    return "tool_choice: only with tools" if "tool_choice" in body and not body.get("tools") else None
