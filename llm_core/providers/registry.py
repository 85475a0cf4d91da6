"""The providers there are, and what is true of each before anything is imported.

Adding a provider is one module with a `connect(connection, key)` function, and one row here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import cast

from ..errors import MissingPackage, UnknownProvider
from ..types import LLMProvider
from .protocol import AdapterFactory, Capabilities


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """`module` is imported when the first adapter is made, and its SDK with it."""

    name: str
    label: str
    """The vendor's own spelling."""
    module: str
    sdk: str | None = None
    """The package its adapter imports when first used; loading it may take most of a second."""
    base_url: str | None = None
    """Where its API lives, in its SDK's own convention; None where the person must say."""
    key_variable: str | None = None
    """The environment variable that its documents name."""
    key_page: str | None = None
    """Where a person makes a key."""
    console: str | None = None
    """Where a person looks at billing and limits."""
    lists_at_once: bool = False
    """Its models are known without asking anybody, so that connecting also lists them."""
    capabilities: Capabilities = field(default_factory=Capabilities)

    def factory(self) -> AdapterFactory:
        """Its `connect` function. Imports the module, not yet the SDK."""
        return cast(AdapterFactory, import_module(f".{self.module}", __package__).connect)

    def load_sdk(self) -> None:
        """Import the SDK ahead of its first use. Raises MissingPackage."""
        try:
            if self.sdk is not None:
                import_module(self.sdk)
        except ImportError:
            raise MissingPackage(f"The {self.sdk} package is not installed.", f"pip install {self.sdk}") from None


_SHARED = frozenset(
    {
        "temperature",
        "max_tokens",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "stop",
        "n",
        "response_format",
        "reasoning_effort",
        "verbosity",
        "service_tier",
        "logprobs",
        "top_logprobs",
        "system",
    }
)
"""Parameters that OpenAI's formats have a place for."""

_ROWS = (
    ProviderRow(
        name="openai",
        label="OpenAI",
        module="openai",
        sdk="openai",
        base_url="https://api.openai.com/v1",
        key_variable="OPENAI_API_KEY",
        key_page="https://platform.openai.com/api-keys",
        console="https://platform.openai.com/settings/organization/billing",
        capabilities=Capabilities(
            tools=True,
            schema=True,
            images=True,
            files=True,
            audio_input=True,
            embeddings=True,
            texts_at_once=2048,
            transcription=True,
            parameters=_SHARED,
        ),
    ),
    ProviderRow(
        name="anthropic",
        label="Anthropic",
        module="anthropic",
        sdk="anthropic",
        base_url="https://api.anthropic.com",
        key_variable="ANTHROPIC_API_KEY",
        key_page="https://platform.claude.com/settings/keys",
        console="https://platform.claude.com/settings/billing",
        capabilities=Capabilities(
            tools=True,
            schema=True,
            images=True,
            files=True,
            parameters=frozenset(
                {
                    "temperature",
                    "max_tokens",
                    "top_p",
                    "top_k",
                    "stop",
                    "response_format",
                    "reasoning_effort",
                    "thinking_budget",
                    "service_tier",
                    "system",
                }
            ),
        ),
    ),
    ProviderRow(
        name="google",
        label="Google",
        module="google",
        sdk="google.genai",
        base_url="https://generativelanguage.googleapis.com",
        key_variable="GEMINI_API_KEY",
        key_page="https://aistudio.google.com/api-keys",
        console="https://aistudio.google.com/usage",
        capabilities=Capabilities(
            tools=True,
            schema=True,
            images=True,
            files=True,
            audio_input=True,
            embeddings=True,
            texts_at_once=100,
            transcription=True,
            parameters=frozenset(
                {
                    "temperature",
                    "max_tokens",
                    "top_p",
                    "top_k",
                    "frequency_penalty",
                    "presence_penalty",
                    "seed",
                    "stop",
                    "n",
                    "response_format",
                    "reasoning_effort",
                    "thinking_budget",
                    "service_tier",
                    "logprobs",
                    "top_logprobs",
                    "safety_settings",
                    "system",
                }
            ),
        ),
    ),
    ProviderRow(
        name="cohere",
        label="Cohere",
        module="cohere",
        sdk="cohere",
        base_url="https://api.cohere.com",
        key_variable="CO_API_KEY",
        key_page="https://dashboard.cohere.com/api-keys",
        console="https://dashboard.cohere.com/billing",
        capabilities=Capabilities(
            tools=True,
            schema=True,
            images=True,
            embeddings=True,
            texts_at_once=96,
            transcription=True,
            parameters=frozenset(
                {
                    "temperature",
                    "max_tokens",
                    "top_p",
                    "top_k",
                    "frequency_penalty",
                    "presence_penalty",
                    "seed",
                    "stop",
                    "response_format",
                    "thinking_budget",
                    "logprobs",
                    "system",
                }
            ),
        ),
    ),
    ProviderRow(
        name="huggingface",
        label="Hugging Face",
        module="huggingface",
        sdk="huggingface_hub",
        base_url="https://router.huggingface.co/v1",
        key_variable="HF_TOKEN",
        key_page="https://huggingface.co/settings/tokens",
        console="https://huggingface.co/settings/billing",
        capabilities=Capabilities(
            tools=True,
            schema=True,
            images=True,
            embeddings=True,
            texts_at_once=32,
            transcription=True,
            parameters=_SHARED - {"verbosity", "service_tier"},
        ),
    ),
    ProviderRow(
        name="compatible",
        label="OpenAI-compatible endpoint",
        module="compatible",
        sdk="openai",
        capabilities=Capabilities(
            tools=True,
            schema=True,
            images=True,
            files=True,
            audio_input=True,
            embeddings=True,
            transcription=True,
            needs_key=False,
            needs_base_url=True,
            parameters=_SHARED | {"top_k", "min_p", "repetition_penalty"},
        ),
    ),
    ProviderRow(
        name="local",
        label="Local model",
        module="local",
        sdk="openai",
        lists_at_once=True,
        capabilities=Capabilities(
            tools=True,
            schema=True,
            needs_key=False,
            parameters=(_SHARED | {"top_k", "min_p", "repetition_penalty"}) - {"service_tier", "verbosity", "n"},
        ),
    ),
)

REGISTRY: dict[str, ProviderRow] = {row.name: row for row in _ROWS}
"""Provider name -> its row, in the order that pages show."""


def label(provider: str) -> str:
    """The vendor's own spelling."""
    return REGISTRY[provider].label if provider in REGISTRY else provider.capitalize()


def title(connection: LLMProvider) -> str:
    """What to call a connection in a text: the vendor, after the connection's own name where it has one."""
    vendor = label(connection.provider)
    return vendor if connection.name == connection.provider else f"{connection.name} · {vendor}"


def find(provider: str) -> ProviderRow:
    """Raises UnknownProvider."""
    try:
        return REGISTRY[provider]
    except KeyError:
        raise UnknownProvider(f"There is no provider {provider!r}.", f"Known ones: {', '.join(REGISTRY)}.") from None
