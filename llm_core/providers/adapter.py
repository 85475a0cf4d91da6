"""The adapter that vendors' SDKs share: sends one request, fills the answer while it comes, turns failures into ours.

What differs between vendors is handed to it: the SDK (`sending.py`), the wire format (`streams.py`) and the list of
models. The SDK makes the request (address, key, headers) and raises on an error status. Bodies and answers are plain
JSON here: an answer is parsed once, and every field a vendor adds is kept. The SDK's own retries are off.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

from ..errors import InvalidInput, ModelNotFound, NoModelList, PermissionRefused, RequestRefused
from ..types import LLMModel, LLMProvider, TokenCount, Usage
from . import estimate, http
from .clients import Clients
from .counting import Counting
from .drafts import Draft
from .failures import Failing, Source, named
from .protocol import Answer, Capabilities, ChatRequest, Deadline, Piece
from .registry import find
from .sending import SDK, Outgoing, Upload
from .sse import parse_json
from .streams import Arriving, Format

S = TypeVar("S")
A = TypeVar("A")


class ModelList(Protocol):
    """How a vendor lists its models, page by page."""

    path: str

    def read(self, data: Any, connection: LLMProvider) -> tuple[list[LLMModel], str | None]:
        """One page's models, and the path of the next page. Raises ValueError and the like for what is no list."""
        ...


class SDKAdapter(Generic[S, A]):
    """One connection through one SDK."""

    def __init__(
        self,
        connection: LLMProvider,
        key: str | None,
        *,
        sdk: SDK[S, A],
        form: Format,
        models: ModelList,
        capabilities: Capabilities | None = None,
    ) -> None:
        row = find(connection.provider)
        self.capabilities = capabilities or row.capabilities
        self._connection = connection
        self._sdk = sdk
        self._form = form
        self._models = models
        self._source = Source(connection, row, lambda: key)
        self._clients: Clients[S, A] = Clients(
            sdk.new_client, sdk.close_client, sdk.new_async_client, sdk.close_async_client
        )
        http.quiet_libraries()

    def complete(self, request: ChatRequest, into: Answer) -> None:
        form = self._format_for(request)
        self._exchange(self._outgoing(form, request, stream=False), form.read, into)

    async def acomplete(self, request: ChatRequest, into: Answer) -> None:
        form = self._format_for(request)
        await self._aexchange(self._outgoing(form, request, stream=False), form.read, into)

    def stream(self, request: ChatRequest, into: Answer) -> Generator[Piece, None, None]:
        form = self._format_for(request)
        out = self._outgoing(form, request, stream=True)
        failing = Failing(self._source, into)
        with failing, self._clients.use() as client:
            into.sent = True
            with self._sdk.open(client, out) as response:
                self._heard(response.headers, into)
                yield from Arriving(form, into, response.headers, out.timeout).pieces(response.iter_bytes())
        failing.check()

    async def astream(self, request: ChatRequest, into: Answer) -> AsyncGenerator[Piece, None]:
        form = self._format_for(request)
        out = self._outgoing(form, request, stream=True)
        failing = Failing(self._source, into)
        with failing:
            async with self._clients.ause() as client:
                into.sent = True
                async with self._sdk.aopen(client, out) as response:
                    self._heard(response.headers, into)
                    arriving = Arriving(form, into, response.headers, out.timeout)
                    async with aclosing(arriving.apieces(response.aiter_bytes())) as pieces:
                        async for piece in pieces:
                            yield piece
        failing.check()

    def draft(self, request: ChatRequest, stream: bool = False) -> Draft:
        """What `complete` or `stream` would send. Raises InvalidInput."""
        form = self._format_for(request)
        return self._sdk.draft(self._outgoing(form, request, stream), stream)

    def body(self, request: ChatRequest, stream: bool = False) -> tuple[str, dict[str, Any]]:
        """Path and content of that request. Raises InvalidInput."""
        form = self._format_for(request)
        return form.path, form.body(request, stream)

    def count_tokens(self, request: ChatRequest) -> TokenCount | None:
        """What the vendor counts of the prompt, at no cost; None where it has no call for it. Raises ProviderError."""
        counting = self._counting(request)
        if counting is None:
            return None
        counted = Answer()
        self._exchange(self._posting(counting.path, request.deadline, counting.body), counting.read, counted)
        tokens = counted.usage.input_tokens if counted.usage is not None else 0
        return TokenCount(tokens, counting.how, counting.by)

    def tokens_at_hand(self, request: ChatRequest) -> TokenCount | None:
        """The same from a tokeniser in this process, where there is one."""
        return None

    def _counting(self, request: ChatRequest) -> Counting | None:
        return None

    def list_models(self, deadline: Deadline) -> list[LLMModel]:
        """By name. Raises NoModelList where the endpoint or the key has no list, but calls are taken."""
        found: dict[str, LLMModel] = {}
        failing = Failing(self._source)
        with failing, self._clients.use() as client:
            path: str | None = self._models.path
            while path is not None:
                response = self._sdk.send(client, Outgoing(path, self._timeout(deadline)))
                models, path = self._models.read(parse_json(response.content), self._connection)
                if all(model.name in found for model in models):
                    break  # no more to learn, whatever the endpoint says of a next page
                found |= {model.name: model for model in models}
        if isinstance(failing.failure, (ModelNotFound, PermissionRefused)) and self._takes_calls(deadline):
            raise named(NoModelList, self._source)
        failing.check()
        return [found[name] for name in sorted(found)]

    def estimate_usage(self, request: ChatRequest, answer: Answer) -> Usage | None:
        return estimate.estimate_usage(request, answer)

    def close(self) -> None:
        self._clients.close()

    def _format_for(self, request: ChatRequest) -> Format:
        return self._form

    def _exchange(self, out: Outgoing, read: Callable[[Any, Answer], None], into: Answer) -> None:
        """One request and its whole answer, given to `read`."""
        failing = Failing(self._source, into)
        with failing, self._clients.use() as client:
            into.sent = True
            response = self._sdk.send(client, out)
            self._heard(response.headers, into)
            read(parse_json(response.content), into)
        failing.check()

    async def _aexchange(self, out: Outgoing, read: Callable[[Any, Answer], None], into: Answer) -> None:
        failing = Failing(self._source, into)
        with failing:
            async with self._clients.ause() as client:
                into.sent = True
                response = await self._sdk.asend(client, out)
                self._heard(response.headers, into)
                read(parse_json(response.content), into)
        failing.check()

    def _heard(self, headers: Mapping[str, str], into: Answer) -> None:
        """Note what the head of an answer tells."""
        into.request_id = self._source.request_id(headers)

    def _outgoing(self, form: Format, request: ChatRequest, stream: bool) -> Outgoing:
        return self._posting(form.path, request.deadline, form.body(request, stream))

    def _posting(self, path: str, deadline: Deadline, body: Mapping[str, Any] | Upload) -> Outgoing:
        """Raises InvalidInput for what JSON cannot hold."""
        timeout = self._timeout(deadline)
        if isinstance(body, Upload):
            return Outgoing(path, timeout, upload=body)
        return Outgoing(path, timeout, json=as_json(body))

    def _timeout(self, deadline: Deadline) -> Any:
        return http.timeout(deadline, self._sdk.library)

    def _takes_calls(self, deadline: Deadline) -> bool:
        """Whether a call that asks for nothing is refused for just that: then key and address are right, at no cost."""
        failing = Failing(self._source)
        with failing, self._clients.use() as client:
            self._sdk.send(client, Outgoing(self._form.path, self._timeout(deadline), json=b"{}"))
        return isinstance(failing.failure, RequestRefused)


def as_json(body: Any) -> bytes:
    """Raises InvalidInput."""
    import orjson

    try:
        return orjson.dumps(body, default=_plain)
    except TypeError as error:
        raise InvalidInput(f"The request cannot be written as JSON: {error}.") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")
