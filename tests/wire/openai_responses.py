"""The Responses API as the replay server speaks it: checks requests as the API does, writes answers and events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from llm_core.types import Usage

from .replies import Say, words

PATH = "/v1/responses"

_ITEMS = frozenset({"message", "function_call", "function_call_output", "reasoning"})
_PARTS = frozenset({"input_text", "input_image", "input_file", "output_text", "refusal"})


@cache
def _fields() -> frozenset[str]:
    """What the API takes, from the SDK's own types."""
    from openai.types.responses.response_create_params import ResponseCreateParamsBase

    return frozenset({*ResponseCreateParamsBase.__annotations__, "stream"})


def problem(body: Mapping[str, Any], lenient: bool = False) -> str | None:
    """What the API would refuse about this request, or None."""
    unknown = sorted(set(body) - _fields())
    if unknown:
        return f"Unknown parameter: '{unknown[0]}'."
    if not isinstance(body.get("model"), str):
        return "Missing required parameter: 'model'."
    given = body.get("input")
    if isinstance(given, str):
        return None
    if not isinstance(given, list) or not given:
        return "Missing required parameter: 'input'."
    for item in given:
        if found := _item_problem(item):
            return found
    for tool in body.get("tools") or ():
        if tool.get("type") == "function" and not isinstance(tool.get("name"), str):
            return "Missing required parameter: 'tools[0].name'."
    return None


def _item_problem(item: Any) -> str | None:
    kind = item.get("type", "message")
    if kind not in _ITEMS:
        return f"Invalid value: '{kind}'. Supported values are: {sorted(_ITEMS)}."
    if kind == "function_call" and not all(isinstance(item.get(key), str) for key in ("call_id", "name", "arguments")):
        return "Missing required parameter: 'input[0].call_id'."
    if kind == "function_call_output" and not isinstance(item.get("call_id"), str):
        return "Missing required parameter: 'input[0].call_id'."
    if kind != "message":
        return None
    if item.get("role") not in ("system", "developer", "user", "assistant"):
        return f"Invalid value: {item.get('role')!r}."
    content = item.get("content")
    if isinstance(content, str):
        return None
    for part in content or ():
        if part.get("type") not in _PARTS:
            return f"Invalid value: '{part.get('type')}'. Supported values are: {sorted(_PARTS)}."
        if item["role"] == "assistant" and part["type"] not in ("output_text", "refusal"):
            return f"Invalid value: '{part['type']}'. Supported values are: 'output_text' and 'refusal'."
    return None


def usage(told: Usage) -> dict[str, Any]:
    return {
        "input_tokens": told.input_tokens,
        "input_tokens_details": {
            "cached_tokens": told.cache_read_tokens,
            "cache_write_tokens": told.cache_write_tokens,
        },
        "output_tokens": told.output_tokens,
        "output_tokens_details": {"reasoning_tokens": told.reasoning_tokens},
        "total_tokens": told.total_tokens,
    }


def plain(say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
    stopped = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(say.finish)
    return {
        **_head(say, body),
        "status": "incomplete" if stopped else "completed",
        "incomplete_details": {"reason": stopped} if stopped else None,
        "output": _output(say),
        "usage": None if say.usage is None else usage(say.usage),
    }


def events(say: Say, body: Mapping[str, Any]) -> list[str]:
    made: list[str] = []

    def event(kind: str, **fields: Any) -> None:
        data = json.dumps({"type": kind, "sequence_number": len(made), **fields}, separators=(",", ":"))
        made.append(f"event: {kind}\ndata: {data}")

    begun = {**_head(say, body), "status": "in_progress", "output": [], "usage": None}
    event("response.created", response=begun)
    event("response.in_progress", response=begun)
    for index, item in enumerate(_output(say)):
        place = {"item_id": item["id"], "output_index": index}
        event("response.output_item.added", output_index=index, item={**item, **_empty(item)})
        if item["type"] == "reasoning":
            for piece in words(say.reasoning):
                event("response.reasoning_summary_text.delta", **place, summary_index=0, delta=piece)
        elif item["type"] == "function_call":
            for piece in words(item["arguments"], 3):
                event("response.function_call_arguments.delta", **place, delta=piece)
            event("response.function_call_arguments.done", **place, arguments=item["arguments"])
        else:
            part = item["content"][0]
            kind = "refusal" if part["type"] == "refusal" else "output_text"
            for piece in words(say.refusal or say.text, say.pieces):
                event(f"response.{kind}.delta", **place, content_index=0, delta=piece)
            event(f"response.{kind}.done", **place, content_index=0)
        event("response.output_item.done", output_index=index, item=item)
    whole = plain(say, body)
    event(f"response.{whole['status']}", response=whole)
    return made


def _output(say: Say) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if say.reasoning:
        summary = [{"type": "summary_text", "text": say.reasoning}]
        items.append({"id": "rs_wire", "type": "reasoning", "summary": summary})
    if say.text or say.refusal:
        text = {"type": "output_text", "text": say.text, "annotations": [], "logprobs": []}
        part = {"type": "refusal", "refusal": say.refusal} if say.refusal else text
        items.append(
            {"id": "msg_wire", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
        )
    for number, (call_id, name, arguments) in enumerate(say.tool_calls):
        call = {"call_id": call_id, "name": name, "arguments": arguments, "status": "completed"}
        items.append({"id": f"fc_wire{number}", "type": "function_call", **call})
    return items


def _empty(item: Mapping[str, Any]) -> dict[str, Any]:
    fields = {"message": {"content": []}, "function_call": {"arguments": ""}, "reasoning": {"summary": []}}
    return {**fields[item["type"]], "status": "in_progress"}


def _head(say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
    asked = body.get("service_tier")
    return {
        "id": "resp_wire",
        "object": "response",
        "created_at": 1_790_000_000,
        "error": None,
        "incomplete_details": None,
        "model": say.model or body.get("model"),
        "service_tier": asked if asked in ("flex", "priority") else "default",
    }
