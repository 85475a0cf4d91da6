"""The endpoints that count the tokens of a prompt, as the replay server speaks them: each vendor's own.

What they count is a token for each letter that is sent as text, so that a test can tell what was counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from . import anthropic_messages, cohere_chat, google_generate
from .replies import Say

_TEXTS = ("text", "content", "instructions", "system", "description")


def letters(body: Any) -> int:
    """Of every text in a request."""
    return sum(len(text) for text in _texts(body))


def _texts(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, str) and name in _TEXTS:
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)


class _OpenAI:
    PATH = "/v1/responses/input_tokens"

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        unknown = set(body) - _openai_fields()
        return f"Unknown parameter: '{min(unknown)}'." if unknown else None

    def plain(self, say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
        return {"object": "response.input_tokens", "input_tokens": letters(body)}

    def events(self, say: Say, body: Mapping[str, Any]) -> list[str]:
        raise AssertionError("counts are never streamed")


class _Anthropic(_OpenAI):
    PATH = "/v1/messages/count_tokens"
    REQUEST_ID = anthropic_messages.REQUEST_ID
    failing = staticmethod(anthropic_messages.failing)

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        unknown = set(body) - _anthropic_fields()
        return f"{min(unknown)}: Extra inputs are not permitted" if unknown else None

    def plain(self, say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
        return {"input_tokens": letters(body)}


class _Google(_OpenAI):
    PATH = "/v1beta/models/*:countTokens"
    REQUEST_ID = google_generate.REQUEST_ID
    failing = staticmethod(google_generate.failing)

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        inner = body.get("generateContentRequest")
        if set(body) != {"generateContentRequest"} or not isinstance(inner, dict) or "model" not in inner:
            return "generateContentRequest.model is required"
        rest = {name: value for name, value in inner.items() if name != "model"}
        return google_generate.generate.problem(rest)  # type: ignore[no-any-return]

    def plain(self, say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
        return {"totalTokens": letters(body)}


class _Cohere(_OpenAI):
    PATH = "/v1/tokenize"
    REQUEST_ID = cohere_chat.REQUEST_ID
    failing = staticmethod(cohere_chat.failing)

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        if set(body) != {"text", "model"}:
            return "invalid request: text and model are needed"
        return None if 1 <= len(body["text"]) <= 65_536 else "invalid request: text must be 1 to 65536 characters long"

    def plain(self, say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
        return {"tokens": list(range(letters(body))), "token_strings": list(body["text"])}


@cache
def _openai_fields() -> frozenset[str]:
    from openai.types.responses.input_token_count_params import InputTokenCountParams

    return frozenset(InputTokenCountParams.__annotations__)


@cache
def _anthropic_fields() -> frozenset[str]:
    from anthropic.types.message_count_tokens_params import MessageCountTokensParams

    return frozenset(MessageCountTokensParams.__annotations__)


openai_counts = _OpenAI()
anthropic_counts = _Anthropic()
google_counts = _Google()
cohere_counts = _Cohere()
