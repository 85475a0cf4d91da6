"""Transcription by Gemini, which has no endpoint for it: a model that hears is asked to write down what it hears."""

from __future__ import annotations

from ..types import Audio, Message, Parameters, Text
from .protocol import ChatRequest, TranscribeRequest

INSTRUCTION = (
    "Write down word for word what is said in this recording, in the language in which it is said. Do not translate, "
    "correct, shorten or describe anything. Answer with the transcript alone; with nothing if nobody speaks."
)


def as_chat(request: TranscribeRequest) -> ChatRequest:
    asked = INSTRUCTION
    if request.language is not None:
        asked += f" The language is {request.language}."
    if request.prompt is not None:
        asked += f" These words may come up, or stand before it: {request.prompt}"
    recording = Audio(request.data, request.media_type)
    return ChatRequest(request.model, (Message("user", [recording, Text(asked)]),), Parameters(), request.deadline)
