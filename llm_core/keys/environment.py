"""Which environment variables may hold a connection's key, and where a key may be sent to.

A variable named for the connection, `LLM_MANAGER_<NAME>_API_KEY`, always counts. A vendor's usual variable counts only
for that vendor's hosts (and this machine), so that a changed base URL never sends a key to somebody else.
"""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.parse import urlsplit

from ..errors import InvalidInput
from ..types import LLMProvider
from .forms import form_problem
from .secret import Secret
from .status import FoundKey

_OF_PROVIDER: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "openai": (("OPENAI_API_KEY",), ("openai.com",)),
    "anthropic": (("ANTHROPIC_API_KEY",), ("anthropic.com",)),
    "google": (("GEMINI_API_KEY", "GOOGLE_API_KEY"), ("googleapis.com",)),
    "cohere": (("CO_API_KEY", "COHERE_API_KEY"), ("cohere.com", "cohere.ai")),
    "huggingface": (
        ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
        ("huggingface.co", "hf.co", "huggingface.cloud"),
    ),
}
"""Provider -> the variables its own SDK and documents name, and the domains they are meant for."""

_OF_HOST: dict[str, str] = {
    "openrouter.ai": "OPENROUTER_API_KEY",
    "groq.com": "GROQ_API_KEY",
    "mistral.ai": "MISTRAL_API_KEY",
    "deepseek.com": "DEEPSEEK_API_KEY",
    "together.xyz": "TOGETHER_API_KEY",
    "fireworks.ai": "FIREWORKS_API_KEY",
    "x.ai": "XAI_API_KEY",
    "perplexity.ai": "PERPLEXITY_API_KEY",
}
"""Domain of a well-known OpenAI-compatible endpoint -> its variable."""


_OWN_HOST = {
    "openai": "api.openai.com",
    "anthropic": "api.anthropic.com",
    "google": "generativelanguage.googleapis.com",
    "cohere": "api.cohere.com",
    "huggingface": "router.huggingface.co",
}
"""Where a connection without a base URL sends to."""


def variables_for(connection: LLMProvider) -> tuple[str, ...]:
    """The names to look at, in order."""
    own = f"LLM_MANAGER_{re.sub('[^A-Z0-9]', '_', connection.name.upper())}_API_KEY"
    return (own, *_usual(connection))


def target_of(connection: LLMProvider) -> str:
    """The one place that a connection's key may go to: its host, with `http://` before it where the way is not private.

    The port is left out: whoever serves one port of a machine is trusted with the others.
    """
    if not connection.base_url:
        return _OWN_HOST.get(connection.provider, "")
    host = host_of(connection.base_url) or ""
    return host if host and urlsplit(connection.base_url).scheme == "https" else f"http://{host}"


def found_keys() -> list[FoundKey]:
    """The keys that the usual variables hold now, in the vendors' order. Shown by their last four letters at most."""
    places: list[tuple[str, str, str | None]] = [
        (name, provider, None) for provider, (names, _) in _OF_PROVIDER.items() for name in names
    ]
    places += [(name, "compatible", domain) for domain, name in _OF_HOST.items()]
    return [
        _found(name, provider, domain, os.environ[name])
        for name, provider, domain in places
        if os.environ.get(name, "").strip()
    ]


def _found(name: str, provider: str, domain: str | None, value: str) -> FoundKey:
    try:
        hint = Secret(value).hint
    except InvalidInput as error:
        return FoundKey(name, provider, None, domain, str(error))
    return FoundKey(name, provider, hint, domain, form_problem(provider, value))


def host_of(base_url: str | None) -> str | None:
    """The host a base URL sends to, in lower case; None without one or where it cannot be read."""
    try:
        return urlsplit(base_url or "").hostname
    except ValueError:
        return None


def _usual(connection: LLMProvider) -> tuple[str, ...]:
    host = host_of(connection.base_url)
    safe_way = urlsplit(connection.base_url).scheme == "https" if connection.base_url and host else False
    if connection.provider == "compatible":
        return tuple(name for domain, name in _OF_HOST.items() if safe_way and _within(host, domain))
    names, domains = _OF_PROVIDER.get(connection.provider, ((), ()))
    if not connection.base_url or (host and _is_this_machine(host)):
        return names
    return names if safe_way and any(_within(host, domain) for domain in domains) else ()


def _within(host: str | None, domain: str) -> bool:
    return host is not None and (host == domain or host.endswith(f".{domain}"))


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
