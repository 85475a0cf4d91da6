"""Chat Completions as Hugging Face's router takes and answers them. No I/O."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidMessage
from ..types import Audio, File
from .openai_chat import ChatCompletions, ChatReader
from .protocol import Answer, ChatRequest, Piece
from .thinking_text import ThinkingText, told_apart

POLICIES = ("fastest", "cheapest", "preferred")
"""Behind the colon of a model's name these let the router choose; any other word there is the provider's name."""


class RoutedChat(ChatCompletions):
    """Calls of one model. `split_thinking` takes what a model thinks out of its text, into `reasoning`."""

    def __init__(self, parameters: frozenset[str], *, model: str = "", split_thinking: bool = True) -> None:
        super().__init__(parameters, max_tokens_name="max_tokens")
        self._model = model
        self._split_thinking = split_thinking

    def body(self, request: ChatRequest, stream: bool) -> dict[str, Any]:
        for part in (part for message in request.messages for part in message.parts):
            if isinstance(part, (Audio, File)):
                kind = type(part).__name__.lower()
                raise InvalidMessage(f"Hugging Face's chat API takes no {kind}.", "Give text or images.")
        return super().body(request, stream)

    def read(self, data: Any, into: Answer) -> None:
        super().read(data, into)
        self.name_route(into)
        if self._split_thinking:
            into.text, thought = told_apart(into.text)
            into.reasoning += thought
            into.alternatives = [told_apart(text)[0] for text in into.alternatives]

    def reader(self, into: Answer) -> RoutedReader:
        return RoutedReader(self, into, ThinkingText() if self._split_thinking else None)

    def name_route(self, into: Answer) -> None:
        """Where the router chose the provider, the model with it, since that has a price: model:provider."""
        name, _, named = self._model.partition(":")
        if into.route and named in ("", *POLICIES):
            into.model_reported = f"{name}:{into.route}"


class RoutedReader(ChatReader):
    """Reads a stream chunk by chunk into the answer."""

    def __init__(self, form: RoutedChat, into: Answer, thinking: ThinkingText | None) -> None:
        super().__init__(into)
        self._form = form
        self._thinking = thinking
        self._text = self._reasoning = ""

    def read(self, event: Any) -> Piece | None:
        piece = super().read(event)
        if event is not None:
            self._form.name_route(self._into)
        if self._thinking is None:
            return piece
        said, thought = self._thinking.end() if event is None else self._thinking.feed(piece.text if piece else "")
        return self._give(said, (piece.reasoning if piece else "") + thought)

    def end(self) -> None:
        if self._thinking is not None:
            self._give(*self._thinking.end())
            self._into.alternatives = [told_apart(text)[0] for text in self._into.alternatives]
        super().end()

    def _give(self, said: str, thought: str) -> Piece | None:
        """In place of what was read into the answer as one text."""
        self._text += said
        self._reasoning += thought
        self._into.text, self._into.reasoning = self._text, self._reasoning
        return Piece(said, thought) if said or thought else None
