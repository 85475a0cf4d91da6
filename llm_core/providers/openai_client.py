"""Makes the OpenAI SDK's clients from a connection alone: nothing that the SDK reads from the environment counts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import InvalidConnection
from ..types import LLMProvider
from . import http

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

OPTIONS = frozenset({"organization", "project", "headers", "query", "ca_bundle"})
"""What every connection made with this SDK may say beside its base URL. `organization` and `project` are OpenAI's; all
of it is kept in clear."""

_SECRET_WORDS = ("auth", "key", "token", "secret", "cookie", "password", "signature", "credential")


def checked_options(connection: LLMProvider, known: frozenset[str]) -> Mapping[str, Any]:
    """Raises InvalidConnection for an option that is not known, has the wrong type, or would keep a secret in clear."""
    options = connection.options
    unknown = sorted(set(options) - known)
    if unknown:
        raise InvalidConnection(
            f"A connection to {connection.provider} has no option {', '.join(unknown)}.",
            f"Known ones: {', '.join(sorted(known))}.",
        )
    for name in ("organization", "project", "ca_bundle"):
        if not isinstance(options.get(name, ""), str):
            raise InvalidConnection(f"The option {name} must be text.")
    for name in ("headers", "query"):
        fields = options.get(name, {})
        if not isinstance(fields, Mapping) or not all(isinstance(value, str) for value in fields.values()):
            raise InvalidConnection(f"The option {name} must map names to text.", 'As {"X-Title": "My app"}.')
        secret = sorted(field for field in fields if any(word in field.lower() for word in _SECRET_WORDS))
        if secret:
            raise InvalidConnection(
                f"The option {name} cannot hold {', '.join(secret)}: options are kept in clear.",
                "Give it as the connection's key.",
            )
    return options


def new_client(connection: LLMProvider, base_url: str, key: str | None) -> OpenAI:
    import openai

    own = http.new_client(base_url, ca_bundle=connection.options.get("ca_bundle"))
    client: OpenAI = openai.OpenAI(**_arguments(connection, base_url, key), http_client=own)
    _forget_environment(client, connection)
    return client


def new_async_client(connection: LLMProvider, base_url: str, key: str | None) -> AsyncOpenAI:
    import openai

    own = http.new_async_client(base_url, ca_bundle=connection.options.get("ca_bundle"))
    client: AsyncOpenAI = openai.AsyncOpenAI(**_arguments(connection, base_url, key), http_client=own)
    _forget_environment(client, connection)
    return client


def _arguments(connection: LLMProvider, base_url: str, key: str | None) -> dict[str, Any]:
    return {
        # The SDK insists on a key; without one its header is left out below.
        "api_key": key or "none",
        "base_url": base_url,
        "max_retries": 0,
        "default_headers": _headers(connection, key),
        "default_query": dict(connection.options.get("query", {})),
    }


def _headers(connection: LLMProvider, key: str | None) -> dict[str, Any]:
    """The connection's headers, and none of OPENAI_CUSTOM_HEADERS, which the SDK would send to any endpoint."""
    from openai import Omit

    ambient = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    headers: dict[str, Any] = {line.partition(":")[0].strip(): Omit() for line in ambient if ":" in line}
    headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
    headers["Authorization"] = f"Bearer {key}" if key else Omit()
    return headers | dict(connection.options.get("headers", {}))


def _forget_environment(client: OpenAI | AsyncOpenAI, connection: LLMProvider) -> None:
    """The SDK filled these two from OPENAI_ORG_ID and OPENAI_PROJECT_ID."""
    client.organization = connection.options.get("organization")
    client.project = connection.options.get("project")
