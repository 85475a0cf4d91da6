"""Caching that would pay: large prompts of much the same size, often after each other, of which little is cached.

Prompts themselves are not kept, so what they share is not known. As much as the smallest tenth of them is long is taken
to be shared by all: that is the most that can be saved, and the advice says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ...types import Usage
from ..percent import percent
from .groups import evidence, habits
from .piece import LEAST_CALLS, LEAST_USD, Advice, Ground, cents, key_of, text, whole, work_in_words

_LEAST_PROMPT = 1024
"""Tokens: no provider caches less."""
_ALIKE = 0.5
"""The smallest tenth of the prompts is at least this share of the middle one."""
_LITTLE = 0.2
"""Share of prompt tokens read from a cache, up to which it is little."""
_SOON = 0.5
"""Share of calls that follow another within five minutes."""


def caching_that_pays(ground: Ground) -> Iterator[Advice]:
    for row in ground.ledger.ask(habits(ground.where(), ground.tz)).to_dict("records"):
        saved = _saved(ground, row) if _is_alike(row) else None
        if saved is not None and saved >= LEAST_USD:
            yield _advice(ground, row, saved)


def _is_alike(row: dict[Any, Any]) -> bool:
    calls, shared, sent = whole(row["calls"]), whole(row["input_p10"]), whole(row["input_tokens"])
    return (
        calls >= LEAST_CALLS
        and shared >= max(_LEAST_PROMPT, _ALIKE * whole(row["input_p50"]))
        and whole(row["cache_read_tokens"]) <= _LITTLE * sent
        and calls - whole(row["windows"]) >= _SOON * calls
    )


def _saved(ground: Ground, row: dict[Any, Any]) -> Decimal | None:
    """By the first call of each five minutes writing the cache, and the others reading it; less what is read now."""
    model, shared = f"{row['connection']}:{row['model']}", whole(row["input_p10"])
    plain = ground.usd(model, Usage(input_tokens=shared))
    read = ground.usd(model, Usage(input_tokens=shared, cache_read_tokens=shared))
    if plain is None or read is None or read >= plain:
        return None
    written = ground.usd(model, Usage(input_tokens=shared, cache_write_tokens=shared))
    more = max(Decimal(0), (plain if written is None else written) - plain)
    windows = whole(row["windows"])
    already = (plain - read) * whole(row["cache_read_tokens"]) / shared
    return (whole(row["calls"]) - windows) * (plain - read) - windows * more - already


def _advice(ground: Ground, row: dict[Any, Any], saved: Decimal) -> Advice:
    model, app, task = f"{row['connection']}:{row['model']}", text(row["app"]), text(row["task"])
    title = ground.title(model)
    figures, sql = evidence(ground, row)
    share = whole(row["cache_read_tokens"]) / max(1, whole(row["input_tokens"]))
    return Advice(
        kind="caching",
        key=key_of("caching", model, app, task),
        subject=model,
        title=f"Caching could save up to ${saved:,.2f} a month on {work_in_words(app, task, title)}",
        action=_ACTIONS.get(row["provider"], _PUT_FIRST),
        saved_usd=cents(saved),
        basis=f"{whole(row['calls']):,} prompts for {title} of about {whole(row['input_p50']):,} tokens, "
        f"{percent(share)} of them cached, most within five minutes of another. At most: if all of them begin with the "
        f"same {whole(row['input_p10']):,} tokens.",
        evidence=figures,
        sql=sql,
    )


_PUT_FIRST = (
    "The provider caches by itself what prompts begin with alike: put instructions and examples first, and what "
    "changes from call to call last."
)
_ACTIONS = {
    "anthropic": "Mark the fixed part of the prompt with cache_control; what changes from call to call comes after it."
}
