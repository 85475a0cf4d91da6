"""Google's Gemini API through the google-genai SDK: generateContent, embeddings, transcription by asking for it."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from ..errors import InvalidConnection
from ..types import LLMProvider, Usage
from . import counting, estimate, google_embed
from .adapter import SDKAdapter
from .counting import Counting
from .google_client import API_VERSION, OPTIONS, GoogleSDK
from .google_generate import GenerateContent, model_path
from .google_models import GoogleModels
from .google_transcribe import as_chat
from .google_usage import read_usage
from .options import checked_options
from .protocol import Answer, ChatRequest, EmbedRequest, TranscribeRequest
from .registry import find
from .sending import Outgoing
from .streams import Format

_VERSION = re.compile(r"v\d[a-z0-9]{0,12}")


def connect(connection: LLMProvider, key: str | None) -> GoogleAdapter:
    """Raises InvalidConnection for options that cannot be."""
    options = checked_options(connection, OPTIONS)
    version = options.get("api_version", API_VERSION)
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise InvalidConnection(f"The option api_version cannot be {version!r}.", 'As "v1" or "v1beta".')
    row = find(connection.provider)
    sdk = GoogleSDK(connection, connection.base_url or row.base_url or "", key)
    form = GenerateContent(row.capabilities.parameters, store=options.get("store", False) is True)
    return GoogleAdapter(connection, key, sdk=sdk, form=form, models=GoogleModels())


class GoogleAdapter(SDKAdapter[Any, Any]):
    def embed(self, request: EmbedRequest, into: Answer) -> None:
        out = self._posting(google_embed.path(request), request.deadline, google_embed.body(request))
        self._exchange(out, google_embed.read, into)

    async def aembed(self, request: EmbedRequest, into: Answer) -> None:
        out = self._posting(google_embed.path(request), request.deadline, google_embed.body(request))
        await self._aexchange(out, google_embed.read, into)

    def transcribe(self, request: TranscribeRequest, into: Answer) -> None:
        self.complete(as_chat(request), into)

    async def atranscribe(self, request: TranscribeRequest, into: Answer) -> None:
        await self.acomplete(as_chat(request), into)

    def estimate_usage(self, request: ChatRequest, answer: Answer) -> Usage | None:
        """A stream tells what it has used so far: only what came after that has to be guessed."""
        guess = estimate.estimate_usage(request, answer)
        so_far = read_usage(answer.raw_usage or {})
        if guess is None or so_far is None:
            return guess
        return dataclasses.replace(
            so_far,
            output_tokens=max(so_far.output_tokens, guess.output_tokens),
            reasoning_tokens=max(so_far.reasoning_tokens, guess.reasoning_tokens),
        )

    def _counting(self, request: ChatRequest) -> Counting:
        return counting.google(model_path(request.model), self._form.body(request, stream=False))

    def _outgoing(self, form: Format, request: ChatRequest, stream: bool) -> Outgoing:
        """The model and the way to answer stand in the path."""
        action = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return self._posting(f"{model_path(request.model)}:{action}", request.deadline, form.body(request, stream))
