"""Which kind of work a model does. A name that says it is believed before sources, as those often say only `chat`."""

from __future__ import annotations

import re
from collections.abc import Set

_BY_NAME = (
    ("embeddings", re.compile(r"embed")),
    ("transcription", re.compile(r"whisper|transcribe")),
    ("realtime", re.compile(r"realtime|\blive\b|native-audio|streaming")),
    ("speech", re.compile(r"\btts\b")),
    ("image_generation", re.compile(r"dall-e|\bimage\b|imagen|nano-banana")),
    ("video_generation", re.compile(r"\bveo\b|\bsora\b|omni-(?:[\d.]+-)?flash")),
    ("moderation", re.compile(r"moderation")),
    ("rerank", re.compile(r"rerank")),
)
KINDS = frozenset({"chat", *(kind for kind, _ in _BY_NAME)})
MODALITIES_OF = {
    "transcription": (["audio"], ["text"]),
    "speech": (["text"], ["audio"]),
    "image_generation": (["text"], ["image"]),
    "video_generation": (["text"], ["video"]),
}
"""What such a model takes at least, and what it gives."""
_NEITHER = re.compile(
    r"(?:text-)?(?:ada|babbage|curie|davinci)(?:-\d{3})?|gpt-3\.5.*-instruct.*|computer-use|parse-.*|lyria.*"
)
"""Completes text without a chat, reads documents, or makes music: there is no word for it."""
_CHATS = ("gpt-", "o1", "o3", "o4", "chatgpt-", "codex-", "claude-", "gemini-", "gemma-", "command", "c4ai-")
"""How the names of the vendors' chat models begin."""


def kinds_of(provider: str, name: str, said: Set[str], gives_text: bool) -> list[str]:
    """The words for `name`, of which sources have `said` so much; none where there is no word or nothing is known."""
    plain = name.lower()
    if named := [kind for kind, pattern in _BY_NAME if pattern.search(plain)]:
        return named
    if _NEITHER.fullmatch(plain):
        return []
    if told := sorted(said & KINDS):
        return told
    return ["chat"] if gives_text or provider in ("anthropic", "huggingface") or plain.startswith(_CHATS) else []
