from __future__ import annotations

import struct
from pathlib import Path

import pytest

from llm_core.errors import ModelFileError
from llm_core.providers.gguf import ModelHeader, read_header


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def field(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def gguf(*fields: bytes, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(fields)) + b"".join(fields)


WHOLE = gguf(
    field("general.architecture", 8, text("llama")),
    field("general.name", 8, text("Tiny é")),
    field("general.tags", 9, struct.pack("<IQ", 8, 2) + text("a") + text("b")),
    field("llama.rope.freq_base", 6, struct.pack("<f", 1e5)),
    field("llama.context_length", 4, struct.pack("<I", 2048)),
    field("tokenizer.ggml.tokens", 9, b"cut off here"),
)


def test_a_header_is_read_up_to_the_vocabulary(tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(WHOLE)
    assert read_header(file) == ModelHeader("llama", "Tiny é", 2048)


def test_what_a_file_does_not_say_is_none(tmp_path: Path) -> None:
    file = tmp_path / "bare.gguf"
    file.write_bytes(gguf(field("general.architecture", 4, struct.pack("<I", 1)), version=2))
    assert read_header(file) == ModelHeader(None, None, None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GGUF",
        b"<html>not found</html>",
        gguf(version=1),
        WHOLE[:60],
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60),
        gguf(field("general.name", 8, struct.pack("<Q", 2**62))),
        gguf(field("general.name", 99, b"")),
        gguf(field("general.tags", 9, struct.pack("<IQ", 9, 1) * 50_000)),
        gguf(field("general.name", 8, struct.pack("<Q", 2) + b"\xff\xfe")),
    ],
)
def test_anything_else_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(content)
    with pytest.raises(ModelFileError, match="not a whole GGUF model"):
        read_header(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"nowhere\.gguf cannot be read"):
        read_header(tmp_path / "nowhere.gguf")
