"""Reads a vendor's token counts without failing over them: they may be missing, floats, or contradict each other."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ..types import Usage

log = logging.getLogger(__name__)


def count(raw: Mapping[str, Any], name: str) -> int | None:
    """A whole number of 0 or more, also where it is written as 4.0; None where there is none."""
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 2**63 or value != int(value):
        return None
    return int(value)


def section(raw: Any, name: str) -> Mapping[str, Any]:
    """An object inside `raw`; empty where there is none."""
    found = raw.get(name) if isinstance(raw, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def consistent_usage(**counts: int) -> Usage:
    """Usage from counts of our names. A part that is larger than its whole is cut down to it, and that is logged."""
    fitting = dict(counts)
    read = _fit(fitting, "cache_read_tokens", fitting.get("input_tokens", 0))
    written = _fit(fitting, "cache_write_tokens", fitting.get("input_tokens", 0) - read)
    _fit(fitting, "cache_write_1h_tokens", written)
    _fit(fitting, "input_audio_tokens", fitting.get("input_tokens", 0))
    _fit(fitting, "reasoning_tokens", fitting.get("output_tokens", 0))
    _fit(fitting, "output_audio_tokens", fitting.get("output_tokens", 0))
    cut = [f"{name} {counts[name]} to {fitting[name]}" for name in counts if counts[name] != fitting[name]]
    if cut:
        log.warning("Token counts contradict each other; cut down: %s.", ", ".join(cut))
    return Usage(**fitting)


def _fit(counts: dict[str, int], name: str, most: int) -> int:
    if name in counts:
        counts[name] = min(counts[name], most)
    return counts.get(name, 0)
