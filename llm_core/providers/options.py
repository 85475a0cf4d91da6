"""Checks the options of a connection: what may be said beside its base URL, all of it kept in clear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidConnection
from ..types import LLMProvider

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
