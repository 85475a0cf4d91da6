"""Cohere's Chat API as the replay server speaks it: checks requests as the API does, writes answers and events."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from llm_core.types import Usage

from .replies import Raw, Say, words

PATH = "/v2/chat"
REQUEST_ID = "x-debug-trace-id"

TEMPLATE = 68
"""Tokens of the hidden template around the messages, which are counted but not billed."""

_FINISH = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL", "content_filter": "ERROR_TOXIC"}
_RANGES = {
    "temperature": (0, 100),
    "k": (0, 500),
    "p": (0.01, 0.99),
    "frequency_penalty": (0, 1),
    "presence_penalty": (0, 1),
    "max_tokens": (1, 10**9),
}


def failing(status: int, message: str = "It did not work.", **named: Any) -> Raw:
    """An error as Cohere writes it."""
    for name in ("code", "type"):
        named.pop(name, None)
    return Raw(status=status, body={"id": "0bf8e1a5-wire", "message": message}, **named)


def asks(headers: Mapping[str, str]) -> bool:
    """Whether a request for the list of models means this vendor's."""
    return headers.get("x-fern-sdk-name") == "cohere"


def model_list(names: list[str]) -> dict[str, Any]:
    entries = [
        {
            "name": name,
            "is_deprecated": False,
            "endpoints": ["chat"],
            "finetuned": False,
            "context_length": 288000.0,
            "features": ["tools", "json_schema"],
        }
        for name in names
    ]
    return {"models": entries}


@cache
def _fields() -> frozenset[str]:
    """What the API takes, from the SDK's own method."""
    from cohere.v2.client import V2Client

    return frozenset({*inspect.signature(V2Client.chat).parameters, "stream"} - {"self", "request_options"})


@cache
def _message_fields(role: str) -> frozenset[str]:
    from cohere import types

    kinds = {
        "user": types.UserMessageV2,
        "assistant": types.AssistantMessage,
        "system": types.SystemMessageV2,
        "tool": types.ToolMessageV2,
    }
    return frozenset({*kinds[role].model_fields, "role"})


def problem(body: Mapping[str, Any], lenient: bool = False) -> str | None:
    """What the API would refuse about this request, or None."""
    return next(_problems(body), None)


def _problems(body: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"invalid request: unknown field: parameter '{name}'" for name in sorted(set(body) - _fields()))
    if not isinstance(body.get("model"), str):
        yield "invalid request: model is required"
    if not body.get("messages"):
        yield "invalid request: messages must not be empty"
    for name, (low, high) in _RANGES.items():
        if name in body and not low <= body[name] <= high:
            yield f"invalid request: {name} must be between {low} and {high} inclusive."
    if len(body.get("stop_sequences") or ()) > 5:
        yield "invalid request: too many stop sequences, at most 5"
    yield from _option_problems(body)
    called: set[str] = set()
    for message in body.get("messages") or ():
        yield from _message_problems(message, called)


def _option_problems(body: Mapping[str, Any]) -> Iterator[str]:
    for tool in body.get("tools") or ():
        function = tool.get("function") or {}
        if tool.get("type") != "function" or not isinstance(function.get("parameters"), Mapping):
            yield "invalid request: tools[0].function.parameters is required"
        if extra := set(function) - {"name", "description", "parameters"}:
            yield f"invalid request: unknown field: tools[0].function.{min(extra)}"
    if body.get("tool_choice") not in (None, "REQUIRED", "NONE"):
        yield "invalid request: tool_choice must be REQUIRED or NONE"
    if "tool_choice" in body and not body.get("tools"):
        yield "invalid request: tool_choice needs tools"
    form = body.get("response_format")
    if form is not None:
        if form.get("type") not in ("text", "json_object") or set(form) - {"type", "json_schema"}:
            yield "invalid request: response_format.type must be text or json_object"
        if body.get("tools"):
            yield "invalid request: response_format is not supported together with tools"
    thinking = body.get("thinking")
    if thinking is not None:
        if thinking.get("type") not in ("enabled", "disabled") or set(thinking) - {"type", "token_budget"}:
            yield "invalid request: thinking.type must be enabled or disabled"
        if thinking.get("token_budget", 1) < 1:
            yield "invalid request: thinking.token_budget must be positive"


def _message_problems(message: Mapping[str, Any], called: set[str]) -> Iterator[str]:
    role = message.get("role")
    if role not in ("user", "assistant", "system", "tool"):
        yield f"invalid request: invalid role {role!r}"
        return
    if extra := set(message) - _message_fields(role):
        yield f"invalid request: unknown field in a message: {min(extra)}"
    content = message.get("content")
    if role != "assistant" and not content:
        yield "invalid request: message must have non-empty content"
    if role == "assistant" and not content and not message.get("tool_calls"):
        yield "invalid request: message must have non-empty content or tool calls"
    for part in content if isinstance(content, list) else ():
        if part.get("type") not in (("text", "image_url") if role == "user" else ("text", "thinking")):
            yield f"invalid request: invalid content type {part.get('type')!r}"
    if role == "tool" and message.get("tool_call_id") not in called:
        yield f"invalid request: no tool call with id {message.get('tool_call_id')!r}"
    called |= {call["id"] for call in message.get("tool_calls") or ()}


def usage(told: Usage) -> dict[str, Any]:
    """Counts as Cohere reports them."""
    billed: dict[str, Any] = {"input_tokens": told.input_tokens, "output_tokens": told.output_tokens}
    if told.searches:
        billed["search_units"] = told.searches
    made: dict[str, Any] = {
        "billed_units": billed,
        "tokens": {"input_tokens": told.input_tokens + TEMPLATE, "output_tokens": told.output_tokens},
    }
    return {**made, "cached_tokens": told.cache_read_tokens} if told.cache_read_tokens else made


def plain(say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    if content := _content(say):
        message["content"] = content
    if say.tool_calls:
        message["tool_calls"] = [_call(*call) for call in say.tool_calls]
    answer = {"id": "chat-wire", "finish_reason": _finish(say), "message": message}
    return answer if say.usage is None else {**answer, "usage": usage(say.usage)}


def events(say: Say, body: Mapping[str, Any]) -> list[str]:
    made: list[str] = []

    def event(kind: str, message: Any = None, **fields: Any) -> None:
        data: dict[str, Any] = {"type": kind, **fields}
        if message is not None:
            data["delta"] = {"message": message}
        made.append(f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}")

    event("message-start", {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}, id="chat-wire")
    for index, block in enumerate(_content(say)):
        kind = block["type"]
        event("content-start", {"content": {"type": kind, kind: ""}}, index=index)
        for piece in words(block[kind], say.pieces if kind == "text" else 0):
            event("content-delta", {"content": {kind: piece}}, index=index)
        event("content-end", index=index)
    for index, (call_id, name, arguments) in enumerate(say.tool_calls):
        event("tool-call-start", {"tool_calls": _call(call_id, name, "")}, index=index)
        for piece in words(arguments, 3):
            event("tool-call-delta", {"tool_calls": {"function": {"arguments": piece}}}, index=index)
        event("tool-call-end", index=index)
    end: dict[str, Any] = {"finish_reason": _finish(say)}
    if say.usage is not None:
        end["usage"] = usage(say.usage)
    event("message-end", id="chat-wire", delta=end)
    return [*made, "data: [DONE]"]


def _content(say: Say) -> list[dict[str, str]]:
    blocks = [{"type": "thinking", "thinking": say.reasoning}] if say.reasoning else []
    return [*blocks, {"type": "text", "text": say.refusal or say.text}] if say.text or say.refusal else blocks


def _call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _finish(say: Say) -> str:
    return "TOOL_CALL" if say.tool_calls and say.finish == "stop" else _FINISH[say.finish]
