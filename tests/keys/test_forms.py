from __future__ import annotations

import pytest

from llm_core.keys import APIKeyManager
from llm_core.keys.forms import form_problem

LETTERS = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA" * 6
GOOD = {
    "openai": [f"sk-{LETTERS[:48]}", f"sk-proj-{LETTERS[:156]}", f"sk-svcacct-{LETTERS[:100]}"],
    "anthropic": [f"sk-ant-api03-{LETTERS[:95]}"],
    "google": [f"AIza{LETTERS[:35]}", f"AQ.{LETTERS[:50]}"],
    "cohere": [LETTERS[:40]],
    "huggingface": [f"hf_{LETTERS[:34]}"],
    "compatible": [f"sk-or-v1-{LETTERS[:64]}", f"gsk_{LETTERS[:52]}", "ollama", LETTERS[:32]],
}


@pytest.mark.parametrize(("provider", "key"), [(provider, key) for provider, keys in GOOD.items() for key in keys])
def test_nothing_is_said_against_keys_of_the_vendors_forms(provider, key) -> None:
    assert form_problem(provider, key) is None
    assert form_problem(provider, f"  {key}\n") is None


@pytest.mark.parametrize(
    ("provider", "key", "words"),
    [
        ("openai", "", "empty"),
        ("openai", "sk-two words", "blank"),
        ("openai", f"sk-ant-api03-{LETTERS[:95]}", "Anthropic, not of OpenAI"),
        ("openai", f"sk-or-v1-{LETTERS[:64]}", "OpenRouter"),
        ("openai", f"sk-admin-{LETTERS[:100]}", "administration"),
        ("openai", f"sk-{LETTERS[:20]}", "23 letters"),
        ("openai", LETTERS[:51], "begin with sk-"),
        ("openai", "sk-…9f2K", "hidden form"),
        ("openai", "sk-proj-****WXYZ", "hidden form"),
        ("openai", "YOUR_API_KEY", "placeholder"),
        ("openai", "<your key>", "placeholder"),
        ("openai", "$OPENAI_API_KEY", "placeholder"),
        ("openai", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", "placeholder"),
        ("anthropic", f"sk-proj-{LETTERS[:100]}", "OpenAI, not of Anthropic"),
        ("anthropic", f"sk-ant-admin01-{LETTERS[:90]}", "administration"),
        ("anthropic", f"sk-ant-oat01-{LETTERS[:90]}", "sign-in token"),
        ("anthropic", f"sk-ant-api03-{LETTERS[:20]}", "cut off"),
        ("google", f"hf_{LETTERS[:34]}", "Hugging Face"),
        ("google", "AIza1234567890", "cut off"),
        ("huggingface", f"AIza{LETTERS[:35]}", "Google"),
        ("cohere", f"sk-ant-api03-{LETTERS[:95]}", "Anthropic"),
        ("cohere", "short", "cut off"),
        ("compatible", "two words", "blank"),
    ],
)
def test_what_is_surely_wrong_is_said_in_a_sentence_without_the_key(provider, key, words) -> None:
    problem = form_problem(provider, key)
    assert problem is not None
    assert words in problem
    assert problem.endswith((".", "?"))
    if len(key) > 12:
        assert key not in problem


def test_the_manager_offers_it(keys: APIKeyManager) -> None:
    assert keys.form_problem("openai", "x") == form_problem("openai", "x") is not None
