"""Reads the list of models of OpenAI and of the endpoints that say more about theirs (OpenRouter, vLLM, llama.cpp)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..types import LLMModel, LLMProvider


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
    top, meta, architecture = (_mapping(entry, name) for name in ("top_provider", "meta", "architecture"))
    window = _first_count(entry, ("context_length", "context_window", "max_model_len")) or _first_count(
        meta, ("n_ctx", "n_ctx_train")
    )
    modalities = architecture.get("input_modalities")
    return LLMModel(
        connection=connection.name,
        provider=connection.provider,
        name=entry["id"],
        display_name=name if isinstance(name := entry.get("name"), str) else "",
        context_window=window,
        max_output_tokens=_first_count(top, ("max_completion_tokens",)),
        modalities=frozenset(str(word) for word in modalities) if isinstance(modalities, list) else frozenset(),
        available=True,
        checked_at=now,
    )


def _mapping(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = entry.get(name)
    return found if isinstance(found, Mapping) else {}


def _first_count(entry: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((entry[name] for name in names if type(entry.get(name)) is int and entry[name] > 0), None)
