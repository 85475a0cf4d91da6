"""Names for recordings that come as bytes: transcription endpoints tell the format from the name's ending."""

from __future__ import annotations

_ENDINGS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/mp4": "m4a",
    "audio/m4a": "m4a",
    "audio/x-m4a": "m4a",
    "video/mp4": "mp4",
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/webm": "webm",
    "video/webm": "webm",
}


def file_name(media_type: str) -> str:
    """As recording.mp3; the word behind the slash for a media type that is not known here."""
    kind = media_type.partition(";")[0].strip().lower()
    return f"recording.{_ENDINGS.get(kind) or kind.rpartition('/')[2] or 'bin'}"
