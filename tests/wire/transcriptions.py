"""The endpoints for transcription as the replay server speaks them: OpenAI's, Cohere's and Hugging Face's."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

from .replies import Say


class _OpenAI:
    PATH = "/v1/audio/transcriptions"

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        if unknown := set(body) - _openai_fields():
            return f"Unrecognized request argument supplied: {min(unknown)}"
        if not isinstance(body.get("file"), dict) or not body["file"]["name"].rpartition(".")[2]:
            return "Invalid file format."
        form = body.get("response_format", "json")
        forms = ("json", "text", "srt", "verbose_json", "vtt") if body["model"].startswith("whisper") else ("json",)
        if "diarize" in body["model"]:
            forms = ("json", "diarized_json")
        return None if form in forms else f"response_format '{form}' is not compatible with model '{body['model']}'."

    def plain(self, say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {"text": say.text}
        if body.get("response_format") == "verbose_json":
            answer |= {"task": "transcribe", "language": "english", "duration": 12.5}
            answer["segments"] = [{"id": 0, "start": 0.0, "end": 12.5, "text": say.text}]
        if body.get("response_format") == "diarized_json":
            answer["segments"] = [{"id": "seg_1", "speaker": "A", "start": 0.0, "end": 12.5, "text": say.text}]
        if say.usage is None:
            return answer
        if say.usage.audio_seconds:
            return {**answer, "usage": {"type": "duration", "seconds": say.usage.audio_seconds}}
        audio = say.usage.input_audio_tokens
        counts = {
            "input_tokens": say.usage.input_tokens,
            "input_token_details": {"text_tokens": say.usage.input_tokens - audio, "audio_tokens": audio},
            "output_tokens": say.usage.output_tokens,
            "total_tokens": say.usage.total_tokens,
        }
        return {**answer, "usage": {"type": "tokens", **counts}}

    def events(self, say: Say, body: Mapping[str, Any]) -> list[str]:
        raise AssertionError("this endpoint is not asked for a stream")


class _Cohere(_OpenAI):
    PATH = "/v2/audio/transcriptions"
    REQUEST_ID = "x-debug-trace-id"

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        if unknown := set(body) - _cohere_fields():
            return f"invalid request: unknown field: parameter '{min(unknown)}'"
        missing = {"model", "language", "file"} - set(body)
        return f"invalid request: {min(missing)} is required" if missing else None

    def plain(self, say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
        return {"text": say.text}


class _HuggingFace(_OpenAI):
    """Hugging Face's own takes the bytes as they are."""

    PATH = "/hf-inference/models/*"
    TAKES = bytes
    STREAMED = False

    def problem(self, body: Any, lenient: bool = False) -> str | None:
        return None if body else "no audio"

    def plain(self, say: Say, body: Any) -> dict[str, Any]:
        return {"text": say.text, "chunks": [{"text": say.text, "timestamp": [0.0, 12.5]}]}


@cache
def _openai_fields() -> frozenset[str]:
    from openai.types.audio.transcription_create_params import TranscriptionCreateParamsBase

    return frozenset(TranscriptionCreateParamsBase.__annotations__)


@cache
def _cohere_fields() -> frozenset[str]:
    from cohere.audio.transcriptions.client import TranscriptionsClient

    return frozenset({*inspect.signature(TranscriptionsClient.create).parameters} - {"self", "request_options"})


openai_transcriptions, cohere_transcriptions, huggingface_transcriptions = _OpenAI(), _Cohere(), _HuggingFace()
