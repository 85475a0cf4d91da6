"""Which models can do which task, from what the provider says of them, else from what their name gives away."""

from __future__ import annotations

import re

from ..types import LLMModel

_NOT_A_CHAT_MODEL = re.compile(
    r"embed|whisper|transcribe|\btts\b|dall-e|gpt-image|imagen|\bveo\b|sora|moderation|rerank|realtime|\blive\b|"
    r"\baqa\b|babbage-002|davinci-002|\bimage\b",
    re.IGNORECASE,
)
_TRANSCRIBES = re.compile(r"whisper|transcribe|speech-to-text", re.IGNORECASE)


def can_do(model: LLMModel, task: str) -> bool:
    """Whether `model` is worth offering for `task`. A model that nothing is known of is offered for all chat tasks."""
    if task == "transcribe":
        if model.capabilities:
            return "transcription" in model.capabilities
        return _TRANSCRIBES.search(model.name) is not None
    if model.capabilities:
        return "chat" in model.capabilities
    return _NOT_A_CHAT_MODEL.search(model.name) is None
