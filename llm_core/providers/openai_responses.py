"""The Responses API: what is sent and how its answers are read. No I/O.

Answers are not stored at OpenAI (`store` is false) unless the connection's options say so, and history is sent whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InvalidMessage
from ..types import Audio, File, Image, Message, Part, Text, ToolCall, ToolResult
from .failures import AnswerCutShort, ErrorInside
from .openai_wire import file_fields, image_url, named_schema, read_mode, read_usage, require_known, response_format
from .protocol import Answer, ChatRequest, Piece

PATH = "/responses"

PARAMETERS = frozenset(
    {
        "temperature",
        "max_tokens",
        "top_p",
        "response_format",
        "reasoning_effort",
        "verbosity",
        "service_tier",
        "logprobs",
        "top_logprobs",
        "system",
    }
)
"""It has no n, stop, seed or penalties."""
LEAST_TOKENS = 16
"""The smallest max_output_tokens it takes ("Expected a value >= 16", github.com/earendil-works/pi/issues/6265)."""

_USAGE_NAMES = ("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details")
_INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}
_OVER = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})


class Responses:
    path = PATH

    def __init__(self, *, store: bool = False) -> None:
        self._store = store

    def body(self, request: ChatRequest, stream: bool) -> dict[str, Any]:
        """Raises InvalidMessage, InvalidParameters."""
        given = request.parameters
        require_known(given, PARAMETERS, "The Responses API")
        body: dict[str, Any] = {
            "model": request.model,
            "input": [item for message in request.messages for item in _items(message)],
            "store": self._store,
        }
        for ours, theirs in (
            ("system", "instructions"),
            ("temperature", "temperature"),
            ("top_p", "top_p"),
            ("max_tokens", "max_output_tokens"),
            ("service_tier", "service_tier"),
            ("top_logprobs", "top_logprobs"),
        ):
            if (value := getattr(given, ours)) is not None:
                body[theirs] = value
        if given.logprobs or given.top_logprobs:
            body["include"] = ["message.output_text.logprobs"]
        if given.reasoning_effort is not None:
            body["reasoning"] = {"effort": given.reasoning_effort}
        if text := _text_options(request):
            body["text"] = text
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        if request.tool_choice is not None:
            body["tool_choice"] = _tool_choice(request.tool_choice)
        if stream:
            body["stream"] = True
        return body

    def read(self, data: Any, into: Answer) -> None:
        """A whole answer. Raises ErrorInside, or ValueError and the like for what is no answer."""
        if not isinstance(data, Mapping):
            raise ValueError("An answer is no object.")
        _read_head(data, into)
        if data.get("error"):
            raise ErrorInside(data["error"] if isinstance(data["error"], Mapping) else data)
        items = data["output"]
        into.text = "".join(_texts(items))
        into.reasoning = "\n\n".join(_reasonings(items))
        into.tool_calls = [_tool_call(item) for item in items if item["type"] in _CALLS]
        into.logprobs = _logprobs(items)
        into.finish = _finish(data, into)

    def reader(self, into: Answer) -> ResponsesReader:
        return ResponsesReader(self, into)


class ResponsesReader:
    """Reads a stream event by event into the answer."""

    def __init__(self, form: Responses, into: Answer) -> None:
        self._form = form
        self._into = into
        self._calls: dict[int, ToolCall] = {}
        self.done = False
        """The stream said that it is over."""

    def read(self, event: Any) -> Piece | None:
        """One event's JSON, or None for a closing [DONE]. Raises ErrorInside."""
        if event is None:
            return None
        kind = event.get("type", "")
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            if kept := event.get("logprobs"):
                self._into.logprobs = [*(self._into.logprobs or ()), *kept]
            return self._piece(text=event["delta"])
        if kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            return self._piece(reasoning=event["delta"])
        if kind == "response.reasoning_summary_part.added" and event.get("summary_index"):
            return self._piece(reasoning="\n\n")
        if kind in ("response.output_item.added", "response.output_item.done"):
            item = event["item"]
            if item["type"] in _CALLS:
                self._tool_call(event["output_index"], _tool_call(item))
        elif kind in ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"):
            call = self._calls[event["output_index"]]
            self._tool_call(event["output_index"], dataclasses.replace(call, arguments=call.arguments + event["delta"]))
        elif kind in _OVER:
            return self._over(event["response"])
        elif kind == "error" or event.get("error"):
            raise ErrorInside(event)
        elif isinstance(event.get("response"), Mapping):
            _read_head(event["response"], self._into)
        return None

    def end(self) -> None:
        """Called when the body is over. Raises AnswerCutShort where the answer was not."""
        if not self.done:
            raise AnswerCutShort

    def _over(self, response: Any) -> Piece | None:
        """The last event repeats the whole answer. What was given out stays; only what never came is added."""
        streamed, reasoned = self._into.text, self._into.reasoning
        self._form.read(response, self._into)
        self.done = True  # only now: an error in it is no end
        self._into.reasoning = reasoned or self._into.reasoning
        if not streamed:
            return Piece(self._into.text) if self._into.text else None
        self._into.text = streamed
        return None

    def _piece(self, text: str = "", reasoning: str = "") -> Piece:
        self._into.text += text
        self._into.reasoning += reasoning
        return Piece(text, reasoning)

    def _tool_call(self, index: int, call: ToolCall) -> None:
        self._calls[index] = call
        self._into.tool_calls = [self._calls[index] for index in sorted(self._calls)]


_CALLS = ("function_call", "custom_tool_call")


def _items(message: Message) -> Iterable[dict[str, Any]]:
    """One message of ours as input items: tool calls and results are items of their own."""
    rest: list[Part] = []
    calls: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield {"type": "function_call_output", "call_id": part.call_id, "output": part.content}
        elif isinstance(part, ToolCall):
            calls.append({"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments})
        else:
            rest.append(part)
    if message.role == "tool" and (rest or calls):
        raise InvalidMessage("A tool message holds tool results and nothing else.", "Give ToolResult parts.")
    if calls and message.role != "assistant":
        raise InvalidMessage("A tool call belongs into an assistant message.")
    if rest:
        yield {"role": message.role, "content": _content(message.role, rest)}
    yield from calls


def _content(role: str, parts: list[Part]) -> str | list[dict[str, Any]]:
    if all(isinstance(part, Text) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Text))
    if role != "user":
        raise InvalidMessage(f"Only text can be in a message of the role {role}.", "Put it into a user message.")
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "input_text", "text": part.text}
        case Image():
            return {"type": "input_image", "image_url": image_url(part), "detail": part.detail or "auto"}
        case File():
            return {"type": "input_file", **file_fields(part)}
        case Audio():
            raise InvalidMessage(
                "The Responses API takes no audio.", 'Let the connection use Chat Completions: options {"api": "chat"}.'
            )
        case _:
            raise InvalidMessage(f"A {type(part).__name__} cannot stand here.")


def _text_options(request: ChatRequest) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if request.schema is not None:
        options["format"] = {"type": "json_schema", **named_schema(request.schema)}
    elif (form := response_format(request.parameters)) is not None:
        options["format"] = {"type": form["type"], **form.get("json_schema", {})} if "json_schema" in form else form
    if request.parameters.verbosity is not None:
        options["verbosity"] = request.parameters.verbosity
    return options


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """From Chat Completions' shape. Tools are strict here unless told otherwise, there only where told."""
    if not isinstance(function := tool.get("function"), Mapping):
        return dict(tool)
    return {"type": "function", **function, "strict": bool(function.get("strict"))}


def _tool_choice(choice: str | Mapping[str, Any]) -> Any:
    """auto, none, required, Chat Completions' mapping or the API's own, or the name of a tool."""
    if isinstance(choice, str):
        return choice if choice in ("auto", "none", "required") else {"type": "function", "name": choice}
    if isinstance(function := choice.get("function"), Mapping):
        return {"type": "function", "name": function["name"]}
    return dict(choice)


def _read_head(response: Mapping[str, Any], into: Answer) -> None:
    if model := response.get("model"):
        into.model_reported = model
    if mode := read_mode(response.get("service_tier")):
        into.mode = mode
    if raw := response.get("usage"):
        into.raw_usage = raw
        usage = read_usage(raw, _USAGE_NAMES)
        searches = sum(item.get("type") == "web_search_call" for item in response.get("output") or ())
        if usage is not None:
            into.usage = dataclasses.replace(usage, searches=searches) if searches else usage


def _texts(items: Iterable[Any]) -> Iterable[str]:
    for part in _parts(items):
        yield part.get("text") or part.get("refusal") or ""


def _parts(items: Iterable[Any]) -> Iterable[Mapping[str, Any]]:
    for item in items:
        if item["type"] == "message":
            yield from item["content"]


def _reasonings(items: Iterable[Any]) -> Iterable[str]:
    for item in items:
        if item["type"] == "reasoning":
            for part in (*(item.get("summary") or ()), *(item.get("content") or ())):
                yield part.get("text") or ""


def _tool_call(item: Mapping[str, Any]) -> ToolCall:
    return ToolCall(item["call_id"], item["name"], item.get("arguments") or item.get("input") or "")


def _logprobs(items: Iterable[Any]) -> list[Mapping[str, Any]] | None:
    kept = [entry for part in _parts(items) for entry in part.get("logprobs") or ()]
    return kept or None


def _finish(response: Mapping[str, Any], into: Answer) -> str:
    if response.get("status") == "incomplete":
        return _INCOMPLETE.get((response.get("incomplete_details") or {}).get("reason", ""), "error")
    if response.get("status") not in ("completed", None):
        return "error"
    if into.tool_calls:
        return "tool_calls"
    refused = any(part["type"] == "refusal" for part in _parts(response["output"]))
    return "content_filter" if refused else "stop"
