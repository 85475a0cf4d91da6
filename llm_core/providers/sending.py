"""What an adapter asks of a vendor's SDK: make clients, and send one request with them. The answer comes as it is.

OpenAI's and Anthropic's SDKs are made by one generator and send in the same way: `GeneratedSDK`.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Generic, TypeVar

from ..types import LLMProvider
from .base_url import checked_base_url
from .drafts import Draft, Drafted

S = TypeVar("S")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Upload:
    """A form with one file, as transcription endpoints take it."""

    fields: Mapping[str, str]
    data: bytes
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request: a GET without anything, else a POST of JSON or of an upload. `timeout` is the library's own."""

    path: str
    timeout: Any
    json: bytes | None = None
    upload: Upload | None = None


class SDK(ABC, Generic[S, A]):
    """One vendor's SDK for one connection. S and A are its sync and async clients.

    A response is the HTTP library's own: status_code, headers, content, iter_bytes. An answer with an error status
    raises an exception that carries it as `response`. Nothing is retried.
    """

    library = "httpx2"
    """The HTTP library that the SDK runs on."""

    def __init__(self, connection: LLMProvider, base_url: str, key: str | None) -> None:
        self._connection = connection
        self._base_url = base_url
        self._key = key
        self._drafting = False

    def draft(self, out: Outgoing, stream: bool = False) -> Draft:
        """The request as `send` or `open` would send it, with every header. Nothing is sent."""
        drafting = copy.copy(self)
        drafting._drafting = True
        client = drafting.new_client()
        try:
            if not stream:
                drafting.send(client, out)
            else:
                with drafting.open(client, out):
                    pass
        except Drafted as drafted:
            return drafted.draft
        finally:
            drafting.close_client(client)
        raise AssertionError("a draft was sent")

    @property
    def _http_arguments(self) -> dict[str, Any]:
        """For `http.new_client` and `http.new_async_client`."""
        proxy = self._connection.options.get("proxy")
        return {
            "base_url": self._base_url,
            "ca_bundle": self._connection.options.get("ca_bundle"),
            "proxy": proxy and checked_base_url(proxy),
            "library": self.library,
            "anonymous": self._key is None,
            "drafting": self._drafting,
        }

    @abstractmethod
    def new_client(self) -> S: ...

    @abstractmethod
    def new_async_client(self) -> A: ...

    @abstractmethod
    def close_client(self, client: S) -> None: ...

    @abstractmethod
    async def close_async_client(self, client: A) -> None: ...

    @abstractmethod
    def send(self, client: S, out: Outgoing) -> Any:
        """The response with its whole body."""

    @abstractmethod
    async def asend(self, client: A, out: Outgoing) -> Any: ...

    @abstractmethod
    def open(self, client: S, out: Outgoing) -> AbstractContextManager[Any]:
        """The response with its body still to come; closed at the end of the block."""

    @abstractmethod
    def aopen(self, client: A, out: Outgoing) -> AbstractAsyncContextManager[Any]: ...


class GeneratedSDK(SDK[Any, Any]):
    """Sends through the public `get` and `post` of the clients of OpenAI's and Anthropic's SDKs."""

    package: str

    def close_client(self, client: Any) -> None:
        client.close()

    async def close_async_client(self, client: Any) -> None:
        await client.close()

    def send(self, client: Any, out: Outgoing) -> Any:
        verb, arguments = self._arguments(out)
        return getattr(client, verb)(out.path, **arguments)

    async def asend(self, client: Any, out: Outgoing) -> Any:
        verb, arguments = self._arguments(out)
        return await getattr(client, verb)(out.path, **arguments)

    @contextmanager
    def open(self, client: Any, out: Outgoing) -> Iterator[Any]:
        verb, arguments = self._arguments(out)
        response = getattr(client, verb)(out.path, **arguments, stream=True, stream_cls=self._stream_classes[0])
        try:
            yield response
        finally:
            response.close()

    @asynccontextmanager
    async def aopen(self, client: Any, out: Outgoing) -> AsyncIterator[Any]:
        verb, arguments = self._arguments(out)
        response = await getattr(client, verb)(out.path, **arguments, stream=True, stream_cls=self._stream_classes[1])
        try:
            yield response
        finally:
            await response.aclose()

    def _arguments(self, out: Outgoing) -> tuple[str, dict[str, Any]]:
        options: dict[str, Any] = {"timeout": out.timeout}
        arguments: dict[str, Any] = {"cast_to": self._response_class, "options": options}
        if out.upload is not None:
            upload = out.upload
            options["headers"] = {"Content-Type": "multipart/form-data"}
            arguments["body"] = dict(upload.fields)
            arguments["files"] = {"file": (upload.name, upload.data, upload.media_type)}
        elif out.json is not None:
            arguments["content"] = out.json
        return ("get" if out.json is None and out.upload is None else "post"), arguments

    @cached_property
    def _response_class(self) -> Any:
        """Asked for this, the SDK hands the answer over as it came."""
        return import_module(self.library).Response

    @cached_property
    def _stream_classes(self) -> tuple[Any, Any]:
        """What the SDK wants named for a stream, though it makes none when asked for the response: sync and async."""
        sdk = import_module(self.package)
        return sdk.Stream[object], sdk.AsyncStream[object]
