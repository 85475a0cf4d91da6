"""Vendors' calls that count the tokens of a prompt. They cost nothing, and are neither recorded nor retried.

Each takes the body that a call would have and leaves out what has no place here. Read on 2026-11-24 from the types of
openai 3.54.0 (responses/input_tokens), anthropic 2.12.0 (messages/count_tokens), google-genai 3.4.0 (countTokens) and
cohere 7.3.1 (tokenize), and from llama.cpp's server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..types import Usage
from .protocol import Answer

_OPENAI = frozenset({"model", "input", "instructions", "tools", "tool_choice", "text", "reasoning"})
_ANTHROPIC = frozenset({"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"})
COHERE_LETTERS = 65_536
"""The longest text that Cohere's call takes."""


@dataclass(frozen=True, slots=True)
class Counting:
    """One call. `how` and `by` are those of TokenCount."""

    path: str
    body: Mapping[str, Any]
    read: Callable[[Any, Answer], None]
    by: str
    how: str = "vendor"


def openai(body: Mapping[str, Any]) -> Counting:
    """`body` is that of the Responses API."""
    asked = {name: value for name, value in body.items() if name in _OPENAI}
    return Counting("/responses/input_tokens", asked, _reader("input_tokens"), "OpenAI's count of input tokens")


def anthropic(body: Mapping[str, Any]) -> Counting:
    asked = {name: value for name, value in body.items() if name in _ANTHROPIC}
    return Counting("/v1/messages/count_tokens", asked, _reader("input_tokens"), "Anthropic's token counting")


def google(path: str, body: Mapping[str, Any]) -> Counting:
    """`path` is that of the model, as models/gemini-4-argon."""
    counted = {name: value for name, value in body.items() if name != "store"}
    asked = {"generateContentRequest": {"model": path, **counted}}
    return Counting(f"{path}:countTokens", asked, _reader("totalTokens"), "Google's countTokens")


def cohere(model: str, text: str) -> Counting | None:
    """Of the text alone: Cohere tokenises no conversation. None where it is too long, or empty."""
    if not 0 < len(text) <= COHERE_LETTERS:
        return None
    by = "Cohere's tokenizer, for the text alone"
    return Counting("/v1/tokenize", {"model": model, "text": text}, _reader("tokens"), by)


def llama(body: Mapping[str, Any]) -> Counting:
    """`body` is that of Chat Completions."""
    by = "the model's own tokeniser, through llama.cpp"
    return Counting("/chat/completions/input_tokens", body, _reader("input_tokens"), by, how="tokeniser")


def _reader(name: str) -> Callable[[Any, Answer], None]:
    def read(data: Any, into: Answer) -> None:
        """Raises KeyError, TypeError or ValueError for what is no count."""
        found = data[name]
        into.usage = Usage(input_tokens=len(found) if isinstance(found, list) else int(found))

    return read
