"""Makes the Anthropic SDK's clients from a connection alone: nothing that the SDK reads from the environment counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import http
from .sending import GeneratedSDK

if TYPE_CHECKING:
    from anthropic import Anthropic, AsyncAnthropic

OPTIONS = frozenset({"headers", "query", "ca_bundle"})
"""What every connection made with this SDK may say beside its base URL; all of it is kept in clear."""


class AnthropicSDK(GeneratedSDK):
    package = "anthropic"

    def new_client(self) -> Anthropic:
        import anthropic

        own = http.new_client(**self._http_arguments)
        return anthropic.Anthropic(**self._client_arguments(), http_client=own)

    def new_async_client(self) -> AsyncAnthropic:
        import anthropic

        own = http.new_async_client(**self._http_arguments)
        return anthropic.AsyncAnthropic(**self._client_arguments(), http_client=own)

    def _client_arguments(self) -> dict[str, Any]:
        """Each is named, since the SDK looks into the environment, and on the disk, for what is not."""
        return {
            # Without a key the SDK would look for others; its header is dropped on the way out.
            "api_key": self._key or "none",
            "webhook_key": "",
            "base_url": self._base_url,
            "max_retries": 0,
            "default_headers": self._headers(),
            "default_query": dict(self._connection.options.get("query", {})),
            "open_telemetry": {"traces": False, "propagation": False},
        }

    def _headers(self) -> dict[str, Any]:
        """The connection's headers, and none of ANTHROPIC_CUSTOM_HEADERS, which the SDK would send to any endpoint."""
        from anthropic import Omit
        from anthropic._constants import ANTHROPIC_API_VERSION

        usual = {"content-type": _JSON, "accept": _JSON, "anthropic-version": ANTHROPIC_API_VERSION}
        ambient = os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "").split("\n")
        names = [line.partition(":")[0].strip() for line in ambient if ":" in line]
        headers: dict[str, Any] = {name: usual.get(name.lower(), Omit()) for name in names}
        headers["Authorization"] = f"Bearer {self._key or 'none'}"
        return headers | dict(self._connection.options.get("headers", {}))


_JSON = "application/json"
