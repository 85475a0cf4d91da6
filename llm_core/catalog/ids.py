"""Keeps a price list's lookup strict: an id counts as a model's own only if all of it is accounted for.

Many rules of the list are open at one end (`starts with gemini-3.6-flash`), so that dated ids are found. They would
also take `gemini-3.6-flash-lite` or an invented name for it, and price it wrongly. Here, what such a rule leaves over
must be a date, a revision or a word that never changes the price.

A rule is [kind, text], where kind is equals, starts_with, ends_with, contains or regex, or [any or all, rule, ...].
Names are given in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

Match = Sequence[Any]

_REVISION = re.compile(
    r"""(?: [-@:] (?:
            latest | preview | exp | experimental | stable | customtools | thinking | native-audio
          | \d{8} | \d{4}-\d{2}-\d{2} | \d{2}-\d{4} | \d{2}-\d{2} | \d{3,4}
          | v\d (?: : \d )?
        ) )*""",
    re.VERBOSE,
)
_COMPACT_DATE = re.compile(r"-(20\d\d)(\d\d)(\d\d)(?=-|:|$)")
_UNFINISHED = re.compile(r"[-@:]?\d*$")
_BEFORE = ("", "c4ai-", "omni-", "text-")
_SAME_PRICE = frozenset({"claude-2.1", "command-light-nightly"})
"""Retired ids whose ending would change the price of others, and did not change theirs."""
_OPEN_BY_DESIGN = ("ft:", "gemma-")
"""Fine-tuned models carry a name of the person's choosing; all sizes of Gemma have one price."""


def is_match(rule: Match, model: str) -> bool:
    """Whether the rule takes the name at all."""
    kind, *rest = rule
    if kind == "any":
        return any(is_match(each, model) for each in rest)
    if kind == "all":
        return all(is_match(each, model) for each in rest)
    (text,) = rest
    if kind == "equals":
        return bool(model == text)
    if kind == "starts_with":
        return model.startswith(text)
    if kind == "ends_with":
        return model.endswith(text)
    return text in model if kind == "contains" else re.search(text, model) is not None


def accounts_for(rule: Match, model: str) -> bool:
    """Whether the rule covers the whole of the name."""
    return model in _SAME_PRICE or _covers(rule, model) or _covers(rule, dashed(model))


def dashed(model: str) -> str:
    """The name with its date as 2025-12-11, where it is written 20251211: the other form that lists know."""
    return _COMPACT_DATE.sub(r"-\1-\2-\3", model)


def _covers(rule: Match, model: str) -> bool:
    if not is_match(rule, model):
        return False
    kind, *rest = rule
    if kind in ("any", "all"):
        return any(_covers(each, model) for each in rest)
    start, end = _span(kind, rest[0], model)
    found = model[start:end]
    if found.startswith(_OPEN_BY_DESIGN) or ".ft-" in found:
        return True
    before, after = model[:start], model[end:]
    if not (before in _BEFORE or before.endswith("/")):
        return False
    if after and after[0].isalnum():  # the rule ends inside a date or a number: take that from its start
        after = model[start + _UNFINISHED.search(found).start() :]  # type: ignore[union-attr]  # matches anything
    return _REVISION.fullmatch(after) is not None


def _span(kind: str, text: str, model: str) -> tuple[int, int]:
    """Which part of the name a single rule speaks of."""
    if kind == "regex":
        found = re.search(text, model)
        return found.span() if found else (0, 0)
    start = model.rfind(text) if kind == "ends_with" else model.find(text)
    return start, start + len(text)
