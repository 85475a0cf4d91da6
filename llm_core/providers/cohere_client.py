"""Makes Cohere's clients from a connection alone, and sends with the part of them that all their methods send with.

Those methods (`chat_stream` and the like) skip events they cannot read, and their errors print every header of the
answer; `_client_wrapper.httpx_client`, the SDK's own layer below, hands over the answer as it came.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from . import http
from .sending import SDK, Outgoing

if TYPE_CHECKING:
    from cohere import AsyncClientV2, ClientV2

OPTIONS = frozenset({"headers", "ca_bundle"})
"""What a connection may say beside its base URL; all of it is kept in clear."""


class CohereSDK(SDK["ClientV2", "AsyncClientV2"]):
    library = "httpx"

    def new_client(self) -> ClientV2:
        from cohere import ClientV2

        own = http.new_client(**self._http_arguments)
        return ClientV2(httpx_client=own, **self._client_arguments())

    def new_async_client(self) -> AsyncClientV2:
        from cohere import AsyncClientV2

        own = http.new_async_client(**self._http_arguments)
        return AsyncClientV2(httpx_client=own, **self._client_arguments())

    def close_client(self, client: ClientV2) -> None:
        client._client_wrapper.httpx_client.httpx_client.close()

    async def close_async_client(self, client: AsyncClientV2) -> None:
        await client._client_wrapper.httpx_client.httpx_client.aclose()

    def send(self, client: ClientV2, out: Outgoing) -> Any:
        response = client._client_wrapper.httpx_client.request(**self._arguments(out))
        response.raise_for_status()
        return response

    async def asend(self, client: AsyncClientV2, out: Outgoing) -> Any:
        response = await client._client_wrapper.httpx_client.request(**self._arguments(out))
        response.raise_for_status()
        return response

    @contextmanager
    def open(self, client: ClientV2, out: Outgoing) -> Iterator[Any]:
        with client._client_wrapper.httpx_client.stream(**self._arguments(out)) as response:
            if not response.is_success:
                response.read()
                response.raise_for_status()
            yield response

    @asynccontextmanager
    async def aopen(self, client: AsyncClientV2, out: Outgoing) -> AsyncIterator[Any]:
        async with client._client_wrapper.httpx_client.stream(**self._arguments(out)) as response:
            if not response.is_success:
                await response.aread()
                response.raise_for_status()
            yield response

    def _client_arguments(self) -> dict[str, Any]:
        """What is not named the SDK takes from the environment. Without a key its header is dropped on the way out."""
        return {"api_key": self._key or "none", "base_url": self._base_url, "max_retries": 0}

    def _arguments(self, out: Outgoing) -> dict[str, Any]:
        headers = dict(self._connection.options.get("headers", {}))
        arguments: dict[str, Any] = {
            "path": out.path,
            "method": "GET" if out.json is None and out.upload is None else "POST",
            "headers": headers,
            "request_options": {"timeout": out.timeout, "max_retries": 0},
        }
        if out.json is not None:
            headers["content-type"] = "application/json"
            arguments["content"] = out.json
        if out.upload is not None:
            arguments["data"] = dict(out.upload.fields)
            arguments["files"] = {"file": (out.upload.name, out.upload.data, out.upload.media_type)}
        return arguments
