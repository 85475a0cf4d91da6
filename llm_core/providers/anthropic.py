"""Anthropic through its SDK: the Messages API."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..errors import InvalidConnection
from ..types import LLMProvider, Usage
from . import counting, estimate
from .adapter import SDKAdapter
from .anthropic_client import OPTIONS as SDK_OPTIONS
from .anthropic_client import AnthropicSDK
from .anthropic_messages import Messages
from .anthropic_models import AnthropicModels
from .anthropic_usage import read_usage
from .counting import Counting
from .options import checked_options
from .protocol import Answer, ChatRequest
from .registry import find

OPTIONS = SDK_OPTIONS | {"cache"}
"""`cache`: "5m" or "1h" lets Anthropic keep what is sent for so long and read it again at a tenth of the price."""


def connect(connection: LLMProvider, key: str | None) -> AnthropicAdapter:
    """Raises InvalidConnection for options that cannot be."""
    options = checked_options(connection, OPTIONS)
    cache = options.get("cache")
    if cache not in (None, "5m", "1h"):
        raise InvalidConnection(f"The option cache cannot be {cache!r}.", 'Use "5m" or "1h", or leave it out.')
    row = find(connection.provider)
    sdk = AnthropicSDK(connection, connection.base_url or row.base_url or "", key)
    form = Messages(row.capabilities.parameters, cache=cache)
    return AnthropicAdapter(connection, key, sdk=sdk, form=form, models=AnthropicModels())


class AnthropicAdapter(SDKAdapter[Any, Any]):
    def _counting(self, request: ChatRequest) -> Counting:
        return counting.anthropic(self._form.body(request, stream=False))

    def estimate_usage(self, request: ChatRequest, answer: Answer) -> Usage | None:
        """A stream begins with the true count of the prompt: only the answer's part has to be guessed."""
        guess = estimate.estimate_usage(request, answer)
        begun, _ = read_usage(answer.raw_usage or {}, answer.model_reported)
        if guess is None or begun is None:
            return guess
        return dataclasses.replace(
            begun,
            output_tokens=max(begun.output_tokens, guess.output_tokens),
            reasoning_tokens=max(begun.reasoning_tokens, guess.reasoning_tokens),
        )
