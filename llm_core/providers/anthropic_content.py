"""Messages, tools and schemas as Anthropic's API writes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import InvalidMessage, InvalidParameters
from ..types import Audio, File, Image, Message, Part, Text, ToolCall, ToolResult

_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

Block = dict[str, Any]


def system_and_turns(messages: Sequence[Message]) -> tuple[list[str], list[dict[str, Any]]]:
    """The texts of the system messages that lead, and the turns. Neighbours of one role become one turn, as the API
    would make of them: results of tools must stand in the one turn after their calls. Raises InvalidMessage.
    """
    leading: list[str] = []
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system" and not turns:
            leading.append(_only_text(message))
            continue
        role = "user" if message.role == "tool" else message.role
        blocks = list(_blocks(message))
        if not blocks:
            raise InvalidMessage(f"A message of the role {message.role} is empty.", "Leave it out, or write something.")
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return leading, turns


def tool(given: Mapping[str, Any]) -> dict[str, Any]:
    """From OpenAI's function shape; a tool of Anthropic's own is left as it is. Raises InvalidParameters."""
    if not isinstance(function := given.get("function"), Mapping):
        return dict(given)
    made = {"name": _name(function), "input_schema": function.get("parameters") or {"type": "object"}}
    made |= {name: function[name] for name in ("description", "strict") if function.get(name)}
    return made


def tool_choice(choice: str | Mapping[str, Any]) -> dict[str, Any]:
    """auto, none, required, OpenAI's mapping or Anthropic's own, or the name of a tool. Raises InvalidParameters."""
    if isinstance(choice, str):
        kinds = {"auto": "auto", "none": "none", "required": "any"}
        return {"type": kinds[choice]} if choice in kinds else {"type": "tool", "name": choice}
    if isinstance(function := choice.get("function"), Mapping):
        return {"type": "tool", "name": _name(function)}
    return dict(choice)


def _name(function: Mapping[str, Any]) -> str:
    name = function.get("name")
    if not isinstance(name, str):
        raise InvalidParameters("A tool has no name.", 'As {"type": "function", "function": {"name": "weather"}}.')
    return name


def answer_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema as the API takes it: the SDK's own rules close each object and turn limits it cannot hold into
    words. A schema those rules cannot read goes as it is: the API says what it lacks.
    """
    from anthropic import transform_schema

    try:
        fitting = transform_schema(dict(schema))
    except Exception:  # noqa: BLE001  # it asserts, and fails in its own ways over what it does not know
        fitting = dict(schema)
    return {"type": "json_schema", "schema": fitting}


def kept_thinking(blocks: Sequence[Mapping[str, Any]]) -> str:
    """Thinking as the API wants it back beside the call of a tool that it led to; for `ToolCall.opaque`."""
    return json.dumps({"anthropic": list(blocks)}, ensure_ascii=False) if blocks else ""


def _thinking_of(call: ToolCall) -> list[Block]:
    """What `kept_thinking` kept; nothing where the call came from another provider."""
    try:
        kept = json.loads(call.opaque) if call.opaque else {}
    except ValueError:
        return []
    blocks = kept.get("anthropic") if isinstance(kept, dict) else None
    return [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []


def _blocks(message: Message) -> Iterator[Block]:
    """A message's content. Thinking leads a turn, and so do the results of tools; the API insists on both."""
    parts = [part for part in message.parts if not (isinstance(part, Text) and not part.text)]
    results = [part for part in parts if isinstance(part, ToolResult)]
    calls = [part for part in parts if isinstance(part, ToolCall)]
    if message.role == "tool" and len(results) < len(parts):
        raise InvalidMessage("A tool message holds tool results and nothing else.", "Give ToolResult parts.")
    if calls and message.role != "assistant":
        raise InvalidMessage("A tool call belongs into an assistant message.")
    for result in results:
        yield {"type": "tool_result", "tool_use_id": result.call_id, "content": result.content}
    if calls:
        yield from _thinking_of(calls[0])
    for part in parts:
        if isinstance(part, ToolCall):
            if part is not calls[0]:
                yield from _thinking_of(part)
            yield {"type": "tool_use", "id": part.id, "name": part.name, "input": _arguments(part)}
        elif not isinstance(part, ToolResult):
            yield _block(message.role, part)


def _block(role: str, part: Part) -> Block:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if role != "user":
        raise InvalidMessage(f"Only text can be in a message of the role {role}.", "Put it into a user message.")
    match part:
        case Image():
            return {"type": "image", "source": _image_source(part)}
        case File():
            return {"type": "document", "source": _document_source(part), "title": part.name}
        case Audio():
            raise InvalidMessage("Anthropic's API takes no audio.", "Transcribe it first.")
        case _:
            raise InvalidMessage(f"A {type(part).__name__} cannot stand here.")


def _image_source(image: Image) -> dict[str, str]:
    if image.url is not None:
        return {"type": "url", "url": image.url}
    if image.data is None:
        raise InvalidMessage("An image has neither data nor a URL.", "Give Image(data=...) or Image(url=...).")
    if image.media_type not in _IMAGE_TYPES:
        raise InvalidMessage(f"Anthropic's API does not take {image.media_type}.", "Convert it to PNG or JPEG.")
    return {"type": "base64", "media_type": image.media_type, "data": _base64(image.data)}


def _document_source(file: File) -> dict[str, str]:
    if file.media_type == "application/pdf":
        return {"type": "base64", "media_type": file.media_type, "data": _base64(file.data)}
    if file.media_type.startswith("text/") or file.media_type == "application/json":
        try:
            return {"type": "text", "media_type": "text/plain", "data": file.data.decode("utf-8-sig")}
        except UnicodeDecodeError:
            raise InvalidMessage(f"The file {file.name} is not text in UTF-8.", "Convert it first.") from None
    raise InvalidMessage(f"Anthropic's API does not take {file.media_type}.", "It reads PDF and text.")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _arguments(call: ToolCall) -> dict[str, Any]:
    try:
        found = json.loads(call.arguments or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidMessage(f"The arguments of the call {call.id} of {call.name} are no JSON object.")
    return found


def _only_text(message: Message) -> str:
    if not all(isinstance(part, Text) for part in message.parts):
        raise InvalidMessage("Only text can be in a message of the role system.", "Put it into a user message.")
    return message.text
