"""Reads what a GGUF model file says of itself, without loading it: the engine does not say why it cannot load a file,
and a context longer than the model was made for only takes memory, up to the end of the process.

The format is llama.cpp's (ggml/docs/gguf.md): little-endian; a magic word, a version, counts, then typed key-values.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import ModelFileError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_LONGEST_TEXT = 1 << 20
_MOST_ENTRIES = 100_000
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""Value type -> struct code. 8 is text, 9 an array."""
_TEXT, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class ModelHeader:
    """What the file states; None where it does not. `context_length` is in tokens, as the model was trained."""

    architecture: str | None = None
    name: str | None = None
    context_length: int | None = None


def read_header(path: Path) -> ModelHeader:
    """Raises ModelFileError for a file that cannot be read or is no GGUF model."""
    try:
        with path.open("rb") as file:
            return _header(file)
    except OSError as error:
        raise ModelFileError(
            f"The model file {path} cannot be read: {error.strerror or error}.", "Check the path and its permissions."
        ) from None
    except (ValueError, KeyError, struct.error, RecursionError):
        raise ModelFileError(
            f"The file {path} is not a whole GGUF model.", "Fetch it again, or choose another .gguf file."
        ) from None


def _header(file: BinaryIO) -> ModelHeader:
    if file.read(4) != _MAGIC or _number(file, "I") not in _VERSIONS:
        raise ValueError("no GGUF")
    _number(file, "Q")  # tensors
    found: dict[str, Any] = {}
    for _ in range(_counted(file, _MOST_ENTRIES)):
        key = _text(file)
        if key.startswith("tokenizer."):
            break  # the vocabulary: large, last, and of no use here
        found[key] = _value(file, _number(file, "I"))
    architecture = _of(found, "general.architecture", str)
    return ModelHeader(
        architecture,
        _of(found, "general.name", str),
        _of(found, f"{architecture}.context_length", int),
    )


def _of(found: dict[str, Any], key: str, kind: type) -> Any:
    value = found.get(key)
    return value if isinstance(value, kind) else None


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _TEXT:
        return _text(file)
    if kind == _ARRAY:
        element = _number(file, "I")
        return [_value(file, element) for _ in range(_counted(file, _LONGEST_TEXT))]
    return _number(file, _NUMBERS[kind])


def _text(file: BinaryIO) -> str:
    length = _counted(file, _LONGEST_TEXT)
    data = file.read(length)
    if len(data) != length:
        raise ValueError("cut short")
    return data.decode("utf-8")


def _counted(file: BinaryIO, most: int) -> int:
    count = _number(file, "Q")
    if count > most:
        raise ValueError("a count that cannot be")
    return int(count)


def _number(file: BinaryIO, code: str) -> Any:
    return struct.unpack(f"<{code}", file.read(struct.calcsize(f"<{code}")))[0]
