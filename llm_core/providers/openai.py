"""OpenAI through its SDK: the Responses API, or Chat Completions where the connection or the request asks for it;
embeddings and transcription."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..errors import InvalidConnection
from ..types import Audio, LLMProvider, Parameters
from . import counting, openai_embed, openai_transcribe
from .adapter import SDKAdapter
from .counting import Counting
from .openai_chat import ChatCompletions
from .openai_client import OPTIONS as SDK_OPTIONS
from .openai_client import OpenAISDK
from .openai_models import OpenAIModels
from .openai_responses import LEAST_TOKENS, Responses
from .openai_responses import PARAMETERS as RESPONSES_PARAMETERS
from .options import checked_options
from .protocol import Answer, Capabilities, ChatRequest, EmbedRequest, TranscribeRequest
from .registry import find
from .streams import Format

OPTIONS = SDK_OPTIONS | {"api", "store"}
"""`api`: "chat" or "responses"; without it a request takes the Responses API unless only Chat Completions can carry it.
`store`: let OpenAI keep the answers of the Responses API, false unless said."""


def connect(connection: LLMProvider, key: str | None) -> OpenAIAdapter:
    """Raises InvalidConnection for options that cannot be."""
    options = checked_options(connection, OPTIONS)
    api = options.get("api")
    if api not in (None, "chat", "responses"):
        raise InvalidConnection(f"The option api cannot be {api!r}.", 'Use "chat" or "responses", or leave it out.')
    capabilities = find(connection.provider).capabilities
    chat = ChatCompletions(capabilities.parameters)
    return OpenAIAdapter(
        connection,
        key,
        capabilities=capabilities,
        usual=chat if api == "chat" else Responses(store=options.get("store", False) is True),
        fallback=chat if api is None else None,
    )


class OpenAIAdapter(SDKAdapter[Any, Any]):
    """One connection through the OpenAI SDK. `usual` carries requests; `fallback` those `usual` has no place for."""

    def __init__(
        self,
        connection: LLMProvider,
        key: str | None,
        *,
        capabilities: Capabilities,
        usual: Format,
        fallback: Format | None = None,
    ) -> None:
        base_url = connection.base_url or find(connection.provider).base_url or ""
        sdk = OpenAISDK(connection, base_url, key)
        super().__init__(connection, key, sdk=sdk, form=usual, models=OpenAIModels(), capabilities=capabilities)
        self._fallback = fallback

    def _format_for(self, request: ChatRequest) -> Format:
        if self._fallback is None:
            return self._form
        beyond = not RESPONSES_PARAMETERS.issuperset(request.parameters.given())
        short = (request.parameters.max_tokens or LEAST_TOKENS) < LEAST_TOKENS
        return self._fallback if beyond or short or _has_audio(request) else self._form

    def _counting(self, request: ChatRequest) -> Counting | None:
        """By the Responses API, whichever carries the call: the prompt is the same. It takes no audio."""
        if self._connection.provider != "openai" or _has_audio(request):
            return None
        known = {name: value for name, value in request.parameters.given().items() if name in RESPONSES_PARAMETERS}
        return counting.openai(Responses().body(dataclasses.replace(request, parameters=Parameters(**known)), False))

    def embed(self, request: EmbedRequest, into: Answer) -> None:
        out = self._posting(openai_embed.PATH, request.deadline, openai_embed.body(request))
        self._exchange(out, openai_embed.read, into)

    async def aembed(self, request: EmbedRequest, into: Answer) -> None:
        out = self._posting(openai_embed.PATH, request.deadline, openai_embed.body(request))
        await self._aexchange(out, openai_embed.read, into)

    def transcribe(self, request: TranscribeRequest, into: Answer) -> None:
        out = self._posting(openai_transcribe.PATH, request.deadline, openai_transcribe.upload(request))
        self._exchange(out, openai_transcribe.read, into)

    async def atranscribe(self, request: TranscribeRequest, into: Answer) -> None:
        out = self._posting(openai_transcribe.PATH, request.deadline, openai_transcribe.upload(request))
        await self._aexchange(out, openai_transcribe.read, into)


def _has_audio(request: ChatRequest) -> bool:
    return any(isinstance(part, Audio) for message in request.messages for part in message.parts)
