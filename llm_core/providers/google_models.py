"""Reads Google's list of models: limits, what each can do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ..types import LLMModel, LLMProvider
from .counts import count

_PATH = "models?pageSize=1000"
_BY_METHOD = {
    "generateContent": "chat",
    "embedContent": "embeddings",
    "batchGenerateContent": "batch",
}
"""Their words -> ours."""
_MAKES_OTHER_THINGS = re.compile(r"\b(tts|image|banana|live|audio|robotics|omni|computer-use|aqa)\b")
"""These take generateContent too, but speak, draw or act: nothing is said of them, so their names decide."""
_GEMINI = re.compile(r"gemini-")
_OF_GEMINI = frozenset({"tools", "schema", "images", "files", "transcription"})
"""What the list does not say, and each Gemini that chats can do."""


class GoogleModels:
    path = _PATH

    def read(self, data: Any, connection: LLMProvider) -> tuple[list[LLMModel], str | None]:
        now = datetime.now(UTC)
        entries = [entry for entry in data["models"] if isinstance(entry.get("name"), str)]
        token = data.get("nextPageToken")
        more = f"{_PATH}&pageToken={quote(token, safe='')}" if isinstance(token, str) and token else None
        return [_model(entry, connection, now) for entry in entries], more


def _model(entry: Mapping[str, Any], connection: LLMProvider, now: datetime) -> LLMModel:
    name = entry["name"].removeprefix("models/")
    able = _abilities(name, entry)
    chats = "chat" in able and "transcription" in able
    return LLMModel(
        connection=connection.name,
        provider=connection.provider,
        name=name,
        display_name=shown if isinstance(shown := entry.get("displayName"), str) else "",
        context_window=count(entry, "inputTokenLimit") or None,
        max_output_tokens=count(entry, "outputTokenLimit") or None,
        capabilities=frozenset(able),
        modalities=frozenset({"text", "image", "file", "audio"}) if chats else frozenset(),
        available=True,
        checked_at=now,
    )


def _abilities(name: str, entry: Mapping[str, Any]) -> set[str]:
    methods = entry.get("supportedGenerationMethods")
    able = {_BY_METHOD[method] for method in methods if method in _BY_METHOD} if isinstance(methods, list) else set()
    if "chat" not in able:
        return able
    if _MAKES_OTHER_THINGS.search(name):
        return set()
    if entry.get("thinking") is True:
        able.add("reasoning")
    return able | _OF_GEMINI if _GEMINI.match(name) else able
