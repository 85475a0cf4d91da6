"""What a provider's keys look like, to catch a wrong paste before a request is made. Guidance: the provider decides.

Prefixes and lengths are what the vendors' key pages gave out by November 2026. They change without notice, so only
what is surely wrong is called so: another vendor's key, an administration key, a mask, a placeholder, a torn paste.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import InvalidInput
from .secret import Secret


@dataclass(frozen=True, slots=True)
class _Form:
    label: str
    begins: tuple[str, ...] = ()
    shortest: int = 0


_FORMS = {
    "openai": _Form("OpenAI", ("sk-",), 40),
    "anthropic": _Form("Anthropic", ("sk-ant-",), 60),
    "google": _Form("Google", ("AIza", "AQ."), 35),
    "cohere": _Form("Cohere", (), 32),
    "huggingface": _Form("Hugging Face", ("hf_", "api_org_"), 30),
}
_BELONGS_TO = (
    ("sk-ant-", "Anthropic"),
    ("sk-or-", "OpenRouter"),
    ("sk-proj-", "OpenAI"),
    ("sk-svcacct-", "OpenAI"),
    ("AIza", "Google"),
    ("hf_", "Hugging Face"),
    ("gsk_", "Groq"),
    ("xai-", "xAI"),
    ("pplx-", "Perplexity"),
    ("nvapi-", "NVIDIA"),
    ("ghp_", "GitHub"),
    ("AKIA", "Amazon Web Services"),
)
"""The first that fits counts, so longer beginnings stand before shorter ones."""
_NOT_FOR_CALLS = {
    "sk-admin-": "This is an OpenAI administration key, which cannot call models. Make a project key.",
    "sk-ant-admin": "This is an Anthropic administration key, which cannot call models. Make an API key.",
    "sk-ant-oat": "This is an Anthropic sign-in token, not an API key. Make a key in the Console.",
}
_PLACEHOLDER = re.compile(
    r"(?i)(your|insert|paste|enter|replace)\b.*|your.*(key|token|here)|<.*>|\$\{?\w+\}?|.*x{8,}.*"
)


def form_problem(provider: str, key: str) -> str | None:
    """What is wrong with a key as typed, in a sentence for the person; None where nothing speaks against trying it.

    For a connection to the vendor's own address: a proxy in front of it may use keys of any form.
    """
    if is_mask(key):
        return "This is the hidden form of a key, not the key. Copy it again where it was made."
    if _PLACEHOLDER.fullmatch(key.strip()):
        return "This is a placeholder, not a key."
    try:
        text = Secret.checked(key)
    except InvalidInput as error:
        return str(error)
    form = _FORMS.get(provider, _Form(""))
    for beginning, problem in _NOT_FOR_CALLS.items():
        if provider in ("openai", "anthropic") and text.startswith(beginning):
            return problem
    owner = next((label for beginning, label in _BELONGS_TO if text.startswith(beginning)), form.label)
    if form.label and owner != form.label:
        return f"This looks like a key of {owner}, not of {form.label}."
    if form.begins and not text.startswith(form.begins):
        return f"Keys of {form.label} begin with {' or '.join(form.begins)}."
    if len(text) < form.shortest:
        return f"This has {len(text)} letters; keys of {form.label} have {form.shortest} or more. Was it cut off?"
    return None


def is_mask(text: str) -> bool:
    """Whether it is what an interface shows in a key's place: stars or dots in it, as in sk-...9f2K."""
    return bool(re.search(r"\*{3,}|\.{3,}|[•…]", text))
