"""What tests that hold for every vendor alike need to know of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import anthropic_messages, cohere_chat, google_generate, openai_chat
from .replies import Raw, Say, failing


@dataclass(frozen=True)
class Vendor:
    form: Any
    """What the replay server speaks for it when a stream is asked for."""
    ends: str
    """Is in the event that ends the answer itself."""
    counts: str
    """Is in the event with the last counts."""
    after: int = 0
    """How many events may come after the end that are of no interest."""
    calls: str = ""
    """Where a call is sent to, where that is not PATH."""
    models: str = "/v1/models"
    request_id: str | None = "req_wire"
    """What an answer of the replay server is named."""
    key: Callable[[str], dict[str, str]] = lambda key: {"authorization": f"Bearer {key}"}
    """The header that carries the key."""

    @property
    def path(self) -> str:
        return self.calls or str(self.form.PATH)

    @property
    def id_header(self) -> str:
        return getattr(self.form, "REQUEST_ID", "x-request-id")

    def events(self, say: Say) -> list[str]:
        made: list[str] = self.form.events(say, {"model": "m", "stream_options": {"include_usage": True}})
        return made

    def failing(self, status: int, message: str, **named: Any) -> Raw:
        made: Raw = getattr(self.form, "failing", failing)(status, message, **named)
        return made


VENDORS = {
    "anthropic": Vendor(anthropic_messages, ends="message_delta", counts="message_delta"),
    "cohere": Vendor(cohere_chat, ends="message-end", counts="message-end", after=1),
    "google": Vendor(
        google_generate.stream,
        ends="finishReason",
        counts="finishReason",
        calls="/v1beta/models/gemini-flash-latest:generateContent",
        models="/v1beta/models",
        request_id="resp_wire",
        key=lambda key: {"x-goog-api-key": key},
    ),
    "huggingface": Vendor(openai_chat, ends='"finish_reason":"', counts='"usage":{'),
}
