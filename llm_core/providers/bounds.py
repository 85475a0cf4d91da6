"""What a request can use at most, before it is sent: for budgets, which hold that much.

A prompt's tokens are bounded, not guessed: twice what `estimate` makes of it, a token for two bytes, which no current
tokenizer exceeds for prose, code or any script. An image counts 1,530, a second of audio 32 (Gemini's rate, the highest
published), a file half its bytes. Nothing exceeds the context window, where that is known. An answer has at most
max_tokens, reasoning included; where none is set, what its adapter asks for or the model's longest answer; where nobody
knows that, 16,384. Tools that the vendor runs and bills by use (web search) are not bounded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ..types import Audio, File, LLMModel, Message, Usage
from . import audio_length, estimate
from .protocol import ChatRequest, EmbedRequest, TranscribeRequest

MARGIN = 2
TOKENS_PER_AUDIO_SECOND = 32
TOKENS_PER_SPOKEN_SECOND = 10
"""Of a transcript: fast speech is 4 words a second."""
LONGEST_UNKNOWN = 16_384

Request = ChatRequest | EmbedRequest | TranscribeRequest


def at_most(
    request: Request, model: LLMModel, *, longest: int | None = None, writes_cache: bool = False
) -> list[Usage]:
    """Usages of which the dearest bounds the cost. The first is what tokens are counted by.

    Several, because the vendor decides how it bills: a recording by its length or by tokens, a prompt as written to a
    cache, for a short or a long time, where `writes_cache` says that this is asked for. `longest` is the limit of an
    answer that its adapter sets where the request has none.
    """
    if isinstance(request, TranscribeRequest):
        return list(_transcription(request))
    if isinstance(request, EmbedRequest):
        return [Usage(input_tokens=MARGIN * sum(estimate.tokens(text) for text in request.texts))]
    window = model.context_window
    prompt = _within(_prompt(request), window)
    answers = request.parameters.n or 1
    answer = request.parameters.max_tokens or longest or model.max_output_tokens or _within(LONGEST_UNKNOWN, window)
    usage = Usage(input_tokens=prompt, output_tokens=answers * answer)
    if not writes_cache:
        return [usage]
    written = dataclasses.replace(usage, cache_write_tokens=prompt)
    return [usage, written, dataclasses.replace(written, cache_write_1h_tokens=prompt)]


def _transcription(request: TranscribeRequest) -> Iterator[Usage]:
    """Either way by the measured length. The words that may come up are sent with it."""
    seconds = audio_length.seconds_at_most(request.data)
    heard = round(seconds * TOKENS_PER_AUDIO_SECOND)
    yield Usage(
        input_tokens=heard + MARGIN * estimate.tokens(request.prompt or ""),
        input_audio_tokens=heard,
        output_tokens=round(seconds * TOKENS_PER_SPOKEN_SECOND),
    )
    yield Usage(audio_seconds=seconds)


def _prompt(request: ChatRequest) -> int:
    media = sum(_media(message) for message in request.messages)
    return MARGIN * estimate.prompt_tokens(request) + media


def _media(message: Message) -> int:
    """What the estimate leaves out or counts for little."""
    total = 0
    for part in message.parts:
        if isinstance(part, Audio):
            total += round(audio_length.seconds_at_most(part.data) * TOKENS_PER_AUDIO_SECOND)
        elif isinstance(part, File):
            total += len(part.data) // 2
    return total


def _within(tokens: int, window: int | None) -> int:
    return tokens if window is None else min(tokens, window)
