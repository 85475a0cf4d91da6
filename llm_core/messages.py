"""Turns what people pass as a prompt (text, messages, dicts of OpenAI's shape) into messages.

It reads no files and fetches no URLs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import InvalidMessage
from .types import Audio, File, Image, Message, Part, Text, ToolCall, ToolResult

Prompt = str | Message | Sequence[Message | Mapping[str, Any]]

_AUDIO_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}


def as_messages(prompt: Prompt) -> tuple[Message, ...]:
    """One user message for text, else the messages in order. Raises InvalidMessage."""
    if isinstance(prompt, str):
        if not prompt.strip():
            raise InvalidMessage("The prompt is empty.", "Write what the model should answer.")
        return (Message("user", prompt),)
    if isinstance(prompt, (Message, Mapping)):
        prompt = [prompt]
    if not isinstance(prompt, Iterable):
        raise InvalidMessage(f"A prompt cannot be a {type(prompt).__name__}.", "Give text or a list of messages.")
    messages = tuple(item if isinstance(item, Message) else _from_dict(item) for item in prompt)
    if not messages:
        raise InvalidMessage("There are no messages.", "Give at least one user message.")
    return messages


def with_system(messages: tuple[Message, ...], system: str | None) -> tuple[Message, ...]:
    """The messages, led by `system` unless they bring a system message of their own."""
    if system is None or any(message.role == "system" for message in messages):
        return messages
    return (Message("system", system), *messages)


def _from_dict(item: Any) -> Message:
    if not isinstance(item, Mapping):
        raise InvalidMessage(f"A message cannot be a {type(item).__name__}.", "Give a Message or a dict.")
    role, content = item.get("role"), item.get("content")
    if role == "developer":
        role = "system"
    if not isinstance(role, str):
        raise InvalidMessage("A message has no role.", 'As {"role": "user", "content": "Hello"}.')
    if role == "tool":
        call_id = item.get("tool_call_id")
        if not isinstance(call_id, str):
            raise InvalidMessage("A tool message has no tool_call_id.", "Name the call it answers.")
        return Message(role, (ToolResult(call_id, content if isinstance(content, str) else _joined_text(content)),))
    parts = list(_parts(content))
    parts.extend(_tool_call(call) for call in item.get("tool_calls") or ())
    return Message(role, parts)


def _parts(content: Any) -> Iterable[Part]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    if isinstance(content, Sequence):
        return [part if isinstance(part, Part) else _part(part) for part in content]
    raise InvalidMessage(f"A message's content cannot be a {type(content).__name__}.", "Give text or a list of parts.")


def _part(part: Any) -> Part:
    if not isinstance(part, Mapping):
        raise InvalidMessage(f"A message part cannot be a {type(part).__name__}.", "Give a Text, Image ... or a dict.")
    try:
        match part.get("type"):
            case "text" | "input_text" | "output_text":
                return Text(str(part["text"]))
            case "image_url":
                link = part["image_url"]
                return _image(link["url"], link.get("detail")) if isinstance(link, Mapping) else _image(link, None)
            case "input_image":
                return _image(part["image_url"], part.get("detail"))
            case "input_audio":
                audio = part["input_audio"]
                return Audio(_decoded(audio["data"]), _AUDIO_TYPES.get(audio["format"], f"audio/{audio['format']}"))
            case "file":
                file = part["file"]
                media_type, data = _data_url(file["file_data"])
                return File(data, media_type, file.get("filename", "file"))
            case other:
                raise InvalidMessage(
                    f"Unknown message part {other!r}.", "Known ones: text, image_url, input_audio, file."
                )
    except (KeyError, TypeError) as error:
        raise InvalidMessage(f"A {part.get('type')} part lacks {error}.") from None


def _image(url: Any, detail: str | None) -> Image:
    if not isinstance(url, str):
        raise InvalidMessage("An image has no URL.", "Give an http(s) URL or a data: URL.")
    if url.startswith("data:"):
        media_type, data = _data_url(url)
        return Image(data=data, media_type=media_type, detail=detail)
    if not url.startswith(("http://", "https://")):
        raise InvalidMessage(
            "An image URL must begin with http://, https:// or data:.", "Local files: Image(data=...)."
        )
    return Image(url=url, detail=detail)


def _data_url(url: str) -> tuple[str, bytes]:
    head, comma, data = url.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64") and comma):
        raise InvalidMessage("The file's data is not a base64 data: URL.", "As data:application/pdf;base64,JVBERi0...")
    return head.removeprefix("data:").removesuffix(";base64"), _decoded(data)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise InvalidMessage("A part's data is not valid base64.") from None


def _joined_text(content: Any) -> str:
    return "".join(part.text for part in _parts(content) if isinstance(part, Text))


def _tool_call(call: Any) -> ToolCall:
    try:
        function = call["function"]
        return ToolCall(str(call["id"]), str(function["name"]), str(function["arguments"]))
    except (KeyError, TypeError) as error:
        raise InvalidMessage(
            f"A tool call lacks {error}.", "It needs id, function.name and function.arguments."
        ) from None
