"""Finds out what became of each parameter, by making the request with it and without it and comparing the two.

So a note says what is in the request, not what somebody wrote down about an adapter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ..providers.protocol import Adapter, ChatRequest
from ..types import Parameters
from .fitting import Change
from .wire import WireNote

_ADDED = {
    "store": "The vendor may keep prompt and answer unless it is told not to; the connection's option store decides.",
    "max_tokens": "Anthropic takes no request without a limit.",
    "cache_control": "The connection's option cache asks for it.",
    "stream": "The answer comes in pieces.",
    "stream_options": "Without it a stream brings no token counts.",
    "timings_per_token": "So that the usage of an answer that is stopped is known.",
}
"""What stands in bodies beside what was asked for."""
_WHY = {
    "include": "This is how the Responses API is asked for log probabilities.",
    "display": "So that what the model thinks comes back in words.",
    "includeThoughts": "So that what the model thinks comes back in words.",
    "responseMimeType": "Google asks for JSON by its media type.",
    "system": "The system text stands apart from the conversation here.",
    "systemInstruction": "The system text stands apart from the conversation here.",
    "instructions": "The system text stands apart from the conversation here.",
}
_THINKING = {
    "adaptive": "The model decides itself whether to think.",
    "enabled": "Thinking is turned on.",
    "disabled": "Thinking is turned off.",
    "between_tools": "Thinking is turned off.",
}
_APIS = {"/responses": "the Responses API", "/chat/completions": "Chat Completions"}
_CONVERSATION = ("messages", "input", "contents", "model")


def notes_of(
    adapter: Adapter, request: ChatRequest, asked: Parameters, changes: Iterable[Change], label: str, stream: bool
) -> tuple[WireNote, ...]:
    """`asked` are the parameters of the call with those of its preset, `changes` what fitting the preset changed."""
    path, body = adapter.body(request, stream)
    usual_path, _ = adapter.body(dataclasses.replace(request, parameters=Parameters()), stream)
    whole = _flat(body)
    notes = [_of_change(change) for change in changes]
    touched: set[str] = set()
    for name, value in asked.given().items():
        if name == "system":
            notes += _of_system(request, value, body)
            continue
        if path != usual_path and _only(adapter, request, name, stream) == path:
            why = f"It goes to {_APIS.get(path, path)}: {_APIS.get(usual_path, usual_path)} does not take it."
            notes.append(WireNote(name, "routed", value, {"url": path}, why))
        found = _difference(whole, _flat(_without(adapter, request, name, path, stream)))
        touched |= set(found)
        notes += _of_parameter(name, value, found, label)
    notes += [
        WireNote(name, "added", None, {name: body[name]}, why)
        for name, why in _ADDED.items()
        if name in body and name not in touched
    ]
    return tuple(notes)


def _of_change(change: Change) -> WireNote:
    if change.to is None:
        return WireNote(change.field, "dropped", change.value, None, change.why)
    return WireNote(change.field, "clamped", change.value, change.to, change.why)


def _of_system(request: ChatRequest, text: str, body: Mapping[str, Any]) -> Iterable[WireNote]:
    if not (request.messages and request.messages[0].role == "system" and request.messages[0].text == text):
        why = "The messages bring a system message of their own."
        return [WireNote("system", "dropped", text, None, why)]
    place = next((name for name in ("system", "systemInstruction", "instructions") if name in body), None)
    if place is None:
        first = next(name for name in _CONVERSATION if name in body)
        return [WireNote("system", "changed", text, {f"{first}[0]": body[first][0]}, "It leads the conversation.")]
    happened = "changed" if place == "system" else "renamed"
    return [WireNote("system", happened, text, {place: body[place]}, _WHY[place])] if body[place] != text else []


def _of_parameter(name: str, value: Any, found: Mapping[str, Any], label: str) -> Iterable[WireNote]:
    if not found:
        why = f"{label} does the same without it."
        return [WireNote(name, "dropped", value, None, why)]
    value = list(value) if isinstance(value, tuple) else value
    main = _main_path(name, value, found)
    notes: list[WireNote] = []
    if found[main] != value:
        why = _why(main, found[main]) or f"{label} writes it so."
        notes.append(WireNote(name, "changed", value, {main: found[main]}, why))
    elif main != name:
        notes.append(WireNote(name, "renamed", value, {main: value}, _why(main, value) or f"{label} calls it {main}."))
    for path, other in found.items():
        if path != main:
            why = _why(path, other) or f"It goes with {name}."
            notes.append(WireNote(name, "added", None, {path: other}, why))
    return notes


def _main_path(name: str, value: Any, found: Mapping[str, Any]) -> str:
    """Where the parameter itself stands: under its name, else where its value is, else the first place."""
    if name in found:
        return name
    same = [path for path, other in found.items() if other == value and isinstance(other, bool) == (value is True)]
    return same[0] if same else next(iter(found))


def _why(path: str, value: Any) -> str:
    if path == "thinking.type":
        return _THINKING.get(value, "")
    return _WHY.get(path) or _WHY.get(path.rsplit(".", 1)[-1], "")


def _only(adapter: Adapter, request: ChatRequest, name: str, stream: bool) -> str:
    """Where the request would go with this parameter alone."""
    alone = Parameters(**{name: getattr(request.parameters, name)})
    return adapter.body(dataclasses.replace(request, parameters=alone), stream)[0]


def _without(adapter: Adapter, request: ChatRequest, name: str, path: str, stream: bool) -> dict[str, Any]:
    """The body without this parameter. Where it alone led to that path, another one leads there in its place."""
    others = {other: value for other, value in request.parameters.given().items() if other != name}
    for stand_in in ({}, {"seed": 0}, {"n": 1}):
        given = Parameters(**(others | stand_in))
        found, body = adapter.body(dataclasses.replace(request, parameters=given), stream)
        if found == path:
            return {key: value for key, value in body.items() if key in others or key not in stand_in}
    return {}


def _difference(whole: Mapping[str, Any], without: Mapping[str, Any]) -> dict[str, Any]:
    """What is in the first and not, or not so, in the second. The conversation is the same in both."""
    return {
        path: value
        for path, value in whole.items()
        if path not in _CONVERSATION and (path not in without or without[path] != value)
    }


def _flat(body: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Paths, as generationConfig.topP, to values. A schema or another mapping of the caller's stays one value."""
    found: dict[str, Any] = {}
    for name, value in body.items():
        path = f"{before}{name}"
        whole = name in ("schema", "json_schema", "responseJsonSchema", "response_format", "format", "tools")
        if isinstance(value, Mapping) and value and not whole:
            found |= _flat(value, f"{path}.")
        else:
            found[path] = value
    return found
