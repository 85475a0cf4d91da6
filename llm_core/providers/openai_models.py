"""Reads the list of models of OpenAI, and of endpoints that say more of theirs.

OpenRouter, Mistral, Groq, vLLM and llama.cpp differ in names, so each fact is looked for under all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..types import LLMModel, LLMProvider
from .counts import section
from .moments import moment, month_or_day

_WINDOWS = ("context_length", "context_window", "max_model_len", "max_context_length")
_ENDS = ("shutdown_date", "deprecation", "expiration_date")
"""The end of a model at OpenAI, Mistral and OpenRouter."""
_BY_PARAMETER = {"tools": "tools", "structured_outputs": "schema", "reasoning": "reasoning"}
_BY_CAPABILITY = {"completion_chat": "chat", "function_calling": "tools", "vision": "images"}
"""OpenRouter's and Mistral's words -> ours."""


class OpenAIModels:
    path = "/models"

    def read(self, data: Any, connection: LLMProvider) -> tuple[list[LLMModel], None]:
        """Takes {"data": [...]} and, as some endpoints send it, the bare list. Raises ValueError for neither."""
        entries = data.get("data") if isinstance(data, Mapping) else data
        if not isinstance(entries, list):
            raise ValueError("No list of models.")
        now = datetime.now(UTC)
        return [_model(entry, connection, now) for entry in entries if isinstance(entry.get("id"), str)], None


def _model(entry: Mapping[str, Any], connection: LLMProvider, now: datetime) -> LLMModel:
    top, meta, architecture = (section(entry, name) for name in ("top_provider", "meta", "architecture"))
    inputs, outputs = (_words(architecture.get(name)) for name in ("input_modalities", "output_modalities"))
    return LLMModel(
        connection=connection.name,
        provider=connection.provider,
        name=entry["id"],
        display_name=name if isinstance(name := entry.get("name"), str) else "",
        context_window=_first_count(entry, _WINDOWS) or _first_count(meta, ("n_ctx", "n_ctx_train")),
        max_output_tokens=_first_count(top, ("max_completion_tokens",))
        or _first_count(entry, ("max_completion_tokens",)),
        capabilities=_abilities(entry, inputs, outputs),
        modalities=inputs,
        outputs=outputs,
        available=True,
        checked_at=now,
        knowledge_until=month_or_day(entry.get("knowledge_cutoff")),
        retires_at=next(filter(None, (moment(entry.get(name)) for name in _ENDS)), None),
        replacement=other if isinstance(other := entry.get("deprecation_replacement_model"), str) and other else None,
    )


def _abilities(entry: Mapping[str, Any], inputs: frozenset[str], outputs: frozenset[str]) -> frozenset[str]:
    """Empty where the list says nothing of them, as OpenAI's own."""
    told = section(entry, "capabilities")
    able = {ours for theirs, ours in _BY_CAPABILITY.items() if told.get(theirs) is True}
    taken = _words(entry.get("supported_parameters"))
    if taken and "text" in outputs:
        able |= {"chat"} | {ours for theirs, ours in _BY_PARAMETER.items() if theirs in taken}
        able |= {ours for kind, ours in (("image", "images"), ("file", "files"), ("audio", "audio")) if kind in inputs}
    return frozenset(able)


def _words(told: Any) -> frozenset[str]:
    return frozenset(str(word) for word in told) if isinstance(told, list) else frozenset()


def _first_count(entry: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((entry[name] for name in names if type(entry.get(name)) is int and entry[name] > 0), None)
