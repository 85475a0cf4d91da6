"""Any endpoint that speaks OpenAI's Chat Completions: Ollama, vLLM, llama.cpp, OpenRouter, Azure, Groq and others."""

from __future__ import annotations

from ..errors import InvalidConnection
from ..types import LLMProvider
from .openai import OpenAIAdapter
from .openai_chat import ChatCompletions
from .openai_client import OPTIONS as SDK_OPTIONS
from .options import checked_options
from .registry import find

OPTIONS = SDK_OPTIONS | {"usage_in_stream", "max_tokens_name"}
"""`usage_in_stream`: false for an endpoint that refuses to be asked for token counts in a stream; they are estimated.
`max_tokens_name`: what it calls the limit of an answer, where that is not max_tokens."""


def connect(connection: LLMProvider, key: str | None) -> OpenAIAdapter:
    """Raises InvalidConnection without a base URL, or for options that cannot be."""
    options = checked_options(connection, OPTIONS)
    if not connection.base_url:
        raise InvalidConnection("An OpenAI-compatible endpoint needs a base URL.", "As http://127.0.0.1:11434/v1.")
    usage_in_stream = options.get("usage_in_stream", True)
    max_tokens_name = options.get("max_tokens_name", "max_tokens")
    if not isinstance(usage_in_stream, bool):
        raise InvalidConnection("The option usage_in_stream must be true or false.")
    if max_tokens_name not in ("max_tokens", "max_completion_tokens"):
        raise InvalidConnection("The option max_tokens_name must be max_tokens or max_completion_tokens.")
    capabilities = find(connection.provider).capabilities
    chat = ChatCompletions(capabilities.parameters, max_tokens_name=max_tokens_name, usage_in_stream=usage_in_stream)
    return OpenAIAdapter(connection, key, capabilities=capabilities, usual=chat)
