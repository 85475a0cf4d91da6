"""Messages and tools as Gemini's API writes them."""

from __future__ import annotations

import base64
import json
import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import InvalidMessage
from ..types import Audio, File, Image, Message, Part, Text, ToolCall, ToolResult

_AUDIO_TYPES = {
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/m4a",
}
"""Names of media types -> those Google's documents use."""
_SIGNS_NO_CALLS = re.compile(r"gemini-[12]\b|gemma")
_NO_SIGNATURE = "skip_thought_signature_validator"
"""Google's word for a call that no Gemini made: a model that signs its calls refuses history with an unsigned one."""

Turn = dict[str, Any]


def system_and_turns(messages: Sequence[Message], model: str) -> tuple[list[str], list[Turn]]:
    """The texts of all system messages, which the API takes only ahead of the turns, and the turns. Neighbours of one
    role become one turn: results of tools must stand in the one turn after their calls. Raises InvalidMessage.
    """
    system: list[str] = []
    turns: list[Turn] = []
    called: dict[str, str] = {}
    for message in messages:
        if message.role == "system":
            system.append(_only_text(message))
            continue
        parts = list(_parts(message, called))
        if not parts:
            raise InvalidMessage(f"A message of the role {message.role} is empty.", "Leave it out, or write something.")
        role = "model" if message.role == "assistant" else "user"
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        else:
            turns.append({"role": role, "parts": parts})
    if not _SIGNS_NO_CALLS.search(model):
        _sign_foreign_calls(turns)
    return system, turns


def declared_tools(tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """From OpenAI's function shape; a tool of Google's own, as {"googleSearch": {}}, is left as it is."""
    functions = [tool["function"] for tool in tools if isinstance(tool.get("function"), Mapping)]
    made: list[dict[str, Any]] = []
    if functions:
        made.append({"functionDeclarations": [_declaration(function) for function in functions]})
    return made + [dict(tool) for tool in tools if not isinstance(tool.get("function"), Mapping)]


def tool_config(choice: str | Mapping[str, Any]) -> dict[str, Any]:
    """auto, none, required, OpenAI's mapping or Google's own, or the name of a tool."""
    modes = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
    if isinstance(choice, Mapping):
        function = choice.get("function")
        if not isinstance(function, Mapping):
            return dict(choice)
        choice = str(function["name"])
    if choice in modes:
        return {"functionCallingConfig": {"mode": modes[choice]}}
    return {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [choice]}}


def kept_signature(signature: Any) -> str:
    """The signature of a thought as the API wants it back beside the call it led to; for `ToolCall.opaque`."""
    return json.dumps({"google": signature}) if isinstance(signature, str) and signature else ""


def inline(data: bytes, media_type: str) -> Turn:
    kind = media_type.partition(";")[0].strip().lower()
    return {"inlineData": {"mimeType": _AUDIO_TYPES.get(kind, kind), "data": base64.b64encode(data).decode("ascii")}}


def _signature_of(call: ToolCall) -> str | None:
    """What `kept_signature` kept; None where the call came from another provider."""
    try:
        kept = json.loads(call.opaque) if call.opaque else None
    except ValueError:
        return None
    signature = kept.get("google") if isinstance(kept, dict) else None
    return signature if isinstance(signature, str) else None


def _sign_foreign_calls(turns: Sequence[Turn]) -> None:
    """Of calls made at once, the API signs the first alone and asks for that one's signature alone."""
    for turn in turns:
        first = next((part for part in turn["parts"] if "functionCall" in part), None)
        if first is not None:
            first.setdefault("thoughtSignature", _NO_SIGNATURE)


def _declaration(function: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": function["name"]}
    if function.get("description"):
        made["description"] = function["description"]
    if function.get("parameters"):
        made["parametersJsonSchema"] = function["parameters"]
    return made


def _parts(message: Message, called: dict[str, str]) -> Iterator[Turn]:
    """A message's content. `called` maps the ids of calls so far to their tools: a result must name its tool."""
    parts = [part for part in message.parts if not (isinstance(part, Text) and not part.text)]
    results = [part for part in parts if isinstance(part, ToolResult)]
    if message.role == "tool" and len(results) < len(parts):
        raise InvalidMessage("A tool message holds tool results and nothing else.", "Give ToolResult parts.")
    for result in results:
        if result.call_id not in called:
            raise InvalidMessage(
                f"No call before it has the id {result.call_id} of a tool result.", "Send the call too."
            )
        response = {"id": result.call_id, "name": called[result.call_id], "response": _response(result.content)}
        yield {"functionResponse": response}
    for part in parts:
        if isinstance(part, ToolCall):
            if message.role != "assistant":
                raise InvalidMessage("A tool call belongs into an assistant message.")
            called[part.id] = part.name
            yield _call(part)
        elif not isinstance(part, ToolResult):
            yield _part(message.role, part)


def _call(call: ToolCall) -> Turn:
    made: Turn = {"functionCall": {"id": call.id, "name": call.name, "args": _arguments(call)}}
    signature = _signature_of(call)
    return made if signature is None else {**made, "thoughtSignature": signature}


def _part(role: str, part: Part) -> Turn:
    if isinstance(part, Text):
        return {"text": part.text}
    if role != "user":
        raise InvalidMessage(f"Only text can be in a message of the role {role}.", "Put it into a user message.")
    match part:
        case Image(url=str() as url):
            kind = mimetypes.guess_type(url.partition("?")[0])[0]
            return {"fileData": {"fileUri": url, **({"mimeType": kind} if kind else {})}}
        case Image(data=bytes() as data):
            return inline(data, part.media_type)
        case Image():
            raise InvalidMessage("An image has neither data nor a URL.", "Give Image(data=...) or Image(url=...).")
        case Audio():
            return inline(part.data, part.media_type)
        case File():
            return inline(part.data, "text/plain" if part.media_type == "application/json" else part.media_type)
        case _:
            raise InvalidMessage(f"A {type(part).__name__} cannot stand here.")


def _response(content: str) -> dict[str, Any]:
    """The API wants an object: what is none becomes the output."""
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"output": content}


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
