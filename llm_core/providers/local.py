"""A model on this machine: llama.cpp inside this process, asked in OpenAI's Chat Completions format over loopback.

The model's file is fetched and its server started by the first call, or ahead of it by `ensure_model`. The server's own
clock comes with every answer, in `Answer.server_timings`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..errors import FetchStopped, InvalidConnection, InvalidInput, InvalidMessage, TimedOut, UnknownModel
from ..types import LLMModel, LLMProvider, Text, TokenCount, ToolCall, ToolResult, Usage
from . import counting, estimate
from .counting import Counting
from .drafts import PLACEHOLDER_KEY, Draft
from .gguf import read_header
from .llama_server import LlamaServer, ModelToServe, borrow, give_back, running
from .model_files import ensure_model, find_model, source_of
from .openai import OpenAIAdapter
from .openai_chat import ChatCompletions
from .protocol import Answer, ChatRequest, Deadline, Piece
from .registry import find

NOT_RUNNING = "http://127.0.0.1/v1"
"""In drafts, the address of a model that has no port yet."""
USUAL_CONTEXT = 4096
"""Tokens of prompt and answer together, where the connection names no context: SmolLM2 then takes 330 MB of memory."""

_READABLE = (Text, ToolCall, ToolResult)
_ONE_CALL_EACH = {"headers": {"Connection": "close"}}
"""The server closes a connection after a stream although it promised to keep it: a call that took it again broke."""


def connect(connection: LLMProvider, key: str | None) -> LocalAdapter:
    """Looks at the options only; nothing is fetched or started. Raises InvalidConnection."""
    return LocalAdapter(connection)


class LocalAdapter:
    """One model file, by whichever way it comes to this machine. Needs no key."""

    def __init__(self, connection: LLMProvider) -> None:
        self.capabilities = find("local").capabilities
        self._connection = connection
        self._source = source_of(connection.options)
        self._lock = threading.Lock()
        self._engine: _Engine | None = None

    def complete(self, request: ChatRequest, into: Answer) -> None:
        with self._running(request) as chat:
            chat.complete(request, into)

    def stream(self, request: ChatRequest, into: Answer) -> Generator[Piece, None, None]:
        with self._running(request) as chat, closing(chat.stream(request, into)) as pieces:
            yield from pieces

    async def acomplete(self, request: ChatRequest, into: Answer) -> None:
        async with self._arunning(request) as chat:
            await chat.acomplete(request, into)

    async def astream(self, request: ChatRequest, into: Answer) -> AsyncGenerator[Piece, None]:
        async with self._arunning(request) as chat, aclosing(chat.astream(request, into)) as pieces:
            async for piece in pieces:
                yield piece

    def draft(self, request: ChatRequest, stream: bool = False) -> Draft:
        """As the server in this process gets it. Starts nothing: before it runs, its port is not known."""
        self._require_possible(request)
        server = self._server_at_hand()
        chat = self._chat(server.base_url if server is not None else NOT_RUNNING, PLACEHOLDER_KEY)
        return chat.draft(request, stream)

    def body(self, request: ChatRequest, stream: bool = False) -> tuple[str, dict[str, Any]]:
        form = _LlamaChat(self.capabilities.parameters)
        return form.path, form.body(request, stream)

    def count_tokens(self, request: ChatRequest) -> TokenCount | None:
        """By the model's own tokeniser. Starts the model when it does not run."""
        with self._running(request) as chat:
            return chat.count_tokens(request)

    def tokens_at_hand(self, request: ChatRequest) -> TokenCount | None:
        server = self._server_at_hand()
        if server is None:
            return None
        chat = self._chat(server.base_url, server.key)
        server.begin_call()
        try:
            return chat.count_tokens(request)
        finally:
            chat.close()
            server.end_call()

    def list_models(self, deadline: Deadline) -> list[LLMModel]:
        """The one model, `available` once its file is here. Fetches and starts nothing. Raises ModelFileError."""
        path = find_model(self._connection.options)
        if path is None and self._source.path is not None:
            read_header(self._source.path)  # says what is wrong with it
        trained = None if path is None else read_header(path).context_length
        wanted = self._source.context or USUAL_CONTEXT
        model = LLMModel(
            connection=self._connection.name,
            provider="local",
            name=self._source.model,
            display_name=self._source.label,
            context_window=min(wanted, trained or wanted),
            input_price=Decimal(0),
            output_price=Decimal(0),
            price_source="local",
            capabilities=frozenset({"chat", "schema"}),  # llama.cpp holds any model to a schema, by its grammar
            modalities=frozenset({"text"}),
            available=path is not None,
            checked_at=datetime.now(UTC),
        )
        return [model]

    def estimate_usage(self, request: ChatRequest, answer: Answer) -> Usage | None:
        """The server's own count at the last token that arrived; before the first one, a guess at the prompt."""
        if not answer.sent:
            return None
        return _usage_at(answer.server_timings or {}) or Usage(input_tokens=estimate.prompt_tokens(request))

    def close(self) -> None:
        """Stops the model unless another connection uses it; calls under way end first."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None and engine.pid == os.getpid():
            engine.chat.close()
            give_back(engine.server)

    @contextmanager
    def _running(self, request: ChatRequest) -> Iterator[_LlamaAdapter]:
        self._require_possible(request)
        engine = self._begin_call(request)
        try:
            yield engine.chat
        finally:
            engine.server.end_call()

    @asynccontextmanager
    async def _arunning(self, request: ChatRequest) -> AsyncIterator[_LlamaAdapter]:
        """Fetching and starting happen in a thread, so that the loop goes on."""
        self._require_possible(request)
        await asyncio.to_thread(self._start, request.deadline)
        with self._running(request) as chat:
            yield chat

    def _require_possible(self, request: ChatRequest) -> None:
        """The server takes some of these without a word, and fails at others as if it were broken."""
        if not request.messages:
            raise InvalidMessage("There is no message to answer.", "Give at least one.")
        if not all(isinstance(part, _READABLE) for message in request.messages for part in message.parts):
            raise InvalidMessage("A local model reads text only.", "Leave out images, audio and files.")
        if request.model != self._source.model:
            raise UnknownModel(
                f"The connection {self._connection.name} has no model {request.model!r}.",
                f"It has {self._connection.name}:{self._source.model}.",
            )

    def _begin_call(self, request: ChatRequest) -> _Engine:
        while True:
            self._start(request.deadline)
            with self._lock:
                engine = self._engine
                if engine is None:
                    continue  # it was closed just now
                if request.tools and not engine.server.knows_tools:
                    raise InvalidInput(f"{request.model} knows no tools.", "Choose another model, or leave them out.")
                engine.server.begin_call()
                return engine

    def _start(self, deadline: Deadline) -> None:
        """Make sure that the model runs in this process."""
        if self._is_running():
            return
        path = self._fetched(deadline)
        with self._lock:
            if not self._is_running():
                server = borrow(ModelToServe(path, self._source.model, self._context(path)))
                self._engine = _Engine(server, self._chat(server.base_url, server.key), os.getpid())

    def _chat(self, base_url: str, key: str) -> _LlamaAdapter:
        served = dataclasses.replace(self._connection, base_url=base_url, options=_ONE_CALL_EACH)
        form = _LlamaChat(self.capabilities.parameters)
        return _LlamaAdapter(served, key, capabilities=self.capabilities, usual=form)

    def _server_at_hand(self) -> LlamaServer | None:
        """The model's server, where it runs in this process for whomever."""
        path = find_model(self._connection.options)
        return None if path is None else running(ModelToServe(path, self._source.model, self._context(path)))

    def _is_running(self) -> bool:
        """Not in a child that was forked since: the engine stayed with the parent."""
        engine = self._engine
        return engine is not None and engine.pid == os.getpid()

    def _fetched(self, deadline: Deadline) -> Path:
        try:
            return ensure_model(self._connection.options, stop=lambda: deadline.passed)
        except FetchStopped:
            raise TimedOut(
                "The time of the call ended while its model was fetched.",
                "Fetch the model ahead of calls, on the Providers page, or allow more time.",
                provider="local",
                connection=self._connection.name,
            ) from None

    def _context(self, path: Path) -> int:
        trained = read_header(path).context_length
        if self._source.context is None:
            return min(USUAL_CONTEXT, trained or USUAL_CONTEXT)
        if trained is not None and self._source.context > trained:
            raise InvalidConnection(
                f"{self._source.model} was made for a context of {trained} tokens, not {self._source.context}.",
                f"Set the connection's context to {trained} or less.",
            )
        return self._source.context


@dataclass(frozen=True, slots=True)
class _Engine:
    """A server that this adapter has borrowed, the way to talk to it, and the process it runs in."""

    server: LlamaServer
    chat: _LlamaAdapter
    pid: int


class _LlamaAdapter(OpenAIAdapter):
    def _counting(self, request: ChatRequest) -> Counting:
        return counting.llama(self._form.body(request, stream=False))


class _LlamaChat(ChatCompletions):
    """Chat Completions as llama.cpp takes it."""

    def __init__(self, parameters: frozenset[str]) -> None:
        super().__init__(parameters, max_tokens_name="max_tokens", renamed={"repetition_penalty": "repeat_penalty"})

    def body(self, request: ChatRequest, stream: bool) -> dict[str, Any]:
        """With the server's counts on every piece, so that the usage of a stopped answer is known."""
        return super().body(request, stream) | ({"timings_per_token": True} if stream else {})


def _usage_at(timings: Mapping[str, float]) -> Usage | None:
    try:
        cached, read, written = (int(timings[name]) for name in ("cache_n", "prompt_n", "predicted_n"))
    except KeyError:
        return None
    return Usage(input_tokens=cached + read, cache_read_tokens=cached, output_tokens=written)
