"""OpenAI's transcription of audio, and that of compatible endpoints. No I/O."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from ..types import Usage
from .audio_names import file_name
from .counts import consistent_usage, count, section
from .failures import ErrorInside
from .protocol import Answer, TranscribeRequest
from .sending import Upload

log = logging.getLogger(__name__)

PATH = "/audio/transcriptions"


def upload(request: TranscribeRequest) -> Upload:
    """Asks each model for the form that tells most: only Whisper gives times, only a diarizing model speakers."""
    fields = {"model": request.model, "response_format": "json"}
    name = request.model.lower()
    if "whisper" in name:
        fields["response_format"] = "verbose_json"
    elif "diarize" in name:
        fields |= {"response_format": "diarized_json", "chunking_strategy": "auto"}
    if request.language is not None:
        fields["language"] = request.language
    if request.prompt is not None:
        fields["prompt"] = request.prompt
    return Upload(fields, request.data, file_name(request.media_type), request.media_type)


def read(data: Any, into: Answer) -> None:
    """Raises ErrorInside, or KeyError and the like for what is no answer."""
    if data.get("error"):
        raise ErrorInside(data)
    into.text = data["text"]
    into.segments = list(data.get("segments") or ())
    into.language = data.get("language")
    into.finish = "stop"
    raw = section(data, "usage")
    if not raw and "duration" in data:
        raw = {"type": "duration", "seconds": data["duration"]}
    if raw:
        into.raw_usage = raw
        into.usage = _read_usage(raw)


def _read_usage(raw: Mapping[str, Any]) -> Usage | None:
    """By the minute for Whisper, by tokens for the models after it."""
    if raw.get("type") == "duration":
        seconds = raw.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not math.isfinite(seconds):
            return None
        return Usage(audio_seconds=float(seconds)) if 0 <= seconds < 1e12 else None
    prompt, output, total = (count(raw, name) for name in ("input_tokens", "output_tokens", "total_tokens"))
    if prompt is None or output is None:
        return None
    if total is not None and prompt + output != total:
        log.warning("Token counts do not add up: %d + %d is not the total %d.", prompt, output, total)
    audio = count(section(raw, "input_token_details"), "audio_tokens") or 0
    return consistent_usage(input_tokens=prompt, input_audio_tokens=audio, output_tokens=output)
