"""Cohere's counts in our convention.

`billed_units` is the bill. `tokens` counts what the model saw, with a hidden template around the messages that nobody
pays for: 496 tokens where 1 is billed. `cached_tokens` is of the same measure, so it can be more than the billed input.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ..types import Usage
from .counts import consistent_usage, count, section
from .protocol import Answer

log = logging.getLogger(__name__)


def note_usage(raw: Any, into: Answer) -> None:
    """Keep `raw`, a `usage` of an answer or the `meta` of another endpoint, and what it means."""
    if isinstance(raw, Mapping) and raw:
        into.raw_usage = raw
        into.usage = read_usage(raw)


def read_usage(raw: Mapping[str, Any]) -> Usage | None:
    """None where nothing is counted, as in the answer that failed."""
    billed, seen = section(raw, "billed_units"), section(raw, "tokens")
    source = billed or seen
    told = {name: count(source, name) for name in ("input_tokens", "output_tokens", "search_units", "images")}
    if all(value is None for value in told.values()):
        return None
    prompt, output = told["input_tokens"] or 0, told["output_tokens"] or 0
    for name, value in (("input_tokens", prompt), ("output_tokens", output)):
        if value > (count(seen, name) or value):
            log.warning("Cohere bills %d %s, but counts only %d.", value, name, count(seen, name))
    return consistent_usage(
        input_tokens=prompt,
        cache_read_tokens=min(count(raw, "cached_tokens") or 0, prompt),
        output_tokens=output,
        searches=told["search_units"] or 0,
        images=told["images"] or 0,
    )
