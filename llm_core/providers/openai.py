"""OpenAI through its SDK: the Responses API, or Chat Completions where the connection or the request asks for it.

The SDK makes the request (address, key, headers) and raises on an error status. Bodies and answers are plain JSON here:
an answer is parsed once, and every field a vendor adds is kept. The SDK's own retries are off.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import InvalidConnection, InvalidInput, ModelNotFound, NoModelList, PermissionRefused, RequestRefused
from ..types import Audio, LLMModel, LLMProvider, Usage
from . import estimate, http, openai_models
from .clients import Clients
from .failures import Failing, Source, named
from .openai_chat import ChatCompletions
from .openai_client import OPTIONS as SDK_OPTIONS
from .openai_client import checked_options, new_async_client, new_client
from .openai_responses import PARAMETERS as RESPONSES_PARAMETERS
from .openai_responses import Responses
from .protocol import Answer, Capabilities, ChatRequest, Deadline, Piece
from .registry import find
from .sse import parse_json
from .streams import Arriving, Format

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

OPTIONS = SDK_OPTIONS | {"api", "store"}
"""`api`: "chat" or "responses"; without it a request takes the Responses API unless only Chat Completions can carry it.
`store`: let OpenAI keep the answers of the Responses API, false unless said."""


def connect(connection: LLMProvider, key: str | None) -> OpenAIAdapter:
    """Raises InvalidConnection for options that cannot be."""
    options = checked_options(connection, OPTIONS)
    api = options.get("api")
    if api not in (None, "chat", "responses"):
        raise InvalidConnection(f"The option api cannot be {api!r}.", 'Use "chat" or "responses", or leave it out.')
    capabilities = find(connection.provider).capabilities
    chat = ChatCompletions(capabilities.parameters)
    return OpenAIAdapter(
        connection,
        key,
        capabilities=capabilities,
        usual=chat if api == "chat" else Responses(store=options.get("store", False) is True),
        fallback=chat if api is None else None,
    )


class OpenAIAdapter:
    """One connection through the OpenAI SDK. `usual` carries requests; `fallback` those `usual` has no place for."""

    def __init__(
        self,
        connection: LLMProvider,
        key: str | None,
        *,
        capabilities: Capabilities,
        usual: Format,
        fallback: Format | None = None,
    ) -> None:
        row = find(connection.provider)
        base_url = connection.base_url or row.base_url or ""
        self.capabilities = capabilities
        self._connection = connection
        self._usual = usual
        self._fallback = fallback
        self._source = Source(connection, row, lambda: key)
        self._clients: Clients[OpenAI, AsyncOpenAI] = Clients(
            lambda: new_client(connection, base_url, key),
            lambda client: client.close(),
            lambda: new_async_client(connection, base_url, key),
            lambda client: client.close(),
        )
        http.quiet_libraries()

    def complete(self, request: ChatRequest, into: Answer) -> None:
        form = self._format_for(request)
        post = _post(form, request, stream=False)
        failing = Failing(self._source, into)
        with failing, self._clients.use() as client:
            into.sent = True
            response = client.post(form.path, **post)
            into.request_id = self._source.request_id(response.headers)
            form.read(parse_json(response.content), into)
        failing.check()

    async def acomplete(self, request: ChatRequest, into: Answer) -> None:
        form = self._format_for(request)
        post = _post(form, request, stream=False)
        failing = Failing(self._source, into)
        with failing:
            async with self._clients.ause() as client:
                into.sent = True
                response = await client.post(form.path, **post)
                into.request_id = self._source.request_id(response.headers)
                form.read(parse_json(response.content), into)
        failing.check()

    def stream(self, request: ChatRequest, into: Answer) -> Generator[Piece, None, None]:
        form = self._format_for(request)
        post = _post(form, request, stream=True)
        failing = Failing(self._source, into)
        with failing, self._clients.use() as client:
            into.sent = True
            response = client.post(form.path, **post, stream_cls=_stream_classes()[0])
            try:
                into.request_id = self._source.request_id(response.headers)
                arriving = Arriving(form, into, response.headers, post["options"]["timeout"])
                yield from arriving.pieces(response.iter_bytes())
            finally:
                response.close()
        failing.check()

    async def astream(self, request: ChatRequest, into: Answer) -> AsyncGenerator[Piece, None]:
        form = self._format_for(request)
        post = _post(form, request, stream=True)
        failing = Failing(self._source, into)
        with failing:
            async with self._clients.ause() as client:
                into.sent = True
                response = await client.post(form.path, **post, stream_cls=_stream_classes()[1])
                try:
                    into.request_id = self._source.request_id(response.headers)
                    arriving = Arriving(form, into, response.headers, post["options"]["timeout"])
                    async with aclosing(arriving.apieces(response.aiter_bytes())) as pieces:
                        async for piece in pieces:
                            yield piece
                finally:
                    await response.aclose()
        failing.check()

    def list_models(self, deadline: Deadline) -> list[LLMModel]:
        """By name. Raises NoModelList where the endpoint or the key has no list, but calls are taken."""
        models: list[LLMModel] = []
        failing = Failing(self._source)
        with failing, self._clients.use() as client:
            timeout = http.timeout(deadline)
            response = client.get(openai_models.PATH, cast_to=_response_class(), options={"timeout": timeout})
            models = openai_models.read_models(parse_json(response.content), self._connection)
        if isinstance(failing.failure, (ModelNotFound, PermissionRefused)) and self._takes_calls(deadline):
            raise named(NoModelList, self._source)
        failing.check()
        return models

    def estimate_usage(self, request: ChatRequest, answer: Answer) -> Usage | None:
        return estimate.estimate_usage(request, answer)

    def close(self) -> None:
        self._clients.close()

    def _format_for(self, request: ChatRequest) -> Format:
        if self._fallback is None:
            return self._usual
        beyond = not RESPONSES_PARAMETERS.issuperset(request.parameters.given())
        audio = any(isinstance(part, Audio) for message in request.messages for part in message.parts)
        return self._fallback if beyond or audio else self._usual

    def _takes_calls(self, deadline: Deadline) -> bool:
        """Whether a call that asks for nothing is refused for just that: then key and address are right, at no cost."""
        failing = Failing(self._source)
        with failing, self._clients.use() as client:
            timeout = http.timeout(deadline)
            client.post(self._usual.path, cast_to=_response_class(), content=b"{}", options={"timeout": timeout})
        return isinstance(failing.failure, RequestRefused)


def _post(form: Format, request: ChatRequest, stream: bool) -> dict[str, Any]:
    """The SDK's arguments for one request. Raises InvalidInput for what JSON cannot hold."""
    import orjson

    try:
        content = orjson.dumps(form.body(request, stream), default=_plain)
    except TypeError as error:
        raise InvalidInput(f"The request cannot be written as JSON: {error}.") from None
    return {
        "cast_to": _response_class(),
        "content": content,
        "options": {"timeout": http.timeout(request.deadline)},
        "stream": stream,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")


@cache
def _response_class() -> Any:
    """Asked for this, the SDK hands the answer over as it came."""
    import httpx2

    return httpx2.Response


@cache
def _stream_classes() -> tuple[Any, Any]:
    """What the SDK wants named for a stream, though it makes none when asked for the response: sync and async."""
    import openai

    return openai.Stream[object], openai.AsyncStream[object]
