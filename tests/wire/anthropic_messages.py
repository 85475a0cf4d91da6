"""Anthropic's Messages API as the replay server speaks it: checks requests as the API does, writes answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_origin, get_type_hints

from llm_core.types import Usage

from .replies import Raw, Say, words

PATH = "/v1/messages"
REQUEST_ID = "request-id"

SAMPLING = {"temperature", "top_p", "top_k"}
"""Taken by the API for older models, though the SDK's types no longer know them."""

_FINISH = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


def failing(status: int, message: str = "It did not work.", **named: Any) -> Raw:
    """An error as Anthropic writes it."""
    kind = named.pop("type", None) or _ERRORS.get(status, "api_error")
    named.pop("code", None)
    error = {"type": kind, "message": message}
    return Raw(status=status, body={"type": "error", "error": error, "request_id": "req_wire"}, **named)


def asks(headers: Mapping[str, str]) -> bool:
    """Whether a request for the list of models means this vendor's."""
    return "anthropic-version" in headers


def model_list(names: list[str]) -> dict[str, Any]:
    entries = [
        {
            "type": "model",
            "id": name,
            "display_name": name.title(),
            "created_at": "2026-02-01T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": 1_000_000,
            "max_tokens": 128_000,
        }
        for name in names
    ]
    ends = {"first_id": names[0], "last_id": names[-1]} if names else {"first_id": None, "last_id": None}
    return {"data": entries, "has_more": False, **ends}


@cache
def _typed(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """All fields, and those that must be there, of one of the SDK's own parameter types."""
    import anthropic.types
    from anthropic.types import message_create_params

    kind = getattr(anthropic.types, name, None) or getattr(message_create_params, name)
    hints = get_type_hints(kind, include_extras=True)
    needed = {field for field, hint in hints.items() if str(get_origin(hint)).endswith("Required")}
    return frozenset(hints), frozenset(needed)


_BLOCKS = {
    "text": "TextBlockParam",
    "image": "ImageBlockParam",
    "document": "DocumentBlockParam",
    "tool_use": "ToolUseBlockParam",
    "tool_result": "ToolResultBlockParam",
    "thinking": "ThinkingBlockParam",
    "redacted_thinking": "RedactedThinkingBlockParam",
}
_SOURCES = {
    ("image", "base64"): "Base64ImageSourceParam",
    ("image", "url"): "URLImageSourceParam",
    ("document", "base64"): "Base64PDFSourceParam",
    ("document", "text"): "PlainTextSourceParam",
}
_CHOICES = {
    "auto": "ToolChoiceAutoParam",
    "any": "ToolChoiceAnyParam",
    "tool": "ToolChoiceToolParam",
    "none": "ToolChoiceNoneParam",
}
_THINKING = {
    "enabled": "ThinkingConfigEnabledParam",
    "disabled": "ThinkingConfigDisabledParam",
    "adaptive": "ThinkingConfigAdaptiveParam",
}


def problem(body: Mapping[str, Any], lenient: bool = False) -> str | None:
    """What the API would refuse about this request, or None."""
    return next(_problems(body), None)


def _problems(body: Mapping[str, Any]) -> Iterator[str]:
    plain = {name: value for name, value in body.items() if name not in SAMPLING and name != "stream"}
    yield from _misfit(plain, "MessageCreateParamsBase", "")
    if not body.get("messages"):
        yield "messages: at least one message is required"
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        yield "max_tokens: must be greater than or equal to 1"
    for name, low, high in (("temperature", 0, 1), ("top_p", 0, 1), ("top_k", 0, 10**6)):
        if name in body and not low <= body[name] <= high:
            yield f"{name}: range: {low}..{high}"
    yield from _thinking_problems(body)
    for each in body.get("tools") or ():
        if "input_schema" in each:
            yield from _misfit(each, "ToolParam", "tools.0.")
        elif not isinstance(each.get("type"), str) or each["type"] == "function":
            yield "tools.0.custom.input_schema: Field required"
    if "tool_choice" in body:
        yield from _variant(body["tool_choice"], _CHOICES, "tool_choice")
    yield from _output_problems(body.get("output_config", {}))
    yield from _turn_problems(body)


def _misfit(given: Any, name: str, where: str) -> Iterator[str]:
    known, needed = _typed(name)
    if not isinstance(given, Mapping):
        yield f"{where}: Input should be an object"
        return
    yield from (f"{where}{field}: Extra inputs are not permitted" for field in sorted(set(given) - known))
    yield from (f"{where}{field}: Field required" for field in sorted(needed - set(given)))


def _variant(given: Any, kinds: Mapping[Any, str], where: str, kind: Any = None) -> Iterator[str]:
    kind = kind or given.get("type")
    if kind not in kinds:
        yield f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags"
    else:
        yield from _misfit(given, kinds[kind], f"{where}.")


def _thinking_problems(body: Mapping[str, Any]) -> Iterator[str]:
    thinking = body.get("thinking")
    if thinking is None:
        return
    yield from _variant(thinking, _THINKING, "thinking")
    if thinking.get("type") != "enabled":
        return
    if thinking.get("budget_tokens", 0) < 1024:
        yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    if thinking.get("budget_tokens", 0) >= body["max_tokens"]:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`."
    if body.get("temperature", 1) != 1:
        yield "`temperature` may only be set to 1 when thinking is enabled."
    last = next((turn for turn in reversed(body["messages"]) if turn["role"] == "assistant"), None)
    kinds = [block["type"] for block in last["content"]] if last and isinstance(last["content"], list) else []
    if "tool_use" in kinds and "thinking" not in kinds[0]:
        yield f"messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{kinds[0]}`."


def _output_problems(config: Mapping[str, Any]) -> Iterator[str]:
    yield from _misfit(config, "OutputConfigParam", "output_config.")
    if config.get("effort") not in (None, "low", "medium", "high", "xhigh", "max"):
        yield f"output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max', not {config['effort']}"
    form = config.get("format")
    if form is not None:
        yield from _misfit(form, "JSONOutputFormatParam", "output_config.format.")
        if _is_open(form.get("schema")):
            yield "output_config.format.schema: For 'object' type, 'additionalProperties' must be set to false"


def _is_open(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(_is_open(item) for item in schema)
    if not isinstance(schema, Mapping):
        return False
    opened = schema.get("type") == "object" and schema.get("additionalProperties") is not False
    return opened or any(_is_open(value) for value in schema.values())


def _turn_problems(body: Mapping[str, Any]) -> Iterator[str]:
    waiting: set[str] = set()
    for number, turn in enumerate(body.get("messages") or ()):
        where = f"messages.{number}"
        if turn.get("role") not in ("user", "assistant", "system"):
            yield f"{where}.role: Input should be 'user', 'assistant' or 'system'"
        content = turn.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        if not blocks:
            yield f"{where}: all messages must have non-empty content"
        for block in blocks:
            yield from _block_problems(turn, block, f"{where}.content")
        answered = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
        if waiting - answered:
            yield f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after"
        if answered - waiting:
            yield f"{where}: unexpected `tool_use_id` found in `tool_result` blocks"
        if answered and any(block["type"] != "tool_result" for block in blocks[: len(answered)]):
            yield f"{where}: `tool_result` blocks must come first"
        waiting = {block["id"] for block in blocks if block["type"] == "tool_use"}
    if waiting:
        yield "`tool_use` ids were found without `tool_result` blocks immediately after"


def _block_problems(turn: Mapping[str, Any], block: Mapping[str, Any], where: str) -> Iterator[str]:
    kind = block.get("type")
    yield from _variant(block, _BLOCKS, where)
    if kind == "text" and not block.get("text"):
        yield f"{where}: text content blocks must be non-empty"
    if kind in ("image", "document"):
        source = block.get("source", {})
        yield from _variant(source, _SOURCES, f"{where}.source", (kind, source.get("type")))
    if kind in ("image", "document", "tool_result") and turn["role"] != "user":
        yield f"{where}: {kind} blocks are only allowed in user messages"
    if kind == "tool_use" and not isinstance(block.get("input"), Mapping):
        yield f"{where}.tool_use.input: Input should be a valid dictionary"


def usage(told: Usage) -> dict[str, Any]:
    """Token counts as Anthropic reports them: what the cache took part in stands beside the input."""
    long = told.cache_write_1h_tokens
    made: dict[str, Any] = {
        "input_tokens": told.input_tokens - told.cache_read_tokens - told.cache_write_tokens,
        "cache_creation_input_tokens": told.cache_write_tokens,
        "cache_read_input_tokens": told.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": told.cache_write_tokens - long,
            "ephemeral_1h_input_tokens": long,
        },
        "output_tokens": told.output_tokens,
        "service_tier": "standard",
        "inference_geo": "global",
    }
    if told.reasoning_tokens:
        made["output_tokens_details"] = {"thinking_tokens": told.reasoning_tokens}
    if told.searches:
        made["server_tool_use"] = {"web_search_requests": told.searches, "web_fetch_requests": 0}
    return made


def plain(say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
    message = {**_head(say, body), "content": _content(say), "stop_reason": _finish(say)}
    return message if say.usage is None else {**message, "usage": usage(say.usage)}


def events(say: Say, body: Mapping[str, Any]) -> list[str]:
    made: list[str] = []

    def event(kind: str, **fields: Any) -> None:
        data = json.dumps({"type": kind, **fields}, separators=(",", ":"))
        made.append(f"event: {kind}\ndata: {data}")

    counts = None if say.usage is None else usage(say.usage)
    begun = {} if counts is None else {"usage": {**counts, "output_tokens": 1, "output_tokens_details": None}}
    event("message_start", message={**_head(say, body), "content": [], "stop_reason": None, **begun})
    event("ping")
    for index, block in enumerate(_content(say)):
        event("content_block_start", index=index, content_block={**block, **_emptied(block)})
        for delta in _deltas(say, block):
            event("content_block_delta", index=index, delta=delta)
        event("content_block_stop", index=index)
    last = {"stop_reason": _finish(say), "stop_sequence": None}
    # The split of cache writes by lifetime comes only with the first event.
    more = {} if counts is None else {"usage": {name: counts[name] for name in counts if name in _CUMULATIVE}}
    event("message_delta", delta=last, **more)
    event("message_stop")
    return made


_CUMULATIVE = {
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
}


def _content(say: Say) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if say.reasoning:
        blocks.append({"type": "thinking", "thinking": say.reasoning, "signature": "c2lnbmVk"})
    if say.text or say.refusal:
        blocks.append({"type": "text", "text": say.refusal or say.text, "citations": None})
    for call_id, name, arguments in say.tool_calls:
        blocks.append({"type": "tool_use", "id": call_id, "name": name, "input": json.loads(arguments or "{}")})
    return blocks


def _emptied(block: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}[
        block["type"]
    ]


def _deltas(say: Say, block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        yield from ({"type": "text_delta", "text": piece} for piece in words(block["text"], say.pieces))
    elif block["type"] == "thinking":
        yield from ({"type": "thinking_delta", "thinking": piece} for piece in words(block["thinking"]))
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        arguments = next(text for call_id, _, text in say.tool_calls if call_id == block["id"])
        yield from ({"type": "input_json_delta", "partial_json": piece} for piece in ("", *words(arguments, 3)))


def _finish(say: Say) -> str:
    return (
        "tool_use"
        if say.tool_calls and say.finish == "stop"
        else _FINISH["content_filter" if say.refusal else say.finish]
    )


def _head(say: Say, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_wire",
        "type": "message",
        "role": "assistant",
        "model": say.model or body.get("model"),
        "stop_sequence": None,
    }
