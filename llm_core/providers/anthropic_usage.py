"""Token counts of Anthropic's API in our convention.

Theirs differ in four ways. `input_tokens` leaves out what was read from or written to the cache. In a stream a later
count replaces an earlier one, while the split of cache writes by lifetime comes only with the first. Where
`iterations` is there, its entries are the bill: the counts above it leave out what an advisor or a compaction used.
And an entry may name another model, whose tokens have their own price.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..types import Usage
from .counts import consistent_usage, count, section
from .protocol import Answer, ModelUsage

log = logging.getLogger(__name__)

_MODES = {"standard": "standard", "priority": "priority", "batch": "batch"}
_SNAPSHOT = re.compile(r"-(\d{8}|latest)$")
_CLASSES = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens")


def merged(earlier: Mapping[str, Any] | None, later: Mapping[str, Any]) -> dict[str, Any]:
    """What a stream has reported so far: each later count in place of the earlier one."""
    return {**(earlier or {}), **{name: value for name, value in later.items() if value is not None}}


def note_usage(raw: Mapping[str, Any], into: Answer, *, final: bool = True) -> None:
    """Keep `raw` and, where it is final, what it means. A first report knows of the prompt, but not of the answer."""
    into.raw_usage = raw
    tier = raw.get("service_tier")
    into.mode = _MODES.get(tier, into.mode) if isinstance(tier, str) else into.mode
    if final:
        into.usage, into.further = read_usage(raw, into.model_reported)


def read_usage(raw: Mapping[str, Any], model: str | None) -> tuple[Usage | None, list[ModelUsage]]:
    """The usage of `model`, which answered, and of each further model; None where the counts are not there."""
    if count(raw, "input_tokens") is None or count(raw, "output_tokens") is None:
        return None, []
    counts = _counts(raw)
    further: list[ModelUsage] = []
    for other, entries in _by_model(raw.get("iterations"), model).items():
        summed = _sum(_counts(entry) for entry in entries)
        if other is not None:
            further.append(ModelUsage(other, consistent_usage(**summed), {"iterations": entries}))
        elif summed["output_tokens"] < counts["output_tokens"]:
            log.warning("The iterations of an answer add up to less than its total; the total is kept.")
        else:
            counts = summed
    thought = count(section(raw, "output_tokens_details"), "thinking_tokens") or 0
    searches = count(section(raw, "server_tool_use"), "web_search_requests") or 0
    return consistent_usage(**counts, reasoning_tokens=thought, searches=searches), further


def _counts(raw: Mapping[str, Any]) -> dict[str, int]:
    """One entry's counts, by our names."""
    read = count(raw, "cache_read_input_tokens") or 0
    split = section(raw, "cache_creation")
    long, short = count(split, "ephemeral_1h_input_tokens") or 0, count(split, "ephemeral_5m_input_tokens") or 0
    told = count(raw, "cache_creation_input_tokens")
    written = long + short if told is None else told
    return {
        "input_tokens": (count(raw, "input_tokens") or 0) + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": long,
        "output_tokens": count(raw, "output_tokens") or 0,
    }


def _by_model(iterations: Any, model: str | None) -> dict[str | None, list[Mapping[str, Any]]]:
    """The entries of each model; those of the model that answered under None. It is the one the last step of the answer
    names too: an alias there must not count its tokens twice.
    """
    entries = [entry for entry in iterations if isinstance(entry, Mapping)] if isinstance(iterations, list) else []
    answering = [entry.get("model") for entry in entries if entry.get("type") in ("message", "fallback_message")]
    own = {_plain(name) for name in (model, *answering[-1:]) if isinstance(name, str)}
    found: dict[str | None, list[Mapping[str, Any]]] = {}
    for entry in entries:
        named = entry.get("model")
        other = named if isinstance(named, str) and _plain(named) not in own else None
        found.setdefault(other, []).append(entry)
    return found


def _plain(name: str) -> str:
    """Without the date of a snapshot."""
    return _SNAPSHOT.sub("", name)


def _sum(entries: Iterable[Mapping[str, int]]) -> dict[str, int]:
    listed = list(entries)
    return {name: sum(entry[name] for entry in listed) for name in _CLASSES}
