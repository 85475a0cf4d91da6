"""How each family of models narrows the parameters, with the document that says so.

Only what a vendor documents is refused here. Of a model that is in no family we know, its provider's widest ranges are
allowed and the spec says that they may not fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from ..providers.registry import REGISTRY
from ..types import LLMModel
from .specs import WIDEST, ParameterSpec

Specs = dict[str, ParameterSpec]

_OPENAI = "https://platform.openai.com/docs/api-reference"
_OPENAI_REASONING = "https://platform.openai.com/docs/guides/reasoning"
_ANTHROPIC = "https://docs.claude.com/en/api/messages"
_GOOGLE = "https://ai.google.dev/api/generate-content"
_COHERE = "https://docs.cohere.com/reference/chat"
_HUGGING_FACE = "https://huggingface.co/docs/inference-providers/tasks/chat-completion"
_LLAMA = "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md"

_REASONS_AT_OPENAI = re.compile(r"^(o\d|gpt-([5-9]|\d\d))")
_CHATS_AT_OPENAI = re.compile(r"^(ft:)?(gpt-3|gpt-4|chatgpt-4|gpt-5(\.\d)?-chat)")
_THINKS_BY_BUDGET = re.compile(r"claude-(3-7|(opus|sonnet|haiku)-4)")
_FIXED_SAMPLING_AT_ANTHROPIC = re.compile(r"claude-((opus|sonnet)-([5-9]|\d\d)|opus-4-[7-9])(?!\d)")
_NEW_AT_ANTHROPIC = re.compile(r"claude-[a-z]+-([5-9]|\d\d)(?!\d)")
_GEMINI = re.compile(r"gemini-(\d+)(?:\.(\d+))?")


def specs_for(model: LLMModel | None) -> tuple[ParameterSpec, ...]:
    """One for each parameter, in the order pages show. None is a model of which not even the provider is known."""
    if model is None:
        return tuple(
            _unsure(spec, "This model is not known here; what it takes may differ.") for spec in WIDEST.values()
        )
    return _specs(model.provider, model.name.lower(), model.max_output_tokens or model.context_window)


@lru_cache(maxsize=1024)
def _specs(provider: str, name: str, longest: int | None) -> tuple[ParameterSpec, ...]:
    specs = dict(WIDEST)
    narrow = _PROVIDERS.get(provider)
    if narrow is not None:
        narrow(specs, name)
    if longest and specs["max_tokens"].supported:
        specs["max_tokens"] = specs["max_tokens"].but(max=longest)
    _leave_out_what_the_adapter_lacks(specs, provider)
    return tuple(specs.values())


def _openai(specs: Specs, name: str) -> None:
    _narrow(specs, _OPENAI, temperature={"default": 1.0}, top_p={"default": 1.0}, stop={"max": 4}, n={"max": 128})
    _narrow(specs, _OPENAI, service_tier={"choices": ("auto", "default", "flex", "priority"), "default": "auto"})
    if _CHATS_AT_OPENAI.match(name):
        _refuse(specs, "Only OpenAI's reasoning models take it.", _OPENAI_REASONING, "reasoning_effort")
        if not name.startswith("gpt-5"):
            _refuse(specs, "Only models from gpt-5 on take it.", _OPENAI, "verbosity")
    elif _REASONS_AT_OPENAI.match(name):
        fixed = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs")
        _refuse(specs, "OpenAI's reasoning models refuse it: their sampling is fixed.", _OPENAI_REASONING, *fixed)
        _refuse(specs, "OpenAI's reasoning models refuse it.", _OPENAI_REASONING, "stop")
        efforts = (
            ("low", "medium", "high") if name.startswith("o") else ("none", "minimal", "low", "medium", "high", "xhigh")
        )
        _narrow(
            specs, _OPENAI_REASONING, reasoning_effort={"choices": efforts, "reason": "Not each model takes each word."}
        )
        _narrow(specs, _OPENAI_REASONING, max_tokens={"reason": "Reasoning counts in it: leave room for the answer."})
        if name.startswith("o"):
            _refuse(specs, "Only models from gpt-5 on take it.", _OPENAI, "verbosity")
    else:
        _doubt(specs, "This model's name is not known here; what it takes may differ.")


def _anthropic(specs: Specs, name: str) -> None:
    _narrow(specs, _ANTHROPIC, temperature={"max": 1, "default": 1.0}, top_k={"min": 1}, stop={}, max_tokens={})
    _narrow(specs, _ANTHROPIC, service_tier={"choices": ("auto", "standard_only"), "default": "auto"})
    lacking = ("min_p", "frequency_penalty", "presence_penalty", "repetition_penalty", "seed", "n", "logprobs")
    _refuse(specs, "Anthropic's API has no such parameter.", _ANTHROPIC, *lacking, "top_logprobs", "verbosity")
    _refuse(specs, "It belongs to Google's API.", _ANTHROPIC, "safety_settings")
    thinking = {"min": 1024, "reason": "Must be less than max_tokens; temperature and top_k cannot be set beside it."}
    _narrow(specs, _ANTHROPIC, thinking_budget=thinking)
    if _FIXED_SAMPLING_AT_ANTHROPIC.search(name):
        _refuse(specs, "This model takes only the default.", _ANTHROPIC, "temperature", "top_p", "top_k")
        _refuse(specs, "This model decides itself; use reasoning_effort.", _ANTHROPIC, "thinking_budget")
    elif _NEW_AT_ANTHROPIC.search(name):
        caution = {"caution": "Current Claude models refuse all but the default; this one may too."}
        _narrow(specs, _ANTHROPIC, temperature=caution, top_p=caution, top_k=caution, thinking_budget=caution)
    elif not _THINKS_BY_BUDGET.search(name):
        _doubt(specs, "Whether this model thinks is not known here.", "thinking_budget", "reasoning_effort")


def _google(specs: Specs, name: str) -> None:
    _narrow(specs, _GOOGLE, temperature={"default": 1.0}, top_k={"min": 1}, stop={"max": 5}, n={"max": 8}, seed={})
    _narrow(specs, _GOOGLE, service_tier={"choices": ("standard", "flex", "priority"), "default": "standard"})
    _refuse(specs, "Google's API has no such parameter.", _GOOGLE, "min_p", "repetition_penalty", "verbosity")
    found = _GEMINI.search(name)
    version = (int(found[1]), int(found[2] or 0)) if found else None
    if version is None or version < (2, 5):
        _doubt(specs, "Whether this model thinks is not known here.", "thinking_budget", "reasoning_effort")
    elif version < (3, 0):
        _narrow(specs, _GOOGLE, thinking_budget={"max": 32_768, "reason": "-1 lets the model decide."})
    else:
        old = "Google deprecated it on 2026-07-21 for current models; it may be without effect."
        _narrow(specs, _GOOGLE, temperature={"caution": old}, top_p={"caution": old}, top_k={"caution": old})
    if version is not None and version >= (4, 0):
        _refuse(specs, "This model takes levels of reasoning_effort and no budget.", _GOOGLE, "thinking_budget")


def _cohere(specs: Specs, name: str) -> None:
    _narrow(
        specs, _COHERE, temperature={"max": 1, "default": 0.3}, top_k={"max": 500}, top_p={"min": 0.01, "max": 0.99}
    )
    _narrow(
        specs, _COHERE, frequency_penalty={"min": 0, "max": 1}, presence_penalty={"min": 0, "max": 1}, stop={"max": 5}
    )
    lacking = ("min_p", "repetition_penalty", "n", "top_logprobs", "verbosity", "service_tier", "safety_settings")
    _refuse(specs, "Cohere's API has no such parameter.", _COHERE, *lacking)
    _refuse(specs, "Cohere's reasoning models take a thinking_budget.", _COHERE, "reasoning_effort")


def _hugging_face(specs: Specs, name: str) -> None:
    _narrow(specs, _HUGGING_FACE, temperature={"default": 1.0}, stop={"max": 4}, top_logprobs={"max": 5})
    lacking = (
        "min_p",
        "repetition_penalty",
        "top_k",
        "verbosity",
        "service_tier",
        "safety_settings",
        "thinking_budget",
    )
    _refuse(specs, "Hugging Face's chat API has no such parameter.", _HUGGING_FACE, *lacking)
    _doubt(specs, "The provider that Hugging Face routes to decides what it takes.")


def _local(specs: Specs, name: str) -> None:
    _narrow(specs, _LLAMA, temperature={"default": 0.8}, top_p={"default": 0.95}, top_k={"default": 40})
    _narrow(specs, _LLAMA, min_p={"default": 0.05}, repetition_penalty={}, n={}, stop={}, seed={}, max_tokens={})
    _refuse(specs, "llama.cpp has no such parameter.", _LLAMA, "verbosity", "service_tier", "safety_settings")
    _refuse(
        specs, "llama.cpp has no such parameter for models in general.", _LLAMA, "thinking_budget", "reasoning_effort"
    )


def _compatible(specs: Specs, name: str) -> None:
    _refuse(specs, "An OpenAI-compatible endpoint has no place for it.", "", "thinking_budget", "safety_settings")
    _doubt(specs, "What this endpoint's models take is not known here; values are sent as they are.")


_PROVIDERS = {
    "openai": _openai,
    "anthropic": _anthropic,
    "google": _google,
    "cohere": _cohere,
    "huggingface": _hugging_face,
    "local": _local,
    "compatible": _compatible,
}


def _leave_out_what_the_adapter_lacks(specs: Specs, provider: str) -> None:
    """What the provider's adapter has no place for on the wire. Where there is no adapter yet, nothing is left out."""
    row = REGISTRY.get(provider)
    for name, spec in specs.items():
        if row is not None and spec.supported and name not in row.capabilities.parameters:
            specs[name] = spec.refused(f"{row.label} has no such parameter.")


def _narrow(specs: Specs, source: str, **changes: Mapping[str, object]) -> None:
    for name, change in changes.items():
        specs[name] = specs[name].but(source=source, **change)


def _refuse(specs: Specs, reason: str, source: str, *names: str) -> None:
    for name in names:
        specs[name] = specs[name].refused(reason, source)


def _doubt(specs: Specs, reason: str, *names: str) -> None:
    for name in names or tuple(specs):
        specs[name] = _unsure(specs[name], reason)


def _unsure(spec: ParameterSpec, reason: str) -> ParameterSpec:
    return spec if not spec.supported or spec.reason else spec.but(reason=reason)
