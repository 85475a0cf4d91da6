"""Reads by_hand.json: what no package tells, each entry with the page it was read on and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from .said import Said

FILE = Path(__file__).with_name("by_hand.json")


def said(data: dict[str, Any]) -> dict[str, tuple[str, Said]]:
    """Source key -> ("by hand", what it says). One entry may speak of several models at once."""
    found: dict[str, tuple[str, Said]] = {}
    for entry in data["entries"]:
        _, models = found.setdefault(entry["source"], ("by hand", {}))
        for name in entry["models"]:
            fields = models.setdefault(entry["provider"], {}).setdefault(name, {})
            fields |= {key: value for key, value in entry.items() if key not in ("source", "provider", "models")}
    return found


def load(path: Path = FILE) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(path.read_bytes())
    return loaded
