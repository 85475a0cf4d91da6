"""Which ids are priced: a vendor's own and their dated forms, and nothing that only looks like them."""

from __future__ import annotations

from typing import get_args

import pytest
from anthropic.types import ModelParam
from genai_prices.data_snapshot import get_snapshot
from openai.types import AllModels

from llm_core.catalog.prices import facts_of

INVENTED = [
    ("openai", "gpt-5-madeup"),
    ("openai", "gpt-5-nano-9"),
    ("openai", "gpt-5-nano-turbo"),
    ("openai", "gpt-99"),
    ("openai", "o3-madeup"),
    ("openai", "fake-moderation"),
    ("openai", ""),
    ("anthropic", "claude-madeup-1"),
    ("anthropic", "claude-opus-4-1-madeup"),
    ("anthropic", "claude-opus-4-12"),
    ("anthropic", "claude-opus-4-5.1"),
    ("anthropic", "my-claude-3-opus"),
    ("google", "gemini-1.5-flash-9b"),
    ("google", "gemini-3.6-flash-lite"),
    ("google", "gemini-3.5-flash-8b"),
    ("google", "gemini-2.5-pro-superfast"),
    ("google", "not-gemini-1.5-pro"),
    ("cohere", "command-a-plus-05-2026"),
    ("cohere", "command-zzz"),
    ("huggingface", "deepseek-ai/DeepSeek-R1"),
    ("huggingface", "deepseek-ai/DeepSeek-R1:fastest"),
    ("huggingface", "deepseek-ai/DeepSeek-R1:nowhere"),
    ("compatible", "gpt-4.1"),
    ("nobody", "gpt-4.1"),
]

DATED = [
    ("openai", "gpt-4o-2024-08-06"),
    ("openai", "gpt-5.2-20251211"),
    ("openai", "GPT-6-Luna-2026-10-01"),
    ("openai", "ft:gpt-4o-2024-08-06:team::9abc"),
    ("openai", "omni-moderation-latest"),
    ("anthropic", "claude-opus-4-1-20250805"),
    ("anthropic", "claude-3-5-sonnet-20241022-v2:0"),
    ("anthropic", "claude-2.1"),
    ("google", "models/gemini-2.5-pro"),
    ("google", "gemini-1.5-flash-002"),
    ("google", "gemini-2.5-flash-native-audio-preview-12-2025"),
    ("google", "gemini-3.1-pro-preview-customtools"),
    ("google", "gemma-3-27b-it"),
    ("google", "claude-haiku-4-5@20251001"),
    ("cohere", "c4ai-aya-expanse-32b"),
    ("huggingface", "deepseek-ai/DeepSeek-R1:novita"),
]

RETIRED = [
    ("anthropic", "claude-opus-4-1"),
    ("anthropic", "claude-3-opus-20240229"),
    ("google", "gemini-2.0-flash"),
    ("google", "gemini-1.5-pro-001"),
    ("openai", "gpt-4.5-preview-2025-02-27"),
]


@pytest.mark.parametrize(("provider", "model"), INVENTED)
def test_an_invented_id_is_not_taken_for_another_model(provider: str, model: str) -> None:
    assert facts_of(provider, model, None) is None


@pytest.mark.parametrize(("provider", "model"), DATED)
def test_a_dated_form_is_the_model_it_dates(provider: str, model: str) -> None:
    assert facts_of(provider, model, None) is not None


@pytest.mark.parametrize(("provider", "model"), RETIRED)
def test_a_retired_model_keeps_its_price(provider: str, model: str) -> None:
    assert facts_of(provider, model, None) is not None


def names(literal: object) -> set[str]:
    return {literal} if isinstance(literal, str) else {name for each in get_args(literal) for name in names(each)}


@pytest.mark.parametrize(("provider", "kind"), [("openai", AllModels), ("anthropic", ModelParam)])
def test_every_id_the_vendors_sdk_names_is_found_where_the_list_has_it(provider: str, kind: object) -> None:
    (listed,) = [each for each in get_snapshot().providers if each.id == provider]
    has = {name for name in names(kind) if listed.find_model(name)}
    assert len(has) > 15
    assert {name for name in has if facts_of(provider, name, None) is None} == set()


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "cohere"])
def test_every_model_of_the_list_is_found_by_its_own_name(provider: str) -> None:
    (listed,) = [each for each in get_snapshot().providers if each.id == provider]
    found_by_list = {model.id for model in listed.models if listed.find_model(model.id)}
    assert {name for name in found_by_list if facts_of(provider, name, None) is None} == set()


@pytest.mark.parametrize(
    ("url", "model", "priced"),
    [
        ("https://api.groq.com/openai/v1", "llama-3.1-8b-instant", True),
        ("https://openrouter.ai/api/v1", "openai/gpt-4.1", True),
        ("http://127.0.0.1:11434/v1", "gpt-4.1", False),
        ("https://vllm.example/v1", "gpt-4.1", False),
        (None, "gpt-4.1", False),
    ],
)
def test_a_compatible_endpoint_is_priced_only_where_the_list_knows_its_address(url, model: str, priced: bool) -> None:
    assert (facts_of("compatible", model, url) is not None) is priced
