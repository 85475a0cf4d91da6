"""Reads the router's list of models: what the providers behind it offer together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..types import LLMModel, LLMProvider
from .counts import count, section

_ABILITIES = {"supports_tools": "tools", "supports_structured_output": "schema"}
"""Their words -> ours."""


class HuggingFaceModels:
    path = "/models"

    def read(self, data: Any, connection: LLMProvider) -> tuple[list[LLMModel], None]:
        now = datetime.now(UTC)
        entries = [entry for entry in data["data"] if isinstance(entry.get("id"), str)]
        return [_model(entry, connection, now) for entry in entries], None


def _model(entry: Mapping[str, Any], connection: LLMProvider, now: datetime) -> LLMModel:
    """A model can do what any of its providers can, who is named behind a colon: model:provider."""
    listed = entry.get("providers")
    routes = [route for route in listed if isinstance(route, Mapping)] if isinstance(listed, list) else []
    live = [route for route in routes if route.get("status", "live") == "live"]
    able = {ours for theirs, ours in _ABILITIES.items() if any(route.get(theirs) is True for route in live)}
    architecture = section(entry, "architecture")
    modalities, outputs = (_words(architecture.get(name)) for name in ("input_modalities", "output_modalities"))
    if "image" in modalities:
        able.add("images")
    return LLMModel(
        connection=connection.name,
        provider=connection.provider,
        name=entry["id"],
        context_window=max((count(route, "context_length") or 0 for route in live), default=0) or None,
        capabilities=frozenset(able | {"chat"}),
        modalities=modalities,
        outputs=outputs,
        available=bool(live) or not routes,
        checked_at=now,
    )


def _words(told: Any) -> frozenset[str]:
    return frozenset(str(word) for word in told) if isinstance(told, list) else frozenset()
