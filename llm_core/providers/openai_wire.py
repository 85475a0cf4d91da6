"""What OpenAI's two formats share: how parts, schemas and tools are written, and how token counts are read."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InvalidMessage, InvalidParameters
from ..types import Audio, File, Image, Parameters, Usage

log = logging.getLogger(__name__)

_AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
_MODES = {"default": "standard", "standard": "standard", "auto": None, "flex": "flex", "priority": "priority"}


def data_url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def image_url(image: Image) -> str:
    """Raises InvalidMessage for an image with neither data nor URL."""
    if image.url is not None:
        return image.url
    if image.data is None:
        raise InvalidMessage("An image has neither data nor a URL.", "Give Image(data=...) or Image(url=...).")
    return data_url(image.data, image.media_type)


def file_fields(file: File) -> dict[str, str]:
    return {"filename": file.name, "file_data": data_url(file.data, file.media_type)}


def audio_fields(audio: Audio) -> dict[str, str]:
    """Raises InvalidMessage for anything but WAV and MP3, which is all the API takes."""
    form = _AUDIO_FORMATS.get(audio.media_type)
    if form is None:
        raise InvalidMessage(f"OpenAI's API does not take {audio.media_type}.", "Convert it to WAV or MP3.")
    return {"data": base64.b64encode(audio.data).decode("ascii"), "format": form}


def named_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema with the name both formats ask for; strict where it can be, so that the answer always fits it."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", str(schema.get("title") or "answer"))[:64]
    return {"name": name, "schema": dict(schema), "strict": is_strict(schema)}


def is_strict(schema: Any) -> bool:
    """Whether every object in it names all its properties as required and allows no others, as strict mode demands."""
    if isinstance(schema, Mapping):
        if schema.get("type") == "object" or "properties" in schema:
            properties = schema.get("properties")
            if not isinstance(properties, Mapping) or schema.get("additionalProperties") is not False:
                return False
            if set(schema.get("required") or ()) != set(properties):
                return False
        return all(is_strict(value) for value in schema.values())
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return all(is_strict(value) for value in schema)
    return True


def response_format(parameters: Parameters) -> dict[str, Any] | None:
    """`parameters.response_format` as Chat Completions writes it: a word ("json_object") or the whole mapping."""
    given = parameters.response_format
    if given is None:
        return None
    return {"type": given} if isinstance(given, str) else dict(given)


def require_known(parameters: Parameters, known: frozenset[str], place: str) -> None:
    """Raises InvalidParameters for one that has no place on the wire: dropping it unseen would change the answer."""
    unknown = sorted(set(parameters.given()) - known)
    if unknown:
        raise InvalidParameters(
            f"{place} has no place for {', '.join(unknown)}.", f"It takes {', '.join(sorted(known))}."
        )


def read_usage(raw: Any, names: tuple[str, str, str, str]) -> Usage | None:
    """Token counts in our convention, or None where the answer brings none.

    `names` are the vendor's for: prompt, output, details of the prompt, details of the output. Both OpenAI formats
    count cached and audio tokens in the prompt, and reasoning in the output. Some compatible vendors leave reasoning
    out: then prompt + output + reasoning is the total they report, and it is added. A sum that holds neither way is
    logged, and the two counts are taken as they are.
    """
    if not isinstance(raw, Mapping):
        return None
    prompt, output = _count(raw, names[0]), _count(raw, names[1])
    if prompt is None or output is None:
        return None
    of_prompt, of_output = _details(raw, names[2]), _details(raw, names[3])
    reasoning = _count(of_output, "reasoning_tokens") or 0
    total = _count(raw, "total_tokens")
    if total is not None and prompt + output != total:
        if reasoning and prompt + output + reasoning == total:
            output += reasoning
        else:
            log.warning("Token counts do not add up: %d + %d is not the total %d.", prompt, output, total)
    cached = _count(of_prompt, "cached_tokens") or _count(raw, "prompt_cache_hit_tokens") or 0
    read = min(cached, prompt)
    return Usage(
        input_tokens=prompt,
        cache_read_tokens=read,
        cache_write_tokens=min(_count(of_prompt, "cache_write_tokens") or 0, prompt - read),
        input_audio_tokens=min(_count(of_prompt, "audio_tokens") or 0, prompt),
        output_tokens=output,
        reasoning_tokens=min(reasoning, output),
        output_audio_tokens=min(_count(of_output, "audio_tokens") or 0, output),
    )


def read_mode(tier: Any) -> str | None:
    """The service tier an answer names, as one of our modes; None where it names none that we know."""
    return _MODES.get(tier) if isinstance(tier, str) else None


def _details(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, Mapping) else {}


def _count(raw: Mapping[str, Any], name: str) -> int | None:
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0 or value != int(value):
        return None
    return int(value)
