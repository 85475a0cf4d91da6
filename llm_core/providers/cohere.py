"""Cohere through its SDK: the Chat, Embed and transcription APIs, version 2."""

from __future__ import annotations

from typing import Any

from ..types import LLMProvider, Text
from . import cohere_embed, cohere_transcribe, counting
from .adapter import SDKAdapter
from .cohere_chat import Chat
from .cohere_client import OPTIONS, CohereSDK
from .cohere_models import CohereModels
from .counting import Counting
from .options import checked_options
from .protocol import Answer, ChatRequest, EmbedRequest, TranscribeRequest
from .registry import find


def connect(connection: LLMProvider, key: str | None) -> CohereAdapter:
    """Raises InvalidConnection for options that cannot be."""
    checked_options(connection, OPTIONS)
    row = find(connection.provider)
    sdk = CohereSDK(connection, connection.base_url or row.base_url or "", key)
    return CohereAdapter(connection, key, sdk=sdk, form=Chat(row.capabilities.parameters), models=CohereModels())


class CohereAdapter(SDKAdapter[Any, Any]):
    def embed(self, request: EmbedRequest, into: Answer) -> None:
        out = self._posting(cohere_embed.PATH, request.deadline, cohere_embed.body(request))
        self._exchange(out, cohere_embed.read, into)

    async def aembed(self, request: EmbedRequest, into: Answer) -> None:
        out = self._posting(cohere_embed.PATH, request.deadline, cohere_embed.body(request))
        await self._aexchange(out, cohere_embed.read, into)

    def transcribe(self, request: TranscribeRequest, into: Answer) -> None:
        out = self._posting(cohere_transcribe.PATH, request.deadline, cohere_transcribe.upload(request))
        self._exchange(out, cohere_transcribe.read, into)

    async def atranscribe(self, request: TranscribeRequest, into: Answer) -> None:
        out = self._posting(cohere_transcribe.PATH, request.deadline, cohere_transcribe.upload(request))
        await self._aexchange(out, cohere_transcribe.read, into)

    def _counting(self, request: ChatRequest) -> Counting | None:
        """None where there is more than text to count: an estimate counts tools and images too."""
        parts = [part for message in request.messages for part in message.parts]
        if request.tools or request.schema or not all(isinstance(part, Text) for part in parts):
            return None
        return counting.cohere(request.model, "\n".join(message.text for message in request.messages))
