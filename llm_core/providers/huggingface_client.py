"""Sends to Hugging Face's router with HTTP clients of our own.

InferenceClient sends everything through one client of the whole process, which follows redirects, keeps no deadline and
shows no header of an answer; replacing that client would change it for every other use of the Hub. What the SDK is used
for is what it knows best: how each provider behind the router wants a task written (`huggingface_tasks.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from . import http
from .sending import SDK, Outgoing

OPTIONS = frozenset({"organization", "headers", "ca_bundle"})
"""What a connection may say beside its base URL; all of it is kept in clear. `organization` is the one that pays."""


@dataclass(frozen=True, slots=True)
class TaskRequest(Outgoing):
    """A request for anything but chat. Its path is of the router as a whole, not of the /v1 that speaks OpenAI's."""

    content: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class HuggingFaceSDK(SDK[Any, Any]):
    def new_client(self) -> Any:
        return http.new_client(**self._http_arguments)

    def new_async_client(self) -> Any:
        return http.new_async_client(**self._http_arguments)

    def close_client(self, client: Any) -> None:
        client.close()

    async def close_async_client(self, client: Any) -> None:
        await client.aclose()

    def send(self, client: Any, out: Outgoing) -> Any:
        with self.open(client, out) as response:
            response.read()
            return response

    async def asend(self, client: Any, out: Outgoing) -> Any:
        async with self.aopen(client, out) as response:
            await response.aread()
            return response

    @contextmanager
    def open(self, client: Any, out: Outgoing) -> Iterator[Any]:
        with client.stream(**self._request(out)) as response:
            if not response.is_success:
                response.read()
                response.raise_for_status()
            yield response

    @asynccontextmanager
    async def aopen(self, client: Any, out: Outgoing) -> AsyncIterator[Any]:
        async with client.stream(**self._request(out)) as response:
            if not response.is_success:
                await response.aread()
                response.raise_for_status()
            yield response

    def _request(self, out: Outgoing) -> dict[str, Any]:
        root, content, headers = self._base_url, out.json, self._headers()
        if isinstance(out, TaskRequest):
            root, content = root.removesuffix("/v1"), out.content
            headers |= {**out.headers, "content-type": out.content_type}
        elif content is not None:
            headers["content-type"] = "application/json"
        method = "GET" if content is None else "POST"
        return {
            "method": method,
            "url": root + out.path,
            "content": content,
            "headers": headers,
            "timeout": out.timeout,
        }

    def _headers(self) -> dict[str, str]:
        """Those the SDK sends, but for what it finds out about the machine and tells Hugging Face with each request."""
        from huggingface_hub import __version__, constants

        headers = {"user-agent": f"llm-manager; hf_hub/{__version__}", "accept": "*/*"}
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key}"
        if payer := self._connection.options.get("organization"):
            headers[constants.HUGGINGFACE_HEADER_X_BILL_TO] = payer
        return headers | dict(self._connection.options.get("headers", {}))
