"""Checks the options of a connection: what may be said beside its base URL, all of it kept in clear.

Beside what each provider knows there are, for every connection: `timeout`, the seconds of a call that names none
itself; `requests_per_minute` and `tokens_per_minute` (`rate_limit.py`). And for every one that speaks HTTP: `proxy`,
the http(s) address of a proxy, used for nothing but this connection; `proxy_in_clear`, true to send also what the
proxy can read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import InvalidConnection
from ..types import LLMProvider
from .base_url import checked_base_url
from .rate_limit import RATE_LIMITS

OF_CALLS = RATE_LIMITS | {"timeout"}
OF_HTTP = frozenset({"proxy", "proxy_in_clear"})
LONGEST_TIMEOUT = 86_400.0
_SECRET_WORDS = ("auth", "key", "token", "secret", "cookie", "password", "signature", "credential")


def checked_options(connection: LLMProvider, known: frozenset[str]) -> Mapping[str, Any]:
    """Raises InvalidConnection for an option that is not known, has the wrong type, or would keep a secret in clear."""
    options = connection.options
    known |= OF_CALLS | OF_HTTP
    unknown = sorted(set(options) - known)
    if unknown:
        raise InvalidConnection(
            f"A connection to {connection.provider} has no option {', '.join(unknown)}.",
            f"Known ones: {', '.join(sorted(known))}.",
        )
    check_limits(options)
    _check_proxy(connection)
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


def check_limits(options: Mapping[str, Any]) -> None:
    """The options of OF_CALLS. Raises InvalidConnection."""
    for name in sorted(RATE_LIMITS):
        limit = options.get(name, 1)
        if type(limit) is not int or limit < 1:
            raise InvalidConnection(f"The option {name} cannot be {limit!r}.", "Give a whole number, 1 or more.")
    timeout = options.get("timeout", 1)
    if type(timeout) not in (int, float) or not 0 < timeout <= LONGEST_TIMEOUT:
        raise InvalidConnection(
            f"The option timeout cannot be {timeout!r}.", f"Give seconds above 0, up to {LONGEST_TIMEOUT:,.0f}."
        )


def _check_proxy(connection: LLMProvider) -> None:
    options = connection.options
    if not isinstance(options.get("proxy_in_clear", False), bool):
        raise InvalidConnection("The option proxy_in_clear must be true or false.")
    proxy = options.get("proxy")
    if proxy is None:
        return
    if not isinstance(proxy, str):
        raise InvalidConnection("The option proxy must be text.", "As http://proxy.example:3128.")
    if urlsplit(checked_base_url(proxy)).path:
        raise InvalidConnection(
            "The option proxy has a path, which a proxy has none of.", "As http://proxy.example:3128."
        )
    if (connection.base_url or "").startswith("http:") and not options.get("proxy_in_clear"):
        raise InvalidConnection(
            f"{connection.base_url} is not encrypted, so the proxy would read the key and all that is sent.",
            "Use an https:// address, or allow it with the option proxy_in_clear.",
        )
