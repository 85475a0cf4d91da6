"""Cohere's transcription of audio. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidParameters
from .audio_names import file_name
from .cohere_usage import note_usage
from .failures import ErrorInside
from .protocol import Answer, TranscribeRequest
from .sending import Upload

PATH = "/v2/audio/transcriptions"


def upload(request: TranscribeRequest) -> Upload:
    """Raises InvalidParameters without a language, which Cohere does not find out by itself, or with a prompt."""
    if request.language is None:
        raise InvalidParameters("Cohere has to be told the language of a recording.", 'Give it as language="en".')
    if request.prompt is not None:
        raise InvalidParameters("Cohere's transcription has no place for a prompt.", "Leave it out.")
    fields = {"model": request.model, "language": request.language}
    return Upload(fields, request.data, file_name(request.media_type), request.media_type)


def read(data: Any, into: Answer) -> None:
    """Raises ErrorInside, or KeyError and the like for what is no answer."""
    if isinstance(data, Mapping) and isinstance(data.get("message"), str):
        raise ErrorInside(data)
    into.text = data["text"]
    note_usage(data.get("usage") or data.get("meta"), into)
    into.finish = "stop"
