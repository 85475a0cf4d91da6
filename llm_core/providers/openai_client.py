"""Makes the OpenAI SDK's clients from a connection alone: nothing that the SDK reads from the environment counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import http
from .sending import GeneratedSDK

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

OPTIONS = frozenset({"organization", "project", "headers", "query", "ca_bundle"})
"""What every connection made with this SDK may say beside its base URL. `organization` and `project` are OpenAI's; all
of it is kept in clear."""


class OpenAISDK(GeneratedSDK):
    package = "openai"

    def new_client(self) -> OpenAI:
        import openai

        own = http.new_client(**self._http_arguments)
        client: OpenAI = openai.OpenAI(**self._client_arguments(), http_client=own)
        self._forget_environment(client)
        return client

    def new_async_client(self) -> AsyncOpenAI:
        import openai

        own = http.new_async_client(**self._http_arguments)
        client: AsyncOpenAI = openai.AsyncOpenAI(**self._client_arguments(), http_client=own)
        self._forget_environment(client)
        return client

    def _client_arguments(self) -> dict[str, Any]:
        return {
            # The SDK insists on a key; without one the header is dropped on the way out.
            "api_key": self._key or "none",
            "base_url": self._base_url,
            "max_retries": 0,
            "default_headers": self._headers(),
            "default_query": dict(self._connection.options.get("query", {})),
        }

    def _headers(self) -> dict[str, Any]:
        """The connection's headers, and none of OPENAI_CUSTOM_HEADERS, which the SDK would send to any endpoint."""
        from openai import Omit

        ambient = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
        headers: dict[str, Any] = {line.partition(":")[0].strip(): Omit() for line in ambient if ":" in line}
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        headers["Authorization"] = f"Bearer {self._key or 'none'}"
        return headers | dict(self._connection.options.get("headers", {}))

    def _forget_environment(self, client: OpenAI | AsyncOpenAI) -> None:
        """The SDK filled these two from OPENAI_ORG_ID and OPENAI_PROJECT_ID."""
        client.organization = self._connection.options.get("organization")
        client.project = self._connection.options.get("project")
