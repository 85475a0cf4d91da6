"""How different several answers to one prompt are: pure functions on their words.

Words are runs of letters and digits, each other sign that is no space, and each letter of a script that is written
without spaces; case does not count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

_WORDS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|\w+|[^\w\s]")
"""Thai to Lao, Burmese, Khmer, Japanese kana and Chinese letters count one by one."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """Of several texts; None where they are too few or too short to say."""

    texts: int
    different: int
    """How many of the texts differ from all before them."""
    distinct_1: float | None
    distinct_2: float | None
    self_similarity: float | None


def diversity(texts: Sequence[str]) -> Diversity:
    """All measures at once."""
    return Diversity(len(texts), len(set(texts)), distinct_n(texts, 1), distinct_n(texts, 2), self_similarity(texts))


def distinct_n(texts: Sequence[str], n: int) -> float | None:
    """Different runs of `n` words over all of them, in all texts together: near 0 the same ones, 1 never one twice.

    Li et al. 2016, https://aclanthology.org/N16-1014. It falls with the length of the texts: compare equal lengths.
    """
    runs = [run for text in texts for run in _runs(text, n)]
    return len(set(runs)) / len(runs) if runs else None


def self_similarity(texts: Sequence[str], n: int = 2) -> float | None:
    """How alike two of the texts are on average: 1 the same, 0 with no word in common.

    Of each pair the Jaccard index (shared over all) of their runs of one to `n` words, each run counted once.
    """
    sets = [{run for size in range(1, n + 1) for run in _runs(text, size)} for text in texts]
    pairs = list(combinations(sets, 2))
    if not pairs:
        return None
    return sum(len(one & other) / len(one | other) if one | other else 1.0 for one, other in pairs) / len(pairs)


def _runs(text: str, n: int) -> list[tuple[str, ...]]:
    words = _WORDS.findall(text.casefold())
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]
