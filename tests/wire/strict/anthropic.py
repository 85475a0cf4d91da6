"""Anthropic's Messages API.

Fields and types: the request types of the anthropic package 2.12.0; the three sampling values as they were until they
left those types (temperature and top_p from 0 to 1). What each model takes: platform.claude.com/docs/en, pages
build-with-claude/effort (levels), build-with-claude/extended-thinking (budgets from 1,024 and below max_tokens; while
it thinks no temperature but 1, no top_k, top_p from 0.95), models/*/migration-guide (Opus 5.5, Sonnet 5.5, Haiku 5.5:
what returns 400), and the refusal of temperature beside top_p (github.com/open-webui/functions/pull/9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .shape import Shape, filled, flag, form, misfit, number, one_of, text, texts, whole


@dataclass(frozen=True)
class Facts:
    thinking: tuple[str, ...]
    """The types of thinking it takes."""
    efforts: tuple[str, ...] = ()
    samples: bool = True
    both: bool = False
    """temperature and top_p at once."""
    forced: bool = True
    """Can be made to call a tool."""


_FIVE = ("low", "medium", "high", "xhigh", "max")
_FOUR = ("low", "medium", "high", "max")
_MANUAL = ("enabled", "disabled")
MODELS = {
    "claude-3-7-sonnet-20250219": Facts(_MANUAL, both=True),
    "claude-opus-4-1": Facts(_MANUAL),
    "claude-haiku-4-5": Facts(_MANUAL),
    "claude-sonnet-4-5": Facts(_MANUAL),
    "claude-opus-4-5": Facts(_MANUAL, ("low", "medium", "high")),
    "claude-opus-4-6": Facts((*_MANUAL, "adaptive"), _FOUR),
    "claude-sonnet-4-6": Facts((*_MANUAL, "adaptive"), _FOUR),
    "claude-opus-4-7": Facts(("adaptive", "disabled"), _FIVE, samples=False),
    "claude-opus-5": Facts(("adaptive", "disabled"), _FIVE, samples=False),
    "claude-opus-5-5": Facts(("adaptive",), _FIVE, samples=False, forced=False),
    "claude-sonnet-5": Facts(("adaptive", "disabled"), _FIVE, samples=False),
    "claude-sonnet-5-5": Facts(("adaptive", "between_tools"), _FIVE, samples=False, forced=False),
    "claude-haiku-5-5": Facts(("adaptive", "disabled"), _FIVE, samples=False),
    "claude-fable-5-1": Facts(("adaptive",), _FIVE, samples=False, forced=False),
}

_SHAPE: Shape = {
    "model": text,
    "messages": filled,
    "max_tokens": whole(1),
    "system": text,
    "stream": flag,
    "temperature": number(0, 1),
    "top_p": number(0, 1),
    "top_k": whole(0),
    "stop_sequences": texts(blank=False),
    "service_tier": one_of("auto", "standard_only"),
    "thinking": filled,
    "output_config": form({"effort": one_of(*_FIVE), "format": filled}),
    "tools": filled,
    "tool_choice": form({"type": one_of("auto", "any", "tool", "none"), "name": text}, ("type",)),
    "cache_control": filled,
}
_THINKING: Mapping[str, Shape] = {
    "enabled": {"type": text, "budget_tokens": whole(1024), "display": one_of("summarized", "omitted")},
    "adaptive": {"type": text, "display": one_of("summarized", "omitted")},
    "disabled": {"type": text},
    "between_tools": {"type": text},
}


def messages(body: Mapping[str, Any]) -> str | None:
    if found := misfit(body, _SHAPE, ("model", "messages", "max_tokens")):
        return found
    facts = MODELS[body["model"]]
    thinking = body.get("thinking", {})
    kind = thinking.get("type")
    if kind is not None:
        if kind not in facts.thinking:
            return f'"thinking.type.{kind}" is not supported for this model.'
        if found := misfit(thinking, _THINKING[kind], ("budget_tokens",) if kind == "enabled" else ()):
            return f"thinking.{found}"
        if thinking.get("budget_tokens", 0) >= body["max_tokens"]:
            return "max_tokens must be greater than thinking.budget_tokens"
    effort = body.get("output_config", {}).get("effort")
    if effort is not None and effort not in facts.efforts:
        return f"This model does not support the effort {effort}."
    return _sampling(body, facts, kind in ("enabled", "adaptive")) or _tools(body, facts, kind == "enabled")


def _sampling(body: Mapping[str, Any], facts: Facts, thinks: bool) -> str | None:
    named = [name for name in ("temperature", "top_p", "top_k") if name in body]
    if named and not facts.samples:
        return f"`{named[0]}` is deprecated for this model."
    if "temperature" in body and "top_p" in body and not facts.both:
        return "`temperature` and `top_p` cannot both be specified for this model."
    if thinks and body.get("temperature", 1) != 1:
        return "`temperature` may only be set to 1 when thinking is enabled."
    if thinks and "top_k" in body:
        return "`top_k` must be unset when thinking is enabled."
    if thinks and body.get("top_p", 1) < 0.95:
        return "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
    return None


def _tools(body: Mapping[str, Any], facts: Facts, thinks: bool) -> str | None:
    if "tool_choice" in body and not body.get("tools"):
        return "tool_choice may only be specified while providing tools"
    forced = body.get("tool_choice", {}).get("type") in ("any", "tool")
    if forced and not facts.forced:
        return "tool_choice: forcing a tool is not supported for this model."
    return "Thinking may not be enabled when tool_choice forces tool use." if forced and thinks else None
