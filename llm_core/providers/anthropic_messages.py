"""Anthropic's Messages API: what is sent and how its answers are read. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidParameters
from ..types import Parameters, ToolCall
from .anthropic_content import answer_format, kept_thinking, system_and_turns, tool, tool_choice
from .anthropic_usage import merged, note_usage
from .failures import AnswerCutShort, ErrorInside
from .openai_wire import require_known
from .protocol import Answer, ChatRequest, Piece

PATH = "/v1/messages"

DEFAULT_MAX_TOKENS = 16_384
"""The API insists on a limit; this one is sent where the caller names none. Each model on offer takes it (the smallest
limit is 32,000), and at the 128,000 tokens an hour that Anthropic reckons with it ends within the ten minutes beyond
which they advise against an answer that is not streamed."""
ANSWER_TOKENS = 4_096
"""What is left for the answer beside a large thinking budget, where the caller names no limit."""

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",  # a long turn of server tools, paused before its end
    "refusal": "content_filter",
    "compaction": "stop",
}
_SERVICE_TIERS = {"auto": "auto", "priority": "auto", "standard": "standard_only", "default": "standard_only"}
_RESTS_BETWEEN_TOOLS = re.compile(r"claude-sonnet-(5-[5-9]|[6-9])(?!\d)")
"""From Sonnet 5.5 on "disabled" is refused, and this is thinking turned off:
platform.claude.com/docs/en/models/sonnet-5-5/migration-guide."""
_EFFORT_WITHOUT_ADAPTIVE = re.compile(r"claude-opus-4-5(?!\d)")
"""The one model that takes an effort, but cannot decide by itself whether to think."""


class Messages:
    """The format. `cache` asks for prompt caching with that lifetime ("5m" or "1h")."""

    path = PATH

    def __init__(self, parameters: frozenset[str], *, cache: str | None = None) -> None:
        self._parameters = parameters
        self._cache = cache

    def body(self, request: ChatRequest, stream: bool) -> dict[str, Any]:
        """Raises InvalidMessage, InvalidParameters."""
        given = request.parameters
        require_known(given, self._parameters, "Anthropic's API")
        leading, turns = system_and_turns(request.messages)
        if given.system is not None:
            leading.insert(0, given.system)
        thinking, effort = _thinking(given, request.model)
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": _limit(given, thinking),
            "messages": turns,
        }
        if leading:
            body["system"] = "\n\n".join(leading)
        for name in ("temperature", "top_p", "top_k"):  # gone from the SDK's types, since new models refuse them
            if (value := getattr(given, name)) is not None:
                body[name] = value
        if given.stop is not None:
            body["stop_sequences"] = list(given.stop)
        if given.service_tier is not None:
            body["service_tier"] = _SERVICE_TIERS.get(given.service_tier, given.service_tier)
        if thinking is not None:
            body["thinking"] = thinking
        if output := _output_config(request, effort):
            body["output_config"] = output
        if request.tools:
            body["tools"] = [tool(each) for each in request.tools]
        if request.tool_choice is not None:
            body["tool_choice"] = tool_choice(request.tool_choice)
        if self._cache is not None:
            body["cache_control"] = {"type": "ephemeral", "ttl": self._cache}
        if stream:
            body["stream"] = True
        return body

    def read(self, data: Any, into: Answer) -> None:
        """A whole answer. Raises ErrorInside, or ValueError and the like for what is no answer."""
        _require_no_error(data)
        into.model_reported = data.get("model") or into.model_reported
        blocks = data["content"]
        into.text = "".join(block["text"] for block in blocks if block["type"] == "text")
        thoughts = [block["thinking"] for block in blocks if block["type"] == "thinking"]
        into.reasoning = "\n\n".join(thought for thought in thoughts if thought)
        into.tool_calls = _tool_calls(blocks)
        into.finish = _finish(data.get("stop_reason"))
        if isinstance(raw := data.get("usage"), Mapping):
            note_usage(raw, into)

    def reader(self, into: Answer) -> MessagesReader:
        return MessagesReader(into)


class MessagesReader:
    """Reads a stream event by event into the answer."""

    def __init__(self, into: Answer) -> None:
        self._into = into
        self._blocks: dict[int, dict[str, Any]] = {}
        self._thinks_again = False
        self.done = False
        """The stream said that it is over."""

    def read(self, event: Any) -> Piece | None:
        """One event's JSON, or None for a closing [DONE], which this API does not send. Raises ErrorInside."""
        if event is None:
            return None
        _require_no_error(event)
        match event.get("type"):
            case "message_start":
                message = event["message"]
                self._into.model_reported = message.get("model") or self._into.model_reported
                self._note_usage(message.get("usage"), final=False)
            case "content_block_start":
                return self._begin(event["index"], event["content_block"])
            case "content_block_delta":
                return self._continue(self._blocks[event["index"]], event["delta"])
            case "content_block_stop":
                self._end_block(self._blocks[event["index"]])
            case "message_delta":
                self._into.finish = _finish(event["delta"].get("stop_reason")) or self._into.finish
                self._note_usage(event.get("usage"), final=True)
            case "message_stop":
                self.done = True
        return None

    def end(self) -> None:
        """Called when the body is over. Raises AnswerCutShort where the answer was not."""
        if not self.done and self._into.finish is None:
            raise AnswerCutShort

    def _note_usage(self, raw: Any, *, final: bool) -> None:
        if isinstance(raw, Mapping):
            note_usage(merged(self._into.raw_usage, raw), self._into, final=final)

    def _begin(self, index: int, block: Mapping[str, Any]) -> Piece | None:
        started = self._blocks[index] = dict(block)
        if started["type"] == "text":
            return self._piece(text=started.get("text") or "")
        if started["type"] == "thinking":
            self._thinks_again = bool(self._into.reasoning)
            return self._piece(reasoning=started.get("thinking") or "")
        if started["type"] == "tool_use":
            started["partial"] = ""
            self._note_tool_calls()
        return None

    def _continue(self, block: dict[str, Any], delta: Mapping[str, Any]) -> Piece | None:
        match delta["type"]:
            case "text_delta":
                return self._piece(text=delta["text"])
            case "thinking_delta":
                block["thinking"] = (block.get("thinking") or "") + delta["thinking"]
                return self._piece(reasoning=delta["thinking"])
            case "signature_delta":
                block["signature"] = (block.get("signature") or "") + delta["signature"]
            case "input_json_delta" if block["type"] == "tool_use":
                block["partial"] += delta["partial_json"]
                self._note_tool_calls()
        return None

    def _end_block(self, block: dict[str, Any]) -> None:
        if block["type"] == "tool_use" and not block["partial"]:
            block["partial"] = json.dumps(block.get("input") or {})
            self._note_tool_calls()

    def _note_tool_calls(self) -> None:
        self._into.tool_calls = _tool_calls([self._blocks[index] for index in sorted(self._blocks)])

    def _piece(self, text: str = "", reasoning: str = "") -> Piece | None:
        if reasoning and self._thinks_again:
            self._thinks_again = False
            reasoning = "\n\n" + reasoning
        if not text and not reasoning:
            return None
        self._into.text += text
        self._into.reasoning += reasoning
        return Piece(text, reasoning)


def _limit(given: Parameters, thinking: Mapping[str, Any] | None) -> int:
    if given.max_tokens is not None:
        return given.max_tokens
    budget: int = (thinking or {}).get("budget_tokens", 0)
    return max(DEFAULT_MAX_TOKENS, budget + ANSWER_TOKENS)


def _thinking(given: Parameters, model: str) -> tuple[dict[str, Any] | None, str | None]:
    """`thinking` and the effort, as sent. A budget of 0 means none and -1 that the model decides, as it does where
    only an effort is given; the effort "none" means no thinking. Where it thinks, what it thought is asked for.
    """
    budget, effort = given.thinking_budget, given.reasoning_effort
    if effort == "none":
        if budget:
            raise InvalidParameters("The effort none leaves no room for a thinking_budget.", "Set one of the two.")
        return {"type": "between_tools" if _RESTS_BETWEEN_TOOLS.search(model) else "disabled"}, None
    if budget == 0:
        return {"type": "disabled"}, effort
    if budget is not None and budget != -1:
        return {"type": "enabled", "budget_tokens": budget, "display": "summarized"}, effort
    if budget == -1 or (effort is not None and not _EFFORT_WITHOUT_ADAPTIVE.search(model)):
        return {"type": "adaptive", "display": "summarized"}, effort
    return None, effort


def _output_config(request: ChatRequest, effort: str | None) -> dict[str, Any]:
    config: dict[str, Any] = {} if effort is None else {"effort": effort}
    schema = request.schema if request.schema is not None else _schema_of(request.parameters.response_format)
    if schema is not None:
        config["format"] = answer_format(schema)
    return config


def _schema_of(form: str | Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The schema of a response_format in OpenAI's shape or Anthropic's own."""
    kind = form.get("type") if isinstance(form, Mapping) else form
    if kind in (None, "text"):
        return None
    if isinstance(form, Mapping) and kind == "json_schema":
        schema = form.get("schema") or (form.get("json_schema") or {}).get("schema")
        if isinstance(schema, Mapping):
            return schema
    raise InvalidParameters(f"Anthropic's API has no response_format {kind!r}.", "Give a JSON Schema: schema=...")


def _tool_calls(blocks: list[Any]) -> list[ToolCall]:
    """The calls of the caller's own tools, each with the thinking that led to it."""
    found: list[ToolCall] = []
    thinking: list[Mapping[str, Any]] = []
    for block in blocks:
        if block["type"] in ("thinking", "redacted_thinking"):
            thinking.append(block)
        elif block["type"] == "tool_use":
            arguments = block["partial"] if "partial" in block else json.dumps(block["input"], ensure_ascii=False)
            found.append(ToolCall(block["id"], block["name"], arguments, kept_thinking(thinking)))
            thinking = []
    return found


def _require_no_error(data: Any) -> None:
    if not isinstance(data, Mapping):
        raise ValueError("An answer is no object.")
    if data.get("type") == "error" or data.get("error"):
        raise ErrorInside(data)


def _finish(reason: str | None) -> str | None:
    return None if reason is None else _FINISH.get(reason, "error")
