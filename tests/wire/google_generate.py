"""Gemini's generateContent as the replay server speaks it: checks requests as the API does, writes answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from llm_core.types import Usage

from .replies import Raw, Say, words

REQUEST_ID = "x-wire-id"
"""Google sends no header of the kind, but an id in the answer."""

_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def failing(status: int, message: str = "It did not work.", **named: Any) -> Raw:
    """An error as Google writes it."""
    for name in ("code", "type"):
        named.pop(name, None)
    return Raw(
        status=status, body={"error": {"code": status, "message": message, "status": _STATUS.get(status)}}, **named
    )


def model_list(names: list[str]) -> dict[str, Any]:
    entries = [
        {
            "name": f"models/{name}",
            "version": "001",
            "displayName": name.title(),
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens", "batchGenerateContent"],
            "temperature": 1,
            "maxTemperature": 2,
            "thinking": True,
        }
        for name in names
    ]
    return {"models": entries}


def _problems(body: Mapping[str, Any]) -> Iterator[str]:
    """Each part of a request must fit the SDK's own class for it, which knows every field of the API."""
    from google.genai import types
    from pydantic import ValidationError

    parts: dict[str, tuple[Any, list[Any]]] = {
        "contents": (types.Content, body.get("contents", [])),
        "systemInstruction": (types.Content, [body[name] for name in ("systemInstruction",) if name in body]),
        "tools": (types.Tool, body.get("tools", [])),
        "toolConfig": (types.ToolConfig, [body[name] for name in ("toolConfig",) if name in body]),
        "safetySettings": (types.SafetySetting, body.get("safetySettings", [])),
        "generationConfig": (types.GenerationConfig, [body[name] for name in ("generationConfig",) if name in body]),
    }
    plain = {"serviceTier", "store"}
    yield from (f'Unknown name "{name}": Cannot find field.' for name in sorted(set(body) - {*parts, *plain}))
    for name, (kind, values) in parts.items():
        for value in values:
            try:
                kind.model_validate(value)
            except ValidationError as error:
                yield f"Invalid value at '{name}': {error}"
    yield from _turn_problems(body.get("contents") or [])


def _turn_problems(turns: list[dict[str, Any]]) -> Iterator[str]:
    if not turns:
        yield "GenerateContentRequest.contents: contents is not specified"
    before: dict[str, Any] = {}
    for turn in turns:
        if turn.get("role") not in ("user", "model"):
            yield "Please use a valid role: user, model."
        if not turn.get("parts"):
            yield "GenerateContentRequest.contents: contents.parts must not be empty."
        calls = [part["functionCall"]["name"] for part in before.get("parts", ()) if "functionCall" in part]
        results = [part["functionResponse"]["name"] for part in turn["parts"] if "functionResponse" in part]
        if sorted(calls) != sorted(results):
            yield (
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        before = turn


def usage(told: Usage) -> dict[str, Any]:
    """Counts as Google reports them: what is 0 is left out."""
    text = told.input_tokens - told.input_audio_tokens
    details = [("TEXT", text), ("AUDIO", told.input_audio_tokens)]
    made: dict[str, Any] = {
        "promptTokenCount": told.input_tokens,
        "cachedContentTokenCount": told.cache_read_tokens,
        "candidatesTokenCount": told.output_tokens - told.reasoning_tokens,
        "thoughtsTokenCount": told.reasoning_tokens,
        "totalTokenCount": told.total_tokens,
        "promptTokensDetails": [{"modality": name, "tokenCount": number} for name, number in details if number],
    }
    return {name: value for name, value in made.items() if value}


def _plain(say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
    parts = [{"text": say.reasoning, "thought": True}] if say.reasoning else []
    if say.text or say.refusal:
        parts.append({"text": say.refusal or say.text})
    parts += [_call(*call, first=number == 0) for number, call in enumerate(say.tool_calls)]
    candidates = [_candidate(parts, say.finish)]
    candidates += [_candidate([{"text": text}], "stop", index) for index, text in enumerate(say.others, start=1)]
    return _chunk(say, candidates, say.usage)


def _events(say: Say, body: Mapping[str, Any]) -> list[str]:
    parts: list[dict[str, Any]] = [{"text": piece, "thought": True} for piece in words(say.reasoning)]
    parts += [{"text": piece} for piece in words(say.refusal or say.text, say.pieces)]
    parts += [_call(*call, first=number == 0) for number, call in enumerate(say.tool_calls)]
    chunks = [_chunk(say, [_candidate([part])], _so_far(say.usage, number)) for number, part in enumerate(parts)]
    for index, text in enumerate(say.others, start=1):
        chunks.append(_chunk(say, [_candidate([{"text": text}], "stop", index)], None))
    chunks.append(_chunk(say, [_candidate([{"text": ""}], say.finish)], say.usage))
    return ["data: " + json.dumps(chunk, ensure_ascii=False) for chunk in chunks]


def _so_far(told: Usage | None, number: int) -> Usage | None:
    """Each event counts from the beginning; the first knows of the prompt alone."""
    return told and Usage(input_tokens=told.input_tokens, output_tokens=min(number, told.output_tokens))


def _chunk(say: Say, candidates: list[dict[str, Any]], told: Usage | None) -> dict[str, Any]:
    made = {"candidates": candidates, "modelVersion": say.model or "gemini-wire", "responseId": "resp_wire"}
    return made if told is None else {**made, "usageMetadata": usage(told)}


def _candidate(parts: list[dict[str, Any]], finish: str | None = None, index: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": index}
    return made if finish is None else {**made, "finishReason": _FINISH[finish]}


def _call(call_id: str, name: str, arguments: str, *, first: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"functionCall": {"id": call_id, "name": name, "args": json.loads(arguments)}}
    return {**made, "thoughtSignature": "c2lnbmVk"} if first else made


class _GenerateContent:
    REQUEST_ID = REQUEST_ID
    failing = staticmethod(failing)
    plain = staticmethod(_plain)
    events = staticmethod(_events)

    def __init__(self, action: str, streamed: bool) -> None:
        self.PATH = f"/v1beta/models/*:{action}"
        self.STREAMED = streamed

    def problem(self, body: Mapping[str, Any], lenient: bool = False) -> str | None:
        """What the API would refuse about this request, or None."""
        return next(_problems(body), None)


generate, stream = _GenerateContent("generateContent", False), _GenerateContent("streamGenerateContent", True)
