"""What embedding and transcribing need beside the call path: reading audio, batches of texts, estimates, sums."""

from __future__ import annotations

import dataclasses
import mimetypes
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, cast

from .attempt import Plan
from .errors import InvalidInput, NotConfigured
from .providers import estimate
from .providers.audio_length import seconds_of
from .providers.protocol import Answer, Embedder, EmbedRequest, Transcriber, TranscribeRequest
from .types import USAGE_FIELDS, Audio, Cost, Reply, Usage

AudioFile = str | Path | bytes | IO[bytes] | Audio

_SNIFFED = ((b"RIFF", "audio/wav"), (b"ID3", "audio/mpeg"), (b"fLaC", "audio/flac"), (b"OggS", "audio/ogg"))


def read_audio(file: AudioFile) -> Audio:
    """The bytes and their media type. Raises InvalidInput for what cannot be read, is empty, or is no audio."""
    if isinstance(file, Audio):
        return file
    name = ""
    if isinstance(file, (str, Path)):
        name = str(file)
        try:
            data = Path(file).read_bytes()
        except OSError as error:
            raise InvalidInput(f"{name} cannot be read: {error.strerror}.") from None
    elif isinstance(file, bytes):
        data = file
    else:
        name, data = str(getattr(file, "name", "")), file.read()
    if not data:
        raise InvalidInput("The recording is empty.", "Choose a file with sound in it.")
    media_type = mimetypes.guess_type(name)[0] or next((kind for mark, kind in _SNIFFED if data.startswith(mark)), None)
    if media_type is None or not media_type.startswith(("audio/", "video/")):
        raise InvalidInput(
            "The recording's format is not known.", 'Give Audio(data, "audio/mpeg") with its media type.'
        )
    return Audio(data, media_type)


def batches(texts: str | Sequence[str], most: int | None) -> list[tuple[str, ...]]:
    """At most `most` texts each. Raises InvalidInput for what cannot be embedded."""
    given = (texts,) if isinstance(texts, str) else tuple(texts)
    if not given or not all(isinstance(text, str) and text for text in given):
        raise InvalidInput(
            "Only texts can be embedded, and none of them may be empty.", "Give a text or a list of texts."
        )
    size = most or len(given)
    return [given[start : start + size] for start in range(0, len(given), size)]


def embedder(plan: Plan[EmbedRequest]) -> Embedder:
    if not plan.adapter.capabilities.embeddings:
        raise _cannot(plan, "make embeddings")
    return cast(Embedder, plan.adapter)


def transcriber(plan: Plan[TranscribeRequest]) -> Transcriber:
    if not plan.adapter.capabilities.transcription:
        raise _cannot(plan, "transcribe audio")
    return cast(Transcriber, plan.adapter)


def estimate_embedding(request: EmbedRequest, answer: Answer) -> Usage | None:
    return Usage(input_tokens=sum(estimate.tokens(text) for text in request.texts)) if answer.vectors else None


def estimate_transcription(request: TranscribeRequest, answer: Answer) -> Usage | None:
    """By the measured length, which most vendors bill; None where it cannot be measured."""
    seconds = seconds_of(request.data) if answer.text else None
    return None if seconds is None else Usage(audio_seconds=seconds, output_tokens=estimate.tokens(answer.text))


def joined(replies: Sequence[Reply]) -> Reply:
    """Several calls for one list of texts as one reply. A sum with an unknown part is unknown."""
    first, *others = replies
    if not others:
        return first
    return dataclasses.replace(
        first,
        vectors=tuple(vector for reply in replies for vector in reply.vectors),
        usage=_sum_of_usage([reply.usage for reply in replies]),
        cost=_sum_of_costs([reply.cost for reply in replies]),
        latency_ms=sum(reply.latency_ms for reply in replies),
        recorded=all(reply.recorded for reply in replies),
        attempts=sum(reply.attempts for reply in replies),
    )


def _sum_of_usage(parts: Sequence[Usage | None]) -> Usage | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return Usage(**{name: sum(getattr(part, name) for part in known) for name in USAGE_FIELDS})


def _sum_of_costs(costs: Sequence[Cost]) -> Cost:
    known = [cost.usd for cost in costs if cost.usd is not None]
    missing = tuple(dict.fromkeys(name for cost in costs for name in cost.missing))
    parts = {name: _total(cost.parts.get(name) for cost in costs) for name in dict.fromkeys(_names(costs))}
    usd = sum(known[1:], known[0]) if len(known) == len(costs) else None
    return Cost(usd, parts, costs[0].source, costs[0].effective_from, missing)


def _names(costs: Iterable[Cost]) -> list[str]:
    return [name for cost in costs for name in cost.parts]


def _total(values: Iterable[Any]) -> Any:
    first, *others = [value for value in values if value is not None]
    return sum(others, first)


def _cannot(plan: Plan[Any], what: str) -> NotConfigured:
    return NotConfigured(
        f"{plan.connection.provider} cannot {what} through this program.", "Choose a model of another provider."
    )
