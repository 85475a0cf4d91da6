"""Cohere's Chat API, version 2: what is sent and how its answers are read. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import InvalidMessage, InvalidParameters
from ..types import Image, Message, Part, Text, ToolCall, ToolResult
from .cohere_usage import note_usage
from .failures import AnswerCutShort, ErrorInside
from .openai_wire import image_url, require_known
from .protocol import Answer, ChatRequest, Piece

PATH = "/v2/chat"

_NAMES = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "p",
    "top_k": "k",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "logprobs": "logprobs",
}
"""Our names -> Cohere's."""
_FINISH = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}
_FAILED = ("ERROR", "TIMEOUT")


class Chat:
    path = PATH

    def __init__(self, parameters: frozenset[str]) -> None:
        self._parameters = parameters

    def body(self, request: ChatRequest, stream: bool) -> dict[str, Any]:
        """Raises InvalidMessage, InvalidParameters."""
        given = request.parameters
        require_known(given, self._parameters, "Cohere's API")
        messages = [wire for message in request.messages for wire in _messages(message)]
        if given.system is not None:
            messages.insert(0, {"role": "system", "content": given.system})
        body: dict[str, Any] = {"model": request.model, "messages": messages}
        for ours, theirs in _NAMES.items():
            if (value := getattr(given, ours)) is not None:
                body[theirs] = value
        if given.stop is not None:
            body["stop_sequences"] = list(given.stop)
        if given.thinking_budget is not None:
            body["thinking"] = _thinking(given.thinking_budget)
        if (form := _response_format(request)) is not None:
            body["response_format"] = form
        if request.tools:
            body |= _tools(request.tools, request.tool_choice)
        if stream:
            body["stream"] = True
        return body

    def read(self, data: Any, into: Answer) -> None:
        """A whole answer. Raises ErrorInside, or ValueError and the like for what is no answer."""
        _require_answer(data)
        message = data["message"]
        blocks = message.get("content") or ()
        into.text = "".join(block["text"] for block in blocks if block["type"] == "text")
        thoughts = [block["thinking"] for block in blocks if block["type"] == "thinking"]
        into.reasoning = "\n\n".join(filter(None, (*thoughts, message.get("tool_plan"))))
        into.tool_calls = [_tool_call(call) for call in message.get("tool_calls") or ()]
        into.logprobs = data.get("logprobs")
        _end(data, into)

    def reader(self, into: Answer) -> ChatReader:
        return ChatReader(into)


class ChatReader:
    """Reads a stream event by event into the answer."""

    def __init__(self, into: Answer) -> None:
        self._into = into
        self._calls: dict[int, ToolCall] = {}
        self._thinks_again = False
        self.done = False
        """The stream said that it is over, and well."""

    def read(self, event: Any) -> Piece | None:
        """One event's JSON, or None for the closing [DONE]. Raises ErrorInside."""
        if event is None:
            return None
        _require_answer(event)
        delta = event.get("delta") or {}
        message = delta.get("message") or {}
        match event.get("type"):
            case "content-start":
                content = message["content"]
                self._thinks_again = content.get("type") == "thinking" and bool(self._into.reasoning)
                return self._piece(content)
            case "content-delta":
                if kept := event.get("logprobs"):
                    self._into.logprobs = [*(self._into.logprobs or ()), kept]
                return self._piece(message["content"])
            case "tool-plan-delta":
                return self._piece({"thinking": message["tool_plan"]})
            case "tool-call-start":
                self._note(event["index"], _tool_call(message["tool_calls"]))
            case "tool-call-delta":
                call = self._calls[event["index"]]
                more = message["tool_calls"]["function"].get("arguments") or ""
                self._note(event["index"], ToolCall(call.id, call.name, call.arguments + more))
            case "message-end":
                _end(delta, self._into)
                self.done = True
        return None

    def end(self) -> None:
        """Called when the body is over. Raises AnswerCutShort where the answer was not."""
        if not self.done:
            raise AnswerCutShort

    def _note(self, index: int, call: ToolCall) -> None:
        self._calls[index] = call
        self._into.tool_calls = [self._calls[index] for index in sorted(self._calls)]

    def _piece(self, content: Mapping[str, Any]) -> Piece | None:
        text, reasoning = content.get("text") or "", content.get("thinking") or ""
        if reasoning and self._thinks_again:
            self._thinks_again = False
            reasoning = "\n\n" + reasoning
        if not text and not reasoning:
            return None
        self._into.text += text
        self._into.reasoning += reasoning
        return Piece(text, reasoning)


def _messages(message: Message) -> Iterator[dict[str, Any]]:
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
    wire: dict[str, Any] = {"role": "assistant"}
    if text or not calls:
        wire["content"] = text
    if calls:
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
            for call in calls
        ]
    return wire


def _content(role: str, parts: Sequence[Part]) -> str | list[dict[str, Any]]:
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
        case ToolCall():
            raise InvalidMessage("A tool call belongs into an assistant message.")
        case _:
            raise InvalidMessage(f"Cohere's API takes no {type(part).__name__.lower()}.", "Give text or images.")


def _thinking(budget: int) -> dict[str, Any]:
    """0 means none, and -1 as much as the model likes."""
    if budget == 0:
        return {"type": "disabled"}
    return {"type": "enabled"} if budget == -1 else {"type": "enabled", "token_budget": budget}


def _response_format(request: ChatRequest) -> dict[str, Any] | None:
    """A JSON Schema goes beside Cohere's only form, json_object. OpenAI's shape of a response_format is taken too."""
    if request.schema is not None:
        return {"type": "json_object", "json_schema": dict(request.schema)}
    form = request.parameters.response_format
    if form is None or isinstance(form, str):
        form = {} if form is None else {"type": form}
    if form.get("type") == "json_schema":
        schema = (form.get("json_schema") or {}).get("schema")
        if not isinstance(schema, Mapping):
            raise InvalidParameters("The response_format json_schema holds no schema.", "Give it as schema=...")
        return {"type": "json_object", "json_schema": dict(schema)}
    return dict(form) or None


def _tools(tools: Sequence[Mapping[str, Any]], choice: str | Mapping[str, Any] | None) -> dict[str, Any]:
    """Cohere has no way to demand one tool by name: then only that one is offered, and a call is demanded."""
    name = None
    if isinstance(choice, Mapping):
        name = (choice.get("function") or {}).get("name")
    elif choice not in (None, "auto", "none", "required"):
        name = choice
    offered = [tool for tool in tools if name is None or _function(tool).get("name") == name]
    if not offered:
        raise InvalidParameters(f"There is no tool {name!r} to choose.", "Name one of the tools of the request.")
    made: dict[str, Any] = {"tools": [_tool(tool) for tool in offered]}
    if all(_function(tool).get("strict") for tool in offered):
        made["strict_tools"] = True
    if name is not None or choice == "required":
        made["tool_choice"] = "REQUIRED"
    elif choice == "none":
        made["tool_choice"] = "NONE"
    return made


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Without `strict`, which Cohere knows only for all tools at once; the parameters it insists on."""
    function = {name: value for name, value in _function(tool).items() if name != "strict"}
    return {"type": "function", "function": {"parameters": {"type": "object", "properties": {}}, **function}}


def _function(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        raise InvalidParameters("Cohere's API takes tools of the type function only.", "Give them in OpenAI's shape.")
    return function


def _tool_call(call: Mapping[str, Any]) -> ToolCall:
    function = call["function"]
    return ToolCall(call.get("id") or "", function["name"], function.get("arguments") or "")


def _require_answer(data: Any) -> None:
    if not isinstance(data, Mapping):
        raise ValueError("An answer is no object.")
    if data.get("error") or ("type" not in data and isinstance(data.get("message"), str)):
        raise ErrorInside(data)


def _end(told: Mapping[str, Any], into: Answer) -> None:
    """How the answer ended and what it used. Raises ErrorInside for one that failed, though its status was 200."""
    note_usage(told.get("usage"), into)
    reason = told.get("finish_reason") or "COMPLETE"
    into.finish = _FINISH.get(reason, "error")
    if told.get("error") or reason in _FAILED:
        message = told.get("error") or f"The answer ended with {reason}."
        raise ErrorInside({"message": message, "type": told.get("error_type") or reason})
