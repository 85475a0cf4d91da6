"""Tells what a model thinks from what it says, where it writes both into its text: <think>...</think>, then the answer.

So do the DeepSeek-R1 family and others on servers that do not do it for them. Only thinking that comes first counts: a
tag in the middle of an answer is part of it. White space around either is dropped.
"""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkingText:
    """Fed with the text as it comes, gives (said, thought) as soon as it is sure which is which."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking: bool | None = None
        """None until the text has told whether it begins with thinking."""
        self._begun = True
        """Something of what now comes was given out; until then white space is dropped."""

    def feed(self, text: str) -> tuple[str, str]:
        self._held += text
        if self._thinking is None:
            self._begin()
        if self._thinking is None:
            return "", ""
        thought = self._thought() if self._thinking else ""
        said = self._given(self._held) if not self._thinking else ""
        if not self._thinking:
            self._held = ""
        return said, thought

    def end(self) -> tuple[str, str]:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return ("", self._given(held.rstrip())) if self._thinking else (held, "")

    def _begin(self) -> None:
        first = self._held.lstrip()
        if first.startswith(_OPEN):
            self._thinking, self._begun, self._held = True, False, first.removeprefix(_OPEN)
        elif not _OPEN.startswith(first):
            self._thinking = False

    def _thought(self) -> str:
        thought, close, rest = self._held.partition(_CLOSE)
        if close:
            given = self._given(thought.rstrip())
            self._thinking, self._begun, self._held = False, False, rest
            return given
        sure = _sure(self._held)
        thought, self._held = self._held[:sure], self._held[sure:]
        return self._given(thought)

    def _given(self, text: str) -> str:
        text = text if self._begun else text.lstrip()
        self._begun = self._begun or bool(text)
        return text


def _sure(text: str) -> int:
    """How much of a thought is surely one: its end may be the beginning of _CLOSE, and the white space before it."""
    begun = next((size for size in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:size])), 0)
    return len(text[: len(text) - begun].rstrip())


def told_apart(text: str) -> tuple[str, str]:
    """(said, thought) of a whole text."""
    parts = ThinkingText()
    said, thought = parts.feed(text)
    last_said, last_thought = parts.end()
    return said + last_said, thought + last_thought
