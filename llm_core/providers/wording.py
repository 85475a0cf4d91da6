"""What an error of a provider tells a person: what happened, and what to do about it."""

from __future__ import annotations

from ..errors import (
    ConnectionBroken,
    ContentRefused,
    ContextTooLong,
    KeyRefused,
    ModelNotFound,
    NoModelList,
    OutOfCredit,
    PermissionRefused,
    ProviderError,
    ProviderFailed,
    ProviderOverloaded,
    RateLimited,
    RedirectRefused,
    RequestRefused,
    TimedOut,
    TLSFailed,
    Unreachable,
    UnreadableAnswer,
)
from .registry import ProviderRow

_WORDS: dict[type[ProviderError], tuple[str, str]] = {
    KeyRefused: ("{label} refused the key", "Check that the key is whole and still valid{key_page}."),
    PermissionRefused: ("{label} does not allow this to the key", "Look at what the key's project may use."),
    OutOfCredit: ("The account at {label} is out of credit", "Add credit or raise its limit{console}."),
    RateLimited: ("{label} limits how much may be asked at once", "Wait a little, or send less at once."),
    ModelNotFound: ("{label} does not offer this model or address", "Look at the models this connection lists."),
    NoModelList: ("{label} takes calls, but lists no models", "Name a model yourself, as connection:model."),
    RequestRefused: ("{label} refused the request", "Change what it names."),
    ContextTooLong: (
        "The prompt is longer than the model can take",
        "Shorten it, or choose a model with a larger context.",
    ),
    ContentRefused: ("The content filter of {label} refused this", "Word it differently, or choose another model."),
    ProviderOverloaded: ("{label} is overloaded", "Try again in a while, or choose another model."),
    ProviderFailed: ("{label} failed", "Try again; if it lasts, look at the provider's status page."),
    Unreachable: ("{label} cannot be reached", "Check the address and the network, and that the server runs."),
    TLSFailed: (
        "No safe connection to {label} could be made",
        "If it uses a certificate of your own, name its ca_bundle.",
    ),
    TimedOut: ("{label} did not answer in time", "Allow more time, or ask for less."),
    ConnectionBroken: (
        "The connection to {label} broke before the answer was whole",
        "Try again; it may have been billed.",
    ),
    RedirectRefused: (
        "{label} answered with a redirect, which is never followed",
        "Use the final address as base URL.",
    ),
    UnreadableAnswer: (
        "{label} sent an answer that cannot be read",
        "Check the base URL: for OpenAI-compatible endpoints it usually ends in /v1.",
    ),
}


def wording(kind: type[ProviderError], label: str, row: ProviderRow) -> tuple[str, str]:
    """(what happened, without a full stop; what to do)"""
    headline, hint = _WORDS[kind]
    console = f" at {row.console}" if row.console else ""
    key_page = f", or make one at {row.key_page}" if row.key_page else ""
    return headline.format(label=label), hint.format(console=console, key_page=key_page)
