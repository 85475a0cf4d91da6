"""Makes one bounded line without keys of text that came from outside, before it may reach an error, a page or a log."""

from __future__ import annotations

from ..keys import redaction

LONGEST = 600


def redacted(text: str, key: str | None) -> str:
    """`key` is the one the text may quote, whole or in part, as it is or encoded."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = redaction.redacted(line, key)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
