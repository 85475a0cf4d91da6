"""Which environment variables may hold a connection's key.

A variable named for the connection, `LLM_MANAGER_<NAME>_API_KEY`, always counts. A vendor's usual variable counts only
for that vendor's hosts (and this machine), so that a changed base URL never sends a key to somebody else.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from ..types import LLMProvider

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


def variables_for(connection: LLMProvider) -> tuple[str, ...]:
    """The names to look at, in order."""
    own = f"LLM_MANAGER_{re.sub('[^A-Z0-9]', '_', connection.name.upper())}_API_KEY"
    return (own, *_usual(connection))


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
