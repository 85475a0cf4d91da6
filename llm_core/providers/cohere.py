"""Cohere through its SDK: the Chat, Embed and transcription APIs, version 2."""

from __future__ import annotations

from typing import Any

from ..types import LLMProvider
from . import cohere_embed, cohere_transcribe
from .adapter import SDKAdapter
from .cohere_chat import Chat
from .cohere_client import OPTIONS, CohereSDK
from .cohere_models import CohereModels
from .options import checked_options
from .protocol import Answer, EmbedRequest, TranscribeRequest
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
