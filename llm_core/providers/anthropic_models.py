"""Reads Anthropic's list of models: limits, what each can do, and when it goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ..types import LLMModel, LLMProvider
from .counts import count, section
from .moments import day, moment

_PATH = "/v1/models?limit=1000"
_ABILITIES = {
    "structured_outputs": "schema",
    "image_input": "images",
    "pdf_input": "files",
    "thinking": "reasoning",
    "batch": "batch",
}
"""Their words -> ours. Each Claude model takes tools."""
_EFFORTS = ("low", "medium", "high", "xhigh", "max")


class AnthropicModels:
    path = _PATH

    def read(self, data: Any, connection: LLMProvider) -> tuple[list[LLMModel], str | None]:
        """Without those that are retired: they are listed, but refuse every call."""
        now = datetime.now(UTC)
        entries = [entry for entry in data["data"] if isinstance(entry.get("id"), str)]
        models = [_model(entry, connection, now) for entry in entries if entry.get("lifecycle") != "retired"]
        last = data.get("last_id")
        more = f"{_PATH}&after_id={quote(last, safe='')}" if data.get("has_more") and isinstance(last, str) else None
        return models, more


def _model(entry: Mapping[str, Any], connection: LLMProvider, now: datetime) -> LLMModel:
    told = section(entry, "capabilities")
    able = {ours for theirs, ours in _ABILITIES.items() if section(told, theirs).get("supported") is True}
    media = {"text"} | {kind for kind, ability in (("image", "images"), ("file", "files")) if ability in able}
    return LLMModel(
        connection=connection.name,
        provider=connection.provider,
        name=entry["id"],
        display_name=name if isinstance(name := entry.get("display_name"), str) else "",
        context_window=count(entry, "max_input_tokens") or None,
        max_output_tokens=count(entry, "max_tokens") or None,
        capabilities=frozenset(able | {"chat", "tools"}) if told else frozenset(),
        modalities=frozenset(media) if told else frozenset(),
        available=True,
        checked_at=now,
        lifecycle=word if isinstance(word := entry.get("lifecycle"), str) else None,
        released_on=day(entry.get("created_at")),
        deprecated_on=day(entry.get("deprecated_at")),
        retires_at=moment(entry.get("retires_at")),
        reasoning_efforts=_efforts(section(told, "effort")),
    )


def _efforts(told: Mapping[str, Any]) -> tuple[str, ...]:
    if told.get("supported") is not True:
        return ()
    return tuple(level for level in _EFFORTS if section(told, level).get("supported") is True)
