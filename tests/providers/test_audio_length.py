"""How long a recording is, told from headers made here by the book: a budget holds by it."""

from __future__ import annotations

import io
import struct
import wave

import pytest

from llm_core.providers.audio_length import LEAST_BYTES_A_SECOND, seconds_at_most, seconds_of


def wav(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0\0" * int(8000 * seconds))
    return file.getvalue()


def flac(seconds: float) -> bytes:
    packed = 44_100 << 44 | 1 << 41 | 15 << 36 | int(44_100 * seconds)
    return b"fLaC" + b"\x80\0\0\x22" + b"\0" * 10 + packed.to_bytes(8, "big") + b"\0" * 16


def page(flags: int, samples: int, body: bytes) -> bytes:
    return b"OggS\0" + bytes([flags]) + struct.pack("<qIII", samples, 1, 0, 0) + bytes([1, len(body)]) + body


def opus(seconds: float) -> bytes:
    head = b"OpusHead\x01\x01" + struct.pack("<HIhB", 0, 16_000, 0, 0)
    return page(2, 0, head) + page(0, 48_000, b"x" * 90) + page(4, int(48_000 * seconds), b"x" * 90)


def vorbis(seconds: float) -> bytes:
    return page(2, 0, b"\x01vorbis" + struct.pack("<IBI", 0, 2, 44_100) + b"\0" * 14) + page(
        4, int(44_100 * seconds), b"x" * 50
    )


def mp4(seconds: float, version: int = 0) -> bytes:
    times = struct.pack(">QQIQ" if version else ">IIII", 0, 0, 1000, int(1000 * seconds))
    header = b"mvhd" + bytes([version, 0, 0, 0]) + times + b"\0" * 80
    return b"\0\0\0\x18ftypM4A " + b"\0" * 12 + struct.pack(">I", len(header) + 4) + header


def mp3(seconds: float, *, tagged: bool = True) -> bytes:
    """64 kbit/s at 44.1 kHz; with ID3 and a count of frames of 1,152 samples, or bare."""
    head = b"\xff\xfb\x50\xc0"
    if not tagged:
        return head + b"\0" * (int(8000 * seconds) - 4)
    id3 = b"ID3\x04\0\0" + bytes([0, 0, 1, 2]) + b"\0" * 130
    return id3 + head + b"\0" * 17 + b"Xing" + struct.pack(">II", 1, round(seconds * 44_100 / 1152)) + b"\0" * 5_000


@pytest.mark.parametrize(
    ("made", "seconds"),
    [
        (wav(2.5), 2.5),
        (flac(61.5), 61.5),
        (opus(7.25), 7.25),
        (vorbis(9.0), 9.0),
        (mp4(12.34), 12.34),
        (mp4(4_000_000.5, version=1), 4_000_000.5),
        (mp3(26.1224), 26.1224),
        (mp3(3.0, tagged=False), 3.0),
    ],
    ids=["wav", "flac", "opus", "vorbis", "mp4", "mp4 v1", "mp3", "mp3 bare"],
)
def test_the_length_is_read_from_the_headers(made: bytes, seconds: float) -> None:
    assert seconds_of(made) == pytest.approx(seconds, rel=1e-4)
    for cut in range(0, min(len(made), 60), 7):
        seconds_of(made[:cut])  # whatever it says, it does not raise


def test_what_headers_do_not_tell_is_bounded_by_size() -> None:
    assert seconds_of(b"\x1aE\xdf\xa3 webm") is None
    assert seconds_at_most(b"\x1aE\xdf\xa3" + b"x" * 9_996) == 10_000 / LEAST_BYTES_A_SECOND
    assert seconds_at_most(wav(1)) == 1
