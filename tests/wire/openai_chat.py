"""Chat Completions as the replay server speaks it: checks requests as the API does, writes answers and events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from llm_core.types import Usage

from .replies import Say, words

PATH = "/v1/chat/completions"

EXTENSIONS = {"top_k", "min_p", "repetition_penalty", "repeat_penalty", "chat_template_kwargs"}
"""What compatible servers take beyond OpenAI's fields; allowed where the replay server is told to be lenient."""

_FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"}


@cache
def _fields() -> frozenset[str]:
    """What the API takes, from the SDK's own types."""
    from openai.types.chat.completion_create_params import CompletionCreateParamsBase

    return frozenset({*CompletionCreateParamsBase.__annotations__, "stream"})


def problem(body: Mapping[str, Any], lenient: bool = False) -> str | None:
    """What the API would refuse about this request, or None."""
    unknown = sorted(set(body) - _fields() - (EXTENSIONS if lenient else set()))
    if unknown:
        return f"Unrecognized request argument supplied: {', '.join(unknown)}"
    if not isinstance(body.get("model"), str):
        return "you must provide a model parameter"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "[] is too short - 'messages'"
    for message in messages:
        if found := _message_problem(message):
            return found
    if "stream_options" in body and not body.get("stream"):
        return "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    for name, low, high in (("temperature", 0, 2), ("top_p", 0, 1), ("n", 1, 128), ("max_completion_tokens", 1, 10**9)):
        value = body.get(name)
        if value is not None and not (isinstance(value, (int, float)) and low <= value <= high):
            return f"Invalid value for '{name}': {value!r}"
    for tool in body.get("tools") or ():
        if tool.get("type") == "function" and not isinstance(tool.get("function", {}).get("name"), str):
            return "Missing required parameter: 'tools[0].function.name'."
    return None


def _message_problem(message: Any) -> str | None:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("system", "developer", "user", "assistant", "tool"):
        return f"Invalid value: {role!r}. Supported values are: 'system', 'assistant', 'user', 'function', and 'tool'."
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        return "Missing parameter 'tool_call_id': messages with role 'tool' must have a 'tool_call_id'."
    if role != "assistant" and message.get("content") is None:
        return "Invalid value for 'content': expected a string, got null."
    content = message.get("content")
    kinds = {"text", "image_url", "input_audio", "file", "refusal"}
    if isinstance(content, list) and any(part.get("type") not in kinds for part in content):
        return f"Invalid value for 'content': supported part types are {sorted(kinds)}."
    return None


def usage(told: Usage) -> dict[str, Any]:
    """Token counts as OpenAI reports them: the details are parts of the two totals."""
    return {
        "prompt_tokens": told.input_tokens,
        "completion_tokens": told.output_tokens,
        "total_tokens": told.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": told.cache_read_tokens,
            "cache_write_tokens": told.cache_write_tokens,
            "audio_tokens": told.input_audio_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": told.reasoning_tokens,
            "audio_tokens": told.output_audio_tokens,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def plain(say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": say.text or None, "refusal": say.refusal or None}
    if say.reasoning:
        message["reasoning_content"] = say.reasoning
    if say.tool_calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for call_id, name, arguments in say.tool_calls
        ]
    choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(say)}]
    for index, text in enumerate(say.others, start=1):
        other = {"role": "assistant", "content": text, "refusal": None}
        choices.append({"index": index, "message": other, "logprobs": None, "finish_reason": "stop"})
    answer = {**_head(say, body, "chat.completion"), "choices": choices}
    return answer if say.usage is None else {**answer, "usage": usage(say.usage)}


def events(say: Say, body: Mapping[str, Any]) -> list[str]:
    head = _head(say, body, "chat.completion.chunk")
    wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))

    def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> str:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        tail = {"usage": None} if wants_usage else {}
        return "data: " + json.dumps({**head, "choices": [choice], **tail}, separators=(",", ":"))

    made = [chunk({"role": "assistant", "content": "", "refusal": None})]
    made += [chunk({"reasoning_content": piece}) for piece in words(say.reasoning)]
    made += [chunk({"content": piece}) for piece in words(say.text, say.pieces)]
    made += [chunk({"refusal": piece}) for piece in words(say.refusal)]
    for number, (call_id, name, arguments) in enumerate(say.tool_calls):
        start = {"index": number, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        made.append(chunk({"tool_calls": [start]}))
        for piece in words(arguments, 3):
            made.append(chunk({"tool_calls": [{"index": number, "function": {"arguments": piece}}]}))
    for index, text in enumerate(say.others, start=1):
        made += [chunk({"content": piece}, index=index) for piece in words(text)]
        made.append(chunk({}, "stop", index))
    made.append(chunk({}, _finish(say)))
    if wants_usage and say.usage is not None:
        made.append("data: " + json.dumps({**head, "choices": [], "usage": usage(say.usage)}, separators=(",", ":")))
    return [*made, "data: [DONE]"]


def _finish(say: Say) -> str:
    return "tool_calls" if say.tool_calls and say.finish == "stop" else _FINISH[say.finish]


def _head(say: Say, body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-wire",
        "object": kind,
        "created": 1_790_000_000,
        "model": say.model or body.get("model"),
        "service_tier": _tier(body.get("service_tier")),
        "system_fingerprint": "fp_wire",
    }


def _tier(asked: Any) -> str:
    return asked if asked in ("flex", "priority") else "default"
