"""What the replay server can be told to answer: an answer in words that every format shares, or exact bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_core.types import Usage


@dataclass(frozen=True, kw_only=True)
class Course:
    """How an answer travels: where it waits, drips, stops or breaks. Seconds throughout."""

    delay: float = 0.0
    """Before the status line."""
    pause: float = 0.0
    """Between events of a stream, or between drips of a plain body."""
    drip: int = 0
    """A plain body is sent this many bytes at a time."""
    hold_after: int | None = None
    """After this many events, or bytes of a plain body, wait for `server.release()` or until the client leaves."""
    cut_after: int | None = None
    """After this many events, or bytes of a plain body, drop the connection in mid-body."""
    reset: bool = False
    """Drop it with a TCP reset, not an orderly end. Without `cut_after`: before any answer."""


@dataclass(frozen=True, kw_only=True)
class Say(Course):
    """An answer. The format asked (Chat Completions, Responses ...) decides how it is written."""

    text: str = "Hello from the wire."
    reasoning: str = ""
    tool_calls: Sequence[tuple[str, str, str]] = ()
    """(id, name, arguments as JSON text)"""
    refusal: str = ""
    finish: str = "stop"
    usage: Usage | None = field(default_factory=lambda: Usage(input_tokens=12, output_tokens=6))
    """Written in the vendor's own convention; None sends no usage."""
    model: str | None = None
    """The model reported; None repeats the one asked for."""
    others: Sequence[str] = ()
    """Texts of further choices, where n asked for them."""
    pieces: int = 0
    """Stream the text in this many events; 0 makes one for each word."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Raw(Course):
    """An exact answer: a plain body, or a stream given as the list of its events (text without the blank line)."""

    status: int = 200
    body: Any = b""
    events: Sequence[str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


Step = Say | Raw


def failing(status: int, message: str = "It did not work.", **named: Any) -> Raw:
    """An error as OpenAI writes it; `code`, `type` and `param` go into the body, `headers` and the Course as given."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    error |= {name: named.pop(name) for name in ("code", "type", "param") if name in named}
    return Raw(status=status, body={"error": error}, **named)


def events_of(text: str) -> list[str]:
    """The events of a recorded stream."""
    return [event for event in text.replace("\r\n", "\n").split("\n\n") if event.strip()]


def words(text: str, pieces: int = 0) -> list[str]:
    """The text cut for streaming: by words, or into about `pieces` parts. Joined again it is the same text."""
    if pieces:
        size = max(1, -(-len(text) // pieces))
        return [text[start : start + size] for start in range(0, len(text), size)]
    cut = [word + " " for word in text.split(" ")]
    cut[-1] = cut[-1][:-1]
    return [word for word in cut if word]
