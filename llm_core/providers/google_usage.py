"""Gemini's token counts in our convention.

Theirs differ in two ways. Thoughts are billed as output, but stand beside the candidates' tokens. And what a tool of
Google's own read (a page, a search) is billed as input, but stands beside the prompt's. Everything adds up to
`totalTokenCount`. In a stream each count replaces the one before.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from ..types import Usage
from .counts import consistent_usage, count
from .openai_wire import read_mode
from .protocol import Answer

log = logging.getLogger(__name__)

_BILLED_BY_PROMPT = re.compile(r"gemini-[12]\b")
"""These cost so much for each prompt that led to searches, the models after them for each search."""


def note_usage(raw: Mapping[str, Any], into: Answer, *, final: bool = True, searches: int = 0) -> None:
    """Keep `raw` and, where it is final, what it means."""
    into.raw_usage = raw
    into.mode = read_mode(raw.get("serviceTier")) or into.mode
    if final:
        once = searches and _BILLED_BY_PROMPT.search(into.model_reported or "")
        into.usage = read_usage(raw, 1 if once else searches)


def read_usage(raw: Mapping[str, Any], searches: int = 0) -> Usage | None:
    """None where the prompt is not counted. What is 0 the API leaves out, as the answer's tokens where all thought."""
    prompt = count(raw, "promptTokenCount")
    if prompt is None:
        return None
    written, thought, read = (
        count(raw, name) or 0 for name in ("candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
    )
    total = count(raw, "totalTokenCount")
    if total is not None and prompt + written + thought + read != total:
        log.warning(
            "Token counts do not add up: %d + %d + %d + %d is not the total %d.", prompt, written, thought, read, total
        )
    return consistent_usage(
        input_tokens=prompt + read,
        cache_read_tokens=count(raw, "cachedContentTokenCount") or 0,
        input_audio_tokens=_of_audio(raw, "promptTokensDetails") + _of_audio(raw, "toolUsePromptTokensDetails"),
        output_tokens=written + thought,
        reasoning_tokens=thought,
        output_audio_tokens=_of_audio(raw, "candidatesTokensDetails"),
        searches=searches,
    )


def _of_audio(raw: Mapping[str, Any], name: str) -> int:
    entries = raw.get(name)
    listed = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
    return sum(count(entry, "tokenCount") or 0 for entry in listed if entry.get("modality") == "AUDIO")
