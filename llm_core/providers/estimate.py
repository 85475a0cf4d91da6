"""How many tokens a call may have used, for answers that ended before the provider said: a stop, a broken wire, or an
endpoint that never says.

The rule: a token for every four bytes of UTF-8, roughly what current tokenizers make of prose, code and most scripts; 4
more for each message (its role and borders); an image 765 (OpenAI's figure for 1024 x 1024 pixels); a second of audio
10, at the 32 kB of 16 kHz WAV. Files count as text of their size when they are text, else not at all. What the answer
brought is counted the same way, reasoning included. It is a guess, and records say so.
"""

from __future__ import annotations

import json

from ..types import Audio, File, Image, Message, Text, ToolCall, ToolResult, Usage
from .protocol import Answer, ChatRequest, EmbedRequest, TranscribeRequest

USUAL_ANSWER = 500
"""Tokens expected of an answer whose length nobody limited."""
BYTES_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4
TOKENS_PER_IMAGE = 765
AUDIO_BYTES_PER_TOKEN = 3200


def estimate_usage(request: ChatRequest, answer: Answer) -> Usage | None:
    """None where the request did not get out, or nothing of an answer came: then nobody knows what was billed."""
    if not answer.sent:
        return None
    if not (answer.text or answer.reasoning or answer.tool_calls or answer.model_reported):
        return None
    reasoning = tokens(answer.reasoning)
    calls = sum(tokens(call.name) + tokens(call.arguments) for call in answer.tool_calls)
    others = sum(tokens(text) for text in answer.alternatives)
    audio = sum(_audio(part) for message in request.messages for part in message.parts if isinstance(part, Audio))
    return Usage(
        input_tokens=prompt_tokens(request),
        input_audio_tokens=audio,
        output_tokens=tokens(answer.text) + reasoning + calls + others,
        reasoning_tokens=reasoning,
    )


def expected_tokens(request: ChatRequest | EmbedRequest | TranscribeRequest) -> int:
    """What a call may use in all, before it is sent. Audio is not counted: vendors limit it by other measures."""
    if isinstance(request, ChatRequest):
        answers = request.parameters.n or 1
        return prompt_tokens(request) + answers * (request.parameters.max_tokens or USUAL_ANSWER)
    return sum(tokens(text) for text in request.texts) if isinstance(request, EmbedRequest) else 0


def prompt_tokens(request: ChatRequest) -> int:
    """What is sent: messages, system text, tools and schema."""
    extras = [json.dumps(dict(tool), ensure_ascii=False) for tool in request.tools]
    if request.schema is not None:
        extras.append(json.dumps(request.schema, ensure_ascii=False, default=str))
    if request.parameters.system:
        extras.append(request.parameters.system)
    return sum(_message(message) for message in request.messages) + sum(tokens(text) for text in extras)


def tokens(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def _message(message: Message) -> int:
    total = TOKENS_PER_MESSAGE
    for part in message.parts:
        match part:
            case Text():
                total += tokens(part.text)
            case Image():
                total += TOKENS_PER_IMAGE
            case Audio():
                total += _audio(part)
            case File():
                is_text = part.media_type.startswith("text/") or part.media_type == "application/json"
                total += len(part.data) // BYTES_PER_TOKEN if is_text else 0
            case ToolCall():
                total += tokens(part.name) + tokens(part.arguments)
            case ToolResult():
                total += tokens(part.content)
    return total


def _audio(part: Audio) -> int:
    return -(-len(part.data) // AUDIO_BYTES_PER_TOKEN)
