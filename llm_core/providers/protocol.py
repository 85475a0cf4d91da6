"""What the call path asks of a provider, and what it hands over: the only interface between `service.py` and adapters.

An adapter turns one ChatRequest into one request on the wire. It does not retry, price or record. While the answer
comes it fills the `Answer` that it was given, so that one that ends early (a stop, a broken wire) keeps what was known.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..types import LLMModel, LLMProvider, Message, Parameters, TokenCount, ToolCall, Usage
from .drafts import Draft


class Stopped(BaseException):
    """The caller stopped the call. As GeneratorExit, it is no failure."""


class Deadline:
    """The moment a whole call must be over, on the monotonic clock. `stop` makes it now, from any thread."""

    __slots__ = ("_stopping", "at", "interrupt")

    def __init__(self, seconds: float | None) -> None:
        self.at = None if seconds is None else time.monotonic() + seconds
        self._stopping = threading.Event()
        self.interrupt: Callable[[], None] | None = None
        """Set by whoever waits on a socket under this deadline, while it waits: ends that wait."""

    def stop(self) -> None:
        """The caller no longer wants the answer: what waits for it stops waiting."""
        self._stopping.set()
        self.at = time.monotonic()
        interrupt = self.interrupt
        if interrupt is not None:
            interrupt()

    def left(self) -> float | None:
        """Seconds left, never negative; None without a deadline."""
        return None if self.at is None else max(0.0, self.at - time.monotonic())

    def wait(self, seconds: float) -> bool:
        """Wait that long, or until `stop`; True when it was stopped."""
        return self._stopping.wait(seconds)

    @property
    def stopped(self) -> bool:
        return self._stopping.is_set()

    @property
    def passed(self) -> bool:
        return self.at is not None and time.monotonic() >= self.at


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request. `model` is the provider's own name, `tools` have OpenAI's function shape, `schema` JSON Schema."""

    model: str
    messages: tuple[Message, ...]
    parameters: Parameters
    deadline: Deadline
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Texts to turn into vectors, at most `Capabilities.texts_at_once` of them."""

    model: str
    texts: tuple[str, ...]
    deadline: Deadline
    purpose: str | None = None
    """What for: document, query, classification or clustering. Vendors without the difference ignore it."""
    dimensions: int | None = None
    """Length of each vector, where the model lets one choose."""


@dataclass(frozen=True, slots=True)
class TranscribeRequest:
    """One recording to turn into text."""

    model: str
    data: bytes = field(repr=False)
    media_type: str
    deadline: Deadline
    language: str | None = None
    """ISO 639-1, as "en"; None lets the model find out, where it can."""
    prompt: str | None = None
    """Words that may come up: names, terms, the text before."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a stream gives out as it comes."""

    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """Usage of a further model that one answer used; recorded as part 1, 2 ..."""

    model: str
    usage: Usage
    raw: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Answer:
    """Filled by the adapter while the answer comes. `usage` stays None until the provider reports it."""

    text: str = ""
    reasoning: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)
    """Texts of the second and further choices, where n asked for them."""
    logprobs: list[Mapping[str, Any]] | None = None
    """One entry for each token, as the provider writes it, where asked for."""
    finish: str | None = None
    """stop, length, tool_calls, content_filter or error."""
    usage: Usage | None = None
    raw_usage: Mapping[str, Any] | None = None
    further: list[ModelUsage] = field(default_factory=list)
    model_reported: str | None = None
    route: str | None = None
    """Who ran the model, where a router chose among several providers."""
    request_id: str | None = None
    mode: str | None = None
    """The service tier the provider says it used, as one of MODES; None where it does not say."""
    sent: bool = False
    """True from the moment the request may have reached the provider, and may be billed."""
    vectors: list[list[float]] = field(default_factory=list)
    """One for each text of an EmbedRequest, in its order."""
    segments: list[Mapping[str, Any]] = field(default_factory=list)
    """Parts of a transcript as the provider writes them (start, end, text, speaker ...), where it gives them."""
    language: str | None = None
    """The language of a transcript, as the provider names it."""
    server_timings: Mapping[str, float] | None = None
    """The server's own milliseconds where it gives them (llama.cpp: prompt_ms, predicted_ms)."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider's adapter can do, declared once and read by pages, validation and tests."""

    chat: bool = True
    stream: bool = True
    tools: bool = False
    schema: bool = False
    images: bool = False
    files: bool = False
    audio_input: bool = False
    embeddings: bool = False
    texts_at_once: int | None = None
    """How many texts one EmbedRequest may hold."""
    transcription: bool = False
    lists_models: bool = True
    needs_key: bool = True
    needs_base_url: bool = False
    parameters: frozenset[str] = frozenset()
    """Names of Parameters fields this adapter can put on the wire."""


class Adapter(Protocol):
    """One connection's way to its provider. Safe to use from many threads; closed once, when replaced.

    Every method raises only `llm_core.errors`, and closes its response on GeneratorExit.
    """

    capabilities: Capabilities

    def complete(self, request: ChatRequest, into: Answer) -> None: ...

    def stream(self, request: ChatRequest, into: Answer) -> Generator[Piece, None, None]: ...

    async def acomplete(self, request: ChatRequest, into: Answer) -> None: ...

    def astream(self, request: ChatRequest, into: Answer) -> AsyncGenerator[Piece, None]: ...

    def list_models(self, deadline: Deadline) -> list[LLMModel]: ...

    def draft(self, request: ChatRequest, stream: bool = False) -> Draft:
        """The request that `complete` or `stream` would send; nothing is sent. Raises InvalidInput."""
        ...

    def body(self, request: ChatRequest, stream: bool = False) -> tuple[str, dict[str, Any]]:
        """Path and content of it, before the SDK: cheap, and not yet known to be JSON. Raises InvalidInput."""
        ...

    def count_tokens(self, request: ChatRequest) -> TokenCount | None:
        """The prompt's tokens by who counts them exactly; None where nobody does. Raises ProviderError."""
        ...

    def tokens_at_hand(self, request: ChatRequest) -> TokenCount | None:
        """As `count_tokens`, where that needs no call and starts nothing."""
        ...

    def estimate_usage(self, request: ChatRequest, answer: Answer) -> Usage | None:
        """Usage of an answer that ended without one; None where nothing may have been billed."""
        ...

    def close(self) -> None: ...


class Embedder(Protocol):
    """An adapter whose capabilities say `embeddings`. It fills `vectors` and the usage of the answer."""

    def embed(self, request: EmbedRequest, into: Answer) -> None: ...

    async def aembed(self, request: EmbedRequest, into: Answer) -> None: ...


class Transcriber(Protocol):
    """An adapter whose capabilities say `transcription`. It fills `text`, `segments` and the usage of the answer."""

    def transcribe(self, request: TranscribeRequest, into: Answer) -> None: ...

    async def atranscribe(self, request: TranscribeRequest, into: Answer) -> None: ...


class AdapterFactory(Protocol):
    """The signature of each provider module's `connect` function, named in `registry.py`.

    `key` gives the secret at the moment of use, so that no adapter keeps it longer than its client does.
    """

    def __call__(self, connection: LLMProvider, key: str | None) -> Adapter: ...
