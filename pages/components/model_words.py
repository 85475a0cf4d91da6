"""What states, capabilities and kinds of input are called on pages, with the colour and icon that a state has."""

from __future__ import annotations

from typing import NamedTuple

from llm_core import LLMModel


class State(NamedTuple):
    word: str
    colour: str
    icon: str
    meaning: str


STATES: dict[str, State] = {
    "available": State("Available", "green", ":material/check_circle:", "Its connection offered it when last asked."),
    "deprecated": State("Ending", "orange", ":material/event:", "Still offered, but its end is announced."),
    "not_on_key": State(
        "Not on this key", "orange", ":material/key_off:", "Known, but the connection does not list it."
    ),
    "unreachable": State(
        "Unreachable", "red", ":material/cloud_off:", "The connection did not answer when last asked for its models."
    ),
    "shut_down": State("Shut down", "red", ":material/block:", "Its end has passed."),
    "unknown": State("Not checked", "gray", ":material/help:", "Its connection was never asked for its models."),
}

CAN: dict[str, str] = {
    "chat": "Chat",
    "tools": "Tools",
    "schema": "Structured output",
    "reasoning": "Reasoning",
    "images": "Vision",
    "audio": "Audio",
    "files": "Files",
    "search": "Web search",
    "caching": "Caching",
    "batch": "Batch",
    "transcription": "Transcription",
    "speech": "Speech",
    "embeddings": "Embeddings",
    "rerank": "Rerank",
    "image_generation": "Image generation",
    "video_generation": "Video generation",
    "realtime": "Realtime",
    "moderation": "Moderation",
}
"""Words of CAPABILITIES, the most asked for first."""

CLASSES: dict[str, str] = {
    "input_tokens": "Prompt",
    "output_tokens": "Answer",
    "cache_read_tokens": "Cache read",
    "cache_write_tokens": "Cache write (5 min)",
    "cache_write_1h_tokens": "Cache write (1 h)",
    "reasoning_tokens": "Reasoning",
    "input_audio_tokens": "Audio in",
    "cache_read_audio_tokens": "Cached audio",
    "output_audio_tokens": "Audio out",
    "audio_seconds": "Audio",
    "images": "Image",
    "searches": "Web search",
    "requests": "Request",
}
"""What is priced, the main two first."""


TOKENS = "million tokens"
"""The unit of every price for tokens."""


def title(model: LLMModel) -> str:
    return model.display_name or model.name


def per(unit: str) -> str:
    """A unit of the price list, short: "per M" is how all but a few are told."""
    return "per M" if unit == TOKENS else f"per {unit}"
