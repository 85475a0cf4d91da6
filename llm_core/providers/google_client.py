"""Makes the google-genai SDK's clients from a connection alone, and sends with the part that all their methods use.

Those methods parse an answer into classes that drop what they do not know, and take times in whole milliseconds;
`_api_client`, the SDK's own layer below, hands over the answer as it came. The SDK sends the key in a header.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from . import http
from .sending import SDK, Outgoing

if TYPE_CHECKING:
    from google.genai import Client

OPTIONS = frozenset({"headers", "ca_bundle", "api_version", "store"})
"""What a connection may say beside its base URL; all of it is kept in clear. `store`: let Google log prompts and
answers, false unless said."""
API_VERSION = "v1beta"
"""Google's models in preview, and its names like gemini-flash-latest, exist in this version alone."""


class GoogleSDK(SDK["Client", "Client"]):
    def new_client(self) -> Client:
        return self._client()

    def new_async_client(self) -> Client:
        return self._client()

    def close_client(self, client: Client) -> None:
        client._api_client._httpx_client.close()

    async def close_async_client(self, client: Client) -> None:
        own: Any = client._api_client._async_httpx_client
        await own.aclose()

    def send(self, client: Client, out: Outgoing) -> Any:
        with self.open(client, out) as response:
            response.read()
            return response

    async def asend(self, client: Client, out: Outgoing) -> Any:
        async with self.aopen(client, out) as response:
            await response.aread()
            return response

    @contextmanager
    def open(self, client: Client, out: Outgoing) -> Iterator[Any]:
        response: Any = client._api_client._request_once(self._request(client, out), stream=True).response_stream
        try:
            yield response
        finally:
            response.close()

    @asynccontextmanager
    async def aopen(self, client: Client, out: Outgoing) -> AsyncIterator[Any]:
        got = await client._api_client._async_request_once(self._request(client, out), stream=True)
        response: Any = got.response_stream
        try:
            yield response
        finally:
            await response.aclose()

    def _request(self, client: Client, out: Outgoing) -> Any:
        """The SDK's own request, with the body as it is, and with our timeout, which carries the deadline."""
        request: Any = client._api_client._build_request("get" if out.json is None else "post", out.path, {})
        request.data, request.timeout = out.json, out.timeout
        return request

    def _client(self) -> Client:
        """Each argument is named, since the SDK looks into the environment, and on the disk, for what is not. It wants
        an HTTP client of either kind, or makes one that follows redirects; the one that is not used opens nothing.
        """
        from google import genai
        from google.genai.client import DebugConfig
        from google.genai.types import HttpOptions

        own, own_async = http.new_client(**self._http_arguments), http.new_async_client(**self._http_arguments)
        own.event_hooks["response"].append(_require_success)
        own_async.event_hooks["response"].append(_arequire_success)
        if self._key is None:  # the SDK insists on a key
            own.event_hooks["request"].append(_drop_key)
            own_async.event_hooks["request"].append(_adrop_key)
        options = HttpOptions(
            base_url=self._base_url,
            api_version=self._connection.options.get("api_version", API_VERSION),
            headers=dict(self._connection.options.get("headers", {})),
            httpx_client=own,
            httpx_async_client=own_async,
            async_client_args={"ssl": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)},  # for web sockets, which are not used
        )
        return genai.Client(
            api_key=self._key or "none",
            vertexai=False,
            http_options=options,
            debug_config=DebugConfig(client_mode=None, replays_directory=None, replay_id=None),
        )


def _require_success(response: Any) -> None:
    """Before the SDK looks: it fails over some bodies of errors, and then nobody would know the status."""
    if not response.is_success:
        response.read()
        response.raise_for_status()


async def _arequire_success(response: Any) -> None:
    if not response.is_success:
        await response.aread()
        response.raise_for_status()


def _drop_key(request: Any) -> None:
    request.headers.pop("x-goog-api-key", None)


async def _adrop_key(request: Any) -> None:
    _drop_key(request)
