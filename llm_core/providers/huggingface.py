"""Hugging Face's router: chat in OpenAI's form, embeddings and transcription in that of the provider behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidConnection
from ..types import LLMProvider
from .adapter import SDKAdapter
from .huggingface_chat import RoutedChat
from .huggingface_client import OPTIONS as SDK_OPTIONS
from .huggingface_client import HuggingFaceSDK
from .huggingface_models import HuggingFaceModels
from .huggingface_tasks import Embedding, Transcribing
from .options import checked_options
from .protocol import Answer, ChatRequest, EmbedRequest, TranscribeRequest
from .registry import find
from .streams import Format

OPTIONS = SDK_OPTIONS | {"split_thinking"}
"""`split_thinking`: false leaves what a model thinks, between <think> and </think>, in its text."""

_ROUTE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def connect(connection: LLMProvider, key: str | None) -> HuggingFaceAdapter:
    """Raises InvalidConnection for options that cannot be."""
    options = checked_options(connection, OPTIONS)
    split_thinking = options.get("split_thinking", True)
    if not isinstance(split_thinking, bool):
        raise InvalidConnection("The option split_thinking must be true or false.")
    return HuggingFaceAdapter(connection, key, split_thinking=split_thinking)


class HuggingFaceAdapter(SDKAdapter[Any, Any]):
    def __init__(self, connection: LLMProvider, key: str | None, *, split_thinking: bool) -> None:
        row = find(connection.provider)
        sdk = HuggingFaceSDK(connection, connection.base_url or row.base_url or "", key)
        form = RoutedChat(row.capabilities.parameters, split_thinking=split_thinking)
        super().__init__(connection, key, sdk=sdk, form=form, models=HuggingFaceModels())
        self._split_thinking = split_thinking

    def embed(self, request: EmbedRequest, into: Answer) -> None:
        task = Embedding(request)
        self._exchange(task.outgoing(self._timeout(request.deadline)), task.read, into)

    async def aembed(self, request: EmbedRequest, into: Answer) -> None:
        task = Embedding(request)
        await self._aexchange(task.outgoing(self._timeout(request.deadline)), task.read, into)

    def transcribe(self, request: TranscribeRequest, into: Answer) -> None:
        task = Transcribing(request)
        self._exchange(task.outgoing(self._timeout(request.deadline)), task.read, into)

    async def atranscribe(self, request: TranscribeRequest, into: Answer) -> None:
        task = Transcribing(request)
        await self._aexchange(task.outgoing(self._timeout(request.deadline)), task.read, into)

    def _format_for(self, request: ChatRequest) -> Format:
        parameters = self.capabilities.parameters
        return RoutedChat(parameters, model=request.model, split_thinking=self._split_thinking)

    def _heard(self, headers: Mapping[str, str], into: Answer) -> None:
        super()._heard(headers, into)
        route = headers.get("x-inference-provider", "")
        into.route = route if _ROUTE.fullmatch(route) else None
