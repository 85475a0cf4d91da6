"""Answers that other price calculators have got wrong, each with the right figure, worked out from published rates."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from llm_core.catalog.cost import cost_of
from llm_core.catalog.prices import rates_of
from llm_core.types import Cost, Usage

MILLION = 1_000_000
NOW = "2026-11-24"


def cost(model_id: str, usage: Usage, day: str = NOW, mode: str = "standard") -> Cost:
    provider, _, model = model_id.partition(":")
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return cost_of(usage, rates_of(provider, model, None, at, mode), mode)


CACHED = Usage(input_tokens=100_000, cache_read_tokens=90_000, output_tokens=1_000)


@pytest.mark.parametrize(
    ("model", "usd"),
    [
        ("openai:gpt-4.1", "0.073"),  # 10,000 at 2, 90,000 at 0.5, 1,000 at 8: not 0.253, with the prompt counted whole
        ("google:gemini-2.5-flash", "0.0082"),  # 10,000 at 0.3, 90,000 at 0.03, 1,000 at 2.5
        ("anthropic:claude-sonnet-4-5", "0.072"),  # 10,000 at 3, 90,000 at 0.3, 1,000 at 15
    ],
)
def test_cached_tokens_are_billed_once(model: str, usd: str) -> None:
    assert cost(model, CACHED).usd == Decimal(usd)


def test_audio_is_billed_at_its_own_rate_not_at_that_of_text() -> None:
    heard = Usage(input_tokens=MILLION, input_audio_tokens=MILLION)
    assert cost("openai:gpt-4o-transcribe", heard).usd == 6  # litellm: 2.5
    assert cost("openai:gpt-4o-mini-transcribe", heard).usd == 3
    assert cost("google:gemini-2.5-flash", heard).usd == 1
    assert cost("openai:gpt-transcribe", Usage(audio_seconds=60)).usd == Decimal("0.0045")


def test_retired_models_keep_their_price_and_invented_ones_have_none() -> None:
    used = Usage(input_tokens=1_000, output_tokens=1_000)
    assert cost("anthropic:claude-opus-4-1", used).usd == Decimal("0.09")
    assert cost("anthropic:claude-3-opus-20240229", used).usd == Decimal("0.09")
    assert cost("google:gemini-2.0-flash", used).usd == Decimal("0.0005")
    assert cost("anthropic:claude-madeup-1", used).missing == ("model",)


@pytest.mark.parametrize(
    ("model", "start", "below", "above"),
    [
        ("anthropic:claude-haiku-5-5", 100_000, "0.01", "0.0500005"),
        ("google:gemini-1.5-flash", 128_000, "0.0096", "0.01920015"),
        ("anthropic:claude-sonnet-4-5", 200_000, "0.6", "1.200006"),
        ("google:gemini-2.5-pro", 200_000, "0.25", "0.5000025"),
        ("openai:gpt-5.4", 272_000, "0.68", "1.360005"),
    ],
)
def test_past_its_start_a_tier_counts_for_the_whole_request(model: str, start: int, below: str, above: str) -> None:
    assert cost(model, Usage(input_tokens=start)).usd == Decimal(below)
    assert cost(model, Usage(input_tokens=start + 1)).usd == Decimal(above)


READ = Usage(input_tokens=MILLION // 10, cache_read_tokens=MILLION // 10)
PROMPT = Usage(input_tokens=MILLION // 10)


@pytest.mark.parametrize(
    ("model", "usage", "day", "before", "after"),
    [
        ("openai:gpt-5.6-sol", PROMPT, "2026-08-21", "0.5", "0.4"),
        ("openai:gpt-5.6-luna", PROMPT, "2026-07-30", "0.1", "0.02"),
        ("openai:gpt-5.6-terra", PROMPT, "2026-07-30", "0.25", "0.2"),
        ("openai:o3", PROMPT, "2025-06-10", "1", "0.2"),
        ("anthropic:claude-sonnet-5-5", READ, "2026-10-07", "0.02", "0.01"),
        ("google:gemini-3.6-flash", PROMPT, "2026-08-13", "0.15", "0.075"),
        ("google:gemini-4-argon", PROMPT, "2026-12-01", "0.2", "0.4"),
        ("google:gemini-3.6-flash", PROMPT, "2027-01-01", "0.075", "0.15"),
        ("google:gemini-3.7-flash", PROMPT, "2027-01-01", "0.075", "0.15"),
        ("google:gemini-3.8-flash", PROMPT, "2027-01-01", "0.075", "0.15"),
    ],
)
def test_a_price_changes_at_midnight_utc_of_its_day(
    model: str, usage: Usage, day: str, before: str, after: str
) -> None:
    provider, _, name = model.partition(":")
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    last = datetime.fromtimestamp(midnight.timestamp() - 1, UTC)
    for at, usd in ((last, before), (midnight, after)):
        assert cost_of(usage, rates_of(provider, name, None, at, "standard")).usd == Decimal(usd)


def test_batch_halves_tokens_but_gemini_keeps_its_cache_price() -> None:
    assert cost("google:gemini-2.5-flash", PROMPT, mode="batch").usd == Decimal("0.015")
    assert cost("google:gemini-2.5-flash", READ, mode="batch").usd == Decimal("0.003")  # 0.03 a million, as always
    assert cost("openai:gpt-4.1", READ, mode="batch").missing == ("batch cache_read_tokens",)  # none is published


def test_a_rerouted_model_keeps_its_published_price() -> None:
    """How Google bills gemini-3.5-flash since it is routed to 3.6 is not proven, so its own price stays."""
    assert cost("google:gemini-3.5-flash", PROMPT).usd == Decimal("0.15")


def test_a_route_of_hugging_face_has_the_price_of_its_provider() -> None:
    both = Usage(input_tokens=MILLION, output_tokens=MILLION)
    assert cost("huggingface:deepseek-ai/DeepSeek-R1:novita", both).usd == Decimal("3.2")
    assert cost("huggingface:deepseek-ai/DeepSeek-R1:together", both).usd == 10
    assert cost("huggingface:deepseek-ai/DeepSeek-R1", both).missing == ("model",)


def test_what_cohere_does_not_publish_is_unknown_not_free() -> None:
    assert cost("cohere:command-a-plus-05-2026", PROMPT).missing == ("model",)
