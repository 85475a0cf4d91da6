"""How long a recording is, from its own headers, without decoding it."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable

LEAST_BYTES_A_SECOND = 2_000
"""16 kbit/s: a recording whose length its headers do not tell is no longer than at this rate, short of telephony."""

_MP3_KBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of layer III, by the four bits in a frame's header: MPEG 1, and MPEG 2 and 2.5 (ISO/IEC 11172-3 and 13818-3)."""
_MP3_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def seconds_of(data: bytes) -> float | None:
    """The length of a WAV, FLAC, Ogg (Opus, Vorbis), MP4 or MP3 recording; None for others and for damaged ones."""
    read = _reader(data)
    try:
        seconds = read(data) if read else None
    except (wave.Error, EOFError, ZeroDivisionError, struct.error, IndexError, ValueError):
        return None
    return seconds if seconds and 0 < seconds < 1e7 else None


def seconds_at_most(data: bytes) -> float:
    """The length, else the longest that so many bytes can be."""
    seconds = seconds_of(data)
    return len(data) / LEAST_BYTES_A_SECOND if seconds is None else seconds


def _reader(data: bytes) -> Callable[[bytes], float | None] | None:
    if data.startswith(b"RIFF"):
        return _wav
    if data.startswith(b"fLaC"):
        return _flac
    if data.startswith(b"OggS"):
        return _ogg
    if data[4:8] == b"ftyp":
        return _mp4
    if data.startswith(b"ID3") or (len(data) > 3 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2):
        return _mp3
    return None


def _wav(data: bytes) -> float:
    with wave.open(io.BytesIO(data)) as recording:
        return float(recording.getnframes() / recording.getframerate())


def _flac(data: bytes) -> float:
    """STREAMINFO is always the first block: 20 bits of sample rate, 3 of channels, 5 of depth, 36 of samples."""
    packed = int.from_bytes(data[18:26], "big")
    return float((packed & (2**36 - 1)) / (packed >> 44))


def _ogg(data: bytes) -> float | None:
    """The last page says how many samples there are in all; Opus always counts 48,000 a second."""
    last = data.rfind(b"OggS")
    (samples,) = struct.unpack_from("<q", data, last + 6)
    if data.find(b"OpusHead", 0, 200) >= 0:
        return float(samples / 48_000)
    at = data.find(b"\x01vorbis", 0, 200)
    return None if at < 0 else float(samples / struct.unpack_from("<I", data, at + 12)[0])


def _mp4(data: bytes) -> float | None:
    """The movie header holds a time scale and a duration in it, of 32 bits, or of 64 in version 1."""
    at = data.find(b"mvhd")
    if at < 0:
        return None
    form, start = (">IQ", at + 24) if data[at + 4] == 1 else (">II", at + 16)
    scale, duration = struct.unpack_from(form, data, start)
    return float(duration / scale)


def _mp3(data: bytes) -> float | None:
    """A first frame named Xing or Info counts the frames; else all frames are taken to be like the first."""
    at = 0
    if data.startswith(b"ID3"):
        size = 0
        for byte in data[6:10]:
            size = size << 7 | byte & 0x7F
        at = 10 + size
    if data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version = data[at + 1] >> 3 & 3
    rate = _MP3_RATES[version][data[at + 2] >> 2 & 3] if version in _MP3_RATES else 0
    samples = 1152 if version == 3 else 576
    tag = next((found for name in (b"Xing", b"Info") if (found := data.find(name, at, at + 64)) >= 0), None)
    if tag is not None and data[tag + 7] & 1:
        return float(struct.unpack_from(">I", data, tag + 8)[0] * samples / rate)
    kbits = _MP3_KBITS[1 if version == 3 else 2][data[at + 2] >> 4]
    return (len(data) - at) / (kbits * 125)
