"""Chat Completions: what is sent and how its answers are read. No I/O; OpenAI's and every compatible endpoint's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import InvalidMessage
from ..types import Audio, File, Image, Message, Part, Text, ToolCall, ToolResult
from .failures import AnswerCutShort, ErrorInside
from .openai_wire import (
    audio_fields,
    file_fields,
    image_url,
    named_schema,
    read_mode,
    read_usage,
    require_known,
    response_format,
)
from .protocol import Answer, ChatRequest, Piece

PATH = "/chat/completions"

_SAME_NAME = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "n",
    "reasoning_effort",
    "verbosity",
    "service_tier",
    "logprobs",
    "top_logprobs",
)
_USAGE_NAMES = ("prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details")
_FINISH = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
"""What vendors write -> our word; anything else they write is "error"."""


class ChatCompletions:
    """The format, with what differs between endpoints."""

    path = PATH

    def __init__(
        self,
        parameters: frozenset[str],
        *,
        max_tokens_name: str = "max_completion_tokens",
        renamed: Mapping[str, str] | None = None,
        usage_in_stream: bool = True,
    ) -> None:
        """`parameters` are those the endpoint takes; `renamed` maps our names to its own for those that OpenAI lacks.

        `usage_in_stream` asks for token counts in a stream. Some endpoints refuse the question.
        """
        self._parameters = parameters
        self._max_tokens_name = max_tokens_name
        self._renamed = {name: name for name in ("top_k", "min_p", "repetition_penalty")} | dict(renamed or {})
        self._usage_in_stream = usage_in_stream

    def body(self, request: ChatRequest, stream: bool) -> dict[str, Any]:
        """Raises InvalidMessage, InvalidParameters."""
        given = request.parameters
        require_known(given, self._parameters, "This connection")
        messages = [wire for message in request.messages for wire in _messages(message)]
        body: dict[str, Any] = {"model": request.model, "messages": messages}
        if given.system is not None:
            messages.insert(0, {"role": "system", "content": given.system})
        for name in _SAME_NAME:
            if (value := getattr(given, name)) is not None:
                body[name] = value
        for name, theirs in self._renamed.items():
            if (value := getattr(given, name)) is not None:
                body[theirs] = value
        if given.max_tokens is not None:
            body[self._max_tokens_name] = given.max_tokens
        if given.stop is not None:
            body["stop"] = list(given.stop)
        if request.schema is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": named_schema(request.schema)}
        elif (form := response_format(given)) is not None:
            body["response_format"] = form
        if request.tools:
            body["tools"] = [dict(tool) for tool in request.tools]
        if request.tool_choice is not None:
            body["tool_choice"] = _tool_choice(request.tool_choice)
        if stream:
            body["stream"] = True
            if self._usage_in_stream:
                body["stream_options"] = {"include_usage": True}
        return body

    def read(self, data: Any, into: Answer) -> None:
        """A whole answer. Raises ErrorInside, or ValueError and the like for what is no answer."""
        _require_no_error(data)
        _read_head(data, into)
        first, *others = sorted(data["choices"], key=lambda choice: choice.get("index") or 0)
        message = first["message"]
        into.text = _text(message)
        into.reasoning = _reasoning(message)
        into.tool_calls = [_tool_call(call) for call in message.get("tool_calls") or ()]
        into.alternatives = [_text(choice["message"]) for choice in others]
        into.logprobs = (first.get("logprobs") or {}).get("content")
        into.finish = _finish(first.get("finish_reason"), bool(message.get("refusal") and not message.get("content")))

    def reader(self, into: Answer) -> ChatReader:
        return ChatReader(into)


class ChatReader:
    """Reads a stream chunk by chunk into the answer."""

    def __init__(self, into: Answer) -> None:
        self._into = into
        self._calls: dict[int, _PartialCall] = {}
        self._refused = False
        self.done = False
        """The stream said that it is over."""

    def read(self, event: Any) -> Piece | None:
        """One event's JSON, or None for the closing [DONE]. Raises ErrorInside."""
        if event is None:
            self.done = True
            return None
        _require_no_error(event)
        into = self._into
        _read_head(event, into)
        text = reasoning = ""
        for choice in event.get("choices") or ():
            delta = choice.get("delta") or {}
            if choice.get("index"):
                self._other(choice["index"], _text(delta))
                continue
            text += _text(delta)
            reasoning += _reasoning(delta)
            self._refused = self._refused or bool(delta.get("refusal"))
            for call in delta.get("tool_calls") or ():
                self._tool_call(call)
            if kept := (choice.get("logprobs") or {}).get("content"):
                into.logprobs = [*(into.logprobs or ()), *kept]
            if (reason := choice.get("finish_reason")) is not None:
                into.finish = _finish(reason, self._refused)
        if not text and not reasoning:
            return None
        into.text += text
        into.reasoning += reasoning
        return Piece(text, reasoning)

    def end(self) -> None:
        """Called when the body is over. Raises AnswerCutShort where the answer was not."""
        if not self.done and self._into.finish is None:
            raise AnswerCutShort

    def _other(self, index: int, text: str) -> None:
        texts = self._into.alternatives
        texts.extend([""] * (index - len(texts)))
        texts[index - 1] += text

    def _tool_call(self, delta: Mapping[str, Any]) -> None:
        """The first part of a call names the function, the rest bring its arguments. Some vendors send no index."""
        index = delta.get("index")
        if index is None:
            index = len(self._calls) if delta.get("id") or not self._calls else max(self._calls)
        call = self._calls.setdefault(index, _PartialCall())
        function = delta.get("function") or {}
        call.id = call.id or delta.get("id") or f"call_{index}"
        call.name += function.get("name") or ""
        call.arguments += function.get("arguments") or ""
        self._into.tool_calls = [
            ToolCall(call.id, call.name, call.arguments) for _, call in sorted(self._calls.items())
        ]


class _PartialCall:
    __slots__ = ("arguments", "id", "name")

    def __init__(self) -> None:
        self.id = self.name = self.arguments = ""


def _messages(message: Message) -> Iterable[dict[str, Any]]:
    """One message of ours on the wire: each tool result is a message of its own there."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    rest = [part for part in message.parts if not isinstance(part, ToolResult)]
    for result in results:
        yield {"role": "tool", "tool_call_id": result.call_id, "content": result.content}
    if message.role == "tool":
        if rest or not results:
            raise InvalidMessage("A tool message holds tool results and nothing else.", "Give ToolResult parts.")
    elif message.role == "assistant":
        yield _assistant(rest)
    elif rest or not results:
        yield {"role": message.role, "content": _content(message.role, rest)}


def _assistant(parts: Sequence[Part]) -> dict[str, Any]:
    calls = [part for part in parts if isinstance(part, ToolCall)]
    text = _content("assistant", [part for part in parts if not isinstance(part, ToolCall)])
    wire: dict[str, Any] = {"role": "assistant", "content": text or None if calls else text}
    if calls:
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    return wire


def _content(role: str, parts: Sequence[Part]) -> str | list[dict[str, Any]]:
    """Text alone stays text, which every endpoint takes; anything else is a list of parts."""
    if all(isinstance(part, Text) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Text))
    if role != "user":
        raise InvalidMessage(f"Only text can be in a message of the role {role}.", "Put it into a user message.")
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            link = {"url": image_url(part)} | ({"detail": part.detail} if part.detail else {})
            return {"type": "image_url", "image_url": link}
        case Audio():
            return {"type": "input_audio", "input_audio": audio_fields(part)}
        case File():
            return {"type": "file", "file": file_fields(part)}
        case _:
            raise InvalidMessage("A tool call belongs into an assistant message.")


def _tool_choice(choice: str | Mapping[str, Any]) -> Any:
    """auto, none, required, a mapping as it is, or the name of a tool."""
    if isinstance(choice, str) and choice not in ("auto", "none", "required"):
        return {"type": "function", "function": {"name": choice}}
    return choice


def _require_no_error(data: Any) -> None:
    if not isinstance(data, Mapping):
        raise ValueError("An answer is no object.")
    if data.get("error"):
        raise ErrorInside(data)


def _read_head(data: Mapping[str, Any], into: Answer) -> None:
    if model := data.get("model"):
        into.model_reported = model
    if mode := read_mode(data.get("service_tier")):
        into.mode = mode
    if raw := data.get("usage"):
        into.raw_usage = raw
        into.usage = read_usage(raw, _USAGE_NAMES) or into.usage
    if timings := data.get("timings"):
        into.server_timings = {name: value for name, value in timings.items() if isinstance(value, (int, float))}


def _text(message: Mapping[str, Any]) -> str:
    """The text, or the model's words of refusal. Some vendors send a list of parts."""
    content = message.get("content") or message.get("refusal") or ""
    return content if isinstance(content, str) else "".join(part.get("text") or "" for part in content)


def _reasoning(message: Mapping[str, Any]) -> str:
    """Vendors call it reasoning_content (DeepSeek, vLLM) or reasoning (OpenRouter, Ollama)."""
    found = message.get("reasoning_content") or message.get("reasoning") or ""
    return found if isinstance(found, str) else ""


def _tool_call(call: Mapping[str, Any]) -> ToolCall:
    function = call["function"]
    return ToolCall(call.get("id") or "", function["name"], function.get("arguments") or "")


def _finish(reason: str | None, refused: bool) -> str:
    """A whole answer without a reason has simply stopped."""
    return "content_filter" if refused else _FINISH.get(reason or "stop", "error")
