"""Keeps the price list's lookup strict: an id counts as a model's own only if all of it is accounted for.

Many rules of the list are open at one end (`starts with gemini-3.6-flash`), so that dated ids are found. They would
also take `gemini-3.6-flash-lite` or an invented name for it, and price it wrongly. Here, what such a rule leaves over
must be a date, a revision or a word that never changes the price.
"""

from __future__ import annotations

import re
from typing import Any

_REVISION = re.compile(
    r"""(?: [-@:] (?:
            latest | preview | exp | experimental | stable | customtools | thinking | native-audio
          | \d{8} | \d{4}-\d{2}-\d{2} | \d{2}-\d{4} | \d{2}-\d{2} | \d{3,4}
          | v\d (?: : \d )?
        ) )*""",
    re.VERBOSE,
)
_UNFINISHED = re.compile(r"[-@:]?\d*$")
_BEFORE = ("", "c4ai-", "omni-", "text-")
_SAME_PRICE = frozenset({"claude-2.1", "command-light-nightly"})
"""Retired ids whose ending would change the price of others, and did not change theirs."""
_OPEN_BY_DESIGN = ("ft:", "gemma-")
"""Fine-tuned models carry a name of the person's choosing; all sizes of Gemma have one price."""


def accounts_for(match: Any, model: str) -> bool:
    """Whether the rule `match` of genai-prices covers the whole of `model`, given in lower case."""
    dashed = re.sub(r"-(20\d\d)(\d\d)(\d\d)(?=-|:|$)", r"-\1-\2-\3", model)  # the list itself tries this form too
    return model in _SAME_PRICE or _covers(match, model) or _covers(match, dashed)


def _covers(match: Any, model: str) -> bool:
    if not match.is_match(model):
        return False
    for alternatives in ("or_", "and_"):
        inner = getattr(match, alternatives, None)
        if inner is not None:
            return any(_covers(clause, model) for clause in inner)
    start, end = _span(match, model)
    found = model[start:end]
    if found.startswith(_OPEN_BY_DESIGN) or ".ft-" in found:
        return True
    before, after = model[:start], model[end:]
    if not (before in _BEFORE or before.endswith("/")):
        return False
    if after and after[0].isalnum():  # the rule ends inside a date or a number: take that from its start
        after = model[start + _UNFINISHED.search(found).start() :]  # type: ignore[union-attr]  # matches anything
    return _REVISION.fullmatch(after) is not None


def _span(match: Any, model: str) -> tuple[int, int]:
    """Which part of `model` a single clause speaks of."""
    if hasattr(match, "regex"):
        found = re.search(match.regex, model)
        return found.span() if found else (0, 0)
    text = next(iter(vars(match).values())).lower()
    start = model.rfind(text) if hasattr(match, "ends_with") else model.find(text)
    return start, start + len(text)
