"""Reads Cohere's list of models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ..types import LLMModel, LLMProvider
from .counts import count

_PATH = "/v1/models?page_size=1000"
_BY_ENDPOINT = {"chat": "chat", "embed": "embeddings", "rerank": "rerank", "transcribe": "transcription"}
_BY_FEATURE = {"tools": "tools", "json_schema": "schema", "vision": "images", "reasoning": "reasoning"}
"""Their words -> ours."""


class CohereModels:
    path = _PATH

    def read(self, data: Any, connection: LLMProvider) -> tuple[list[LLMModel], str | None]:
        now = datetime.now(UTC)
        entries = [entry for entry in data["models"] if isinstance(entry.get("name"), str)]
        token = data.get("next_page_token")
        more = f"{_PATH}&page_token={quote(token, safe='')}" if isinstance(token, str) and token else None
        return [_model(entry, connection, now) for entry in entries], more


def _model(entry: Mapping[str, Any], connection: LLMProvider, now: datetime) -> LLMModel:
    able = _words(entry.get("endpoints"), _BY_ENDPOINT) | _words(entry.get("features"), _BY_FEATURE)
    media = {"text"} | ({"image"} if "images" in able else set())
    deprecated = entry.get("is_deprecated")
    return LLMModel(
        connection=connection.name,
        provider=connection.provider,
        name=entry["name"],
        context_window=count(entry, "context_length") or None,
        capabilities=frozenset(able),
        modalities=frozenset(media) if able else frozenset(),
        available=True,
        checked_at=now,
        lifecycle=("deprecated" if deprecated else "active") if isinstance(deprecated, bool) else None,
    )


def _words(told: Any, meaning: Mapping[str, str]) -> set[str]:
    return {meaning[word] for word in told if word in meaning} if isinstance(told, list) else set()
