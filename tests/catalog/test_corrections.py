"""Where we are right and genai-prices is not: each case with what it says, what is right, and the vendor's page."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price

from llm_core.catalog.corrections import correction_rows
from llm_core.catalog.cost import UNITS, cost_of
from llm_core.catalog.prices import installed, rates_of
from llm_core.types import Usage

MILLION = 1_000_000


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def theirs(provider: str, model: str, usage: Usage, at: datetime) -> Decimal | None:
    values: dict[str, Any] = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    if usage.cache_read_tokens:
        values["cache_read_tokens"] = usage.cache_read_tokens
    try:
        return calc_price(TheirUsage(**values), model, provider_id=provider, genai_request_timestamp=at).total_price
    except LookupError:
        return None


PROMPT = Usage(input_tokens=100_000)
CACHED = Usage(input_tokens=100_000, cache_read_tokens=100_000)
LONG = Usage(input_tokens=128_001)

CASES = [
    # https://web.archive.org/web/20260813181124/https://ai.google.dev/gemini-api/docs/pricing
    ("google", "gemini-3.6-flash", PROMPT, "2026-08-12", "0.15", "0.075"),
    ("google", "gemini-3.6-flash", PROMPT, "2026-08-13", "0.075", "0.075"),
    # https://platform.claude.com/docs/en/release-notes/overview
    ("anthropic", "claude-sonnet-5-5", CACHED, "2026-10-06", "0.02", "0.01"),
    ("anthropic", "claude-sonnet-5-5", CACHED, "2026-10-07", "0.01", "0.01"),
    # https://developers.googleblog.com/en/gemini-15-flash-8b-is-now-generally-available-for-use/
    ("google", "gemini-1.5-flash-8b", PROMPT, "2025-01-01", "0.00375", "0.0075"),
    ("google", "gemini-1.5-flash-8b-001", LONG, "2025-01-01", "0.009600075", "0.01920015"),
    # https://web.archive.org/web/20250616024644id_/https://ai.google.dev/gemini-api/docs/pricing
    ("google", "gemini-2.5-pro-preview-06-05", CACHED, "2025-06-11", "0.031", "0.0125"),
    # https://platform.claude.com/docs/en/about-claude/pricing.md
    ("anthropic", "claude-mythos-5", PROMPT, "2026-11-24", "1", None),
    ("anthropic", "claude-mythos-5-1", CACHED, "2026-11-24", "0.025", None),
]


@pytest.mark.parametrize(("provider", "model", "usage", "at", "right", "wrong"), CASES)
def test_a_published_price_counts_before_the_list(
    provider: str, model: str, usage: Usage, at: str, right: str, wrong: str | None
) -> None:
    card = rates_of(provider, model, None, day(at), "standard")
    assert cost_of(usage, card).usd == Decimal(right)
    assert theirs(provider, model, usage, day(at)) == (wrong and Decimal(wrong))


def test_output_that_may_be_pictures_is_not_priced_as_text() -> None:
    """https://ai.google.dev/gemini-api/docs/pricing: text 12, pictures 120 dollars a million."""
    card = rates_of("google", "gemini-3-pro-image-preview", None, day("2026-11-24"), "standard")
    answer = Usage(input_tokens=10, output_tokens=1_120)
    assert cost_of(answer, card).missing == ("output_tokens",)
    assert theirs("google", "gemini-3-pro-image-preview", answer, day("2026-11-24")) < Decimal("0.02")


def test_every_correction_is_a_full_row_with_its_page_and_still_needed() -> None:
    for row in correction_rows():
        assert row["url"].startswith("https://")
        assert day(row["read_on"]) <= datetime.now(UTC)
        assert row["why"]
        assert row["rates"].keys() <= UNITS.keys()
        card = rates_of(row["provider"], row["model"], None, day(row.get("to") or "2026-11-24"), "standard")
        assert card is not None
        last = installed().find(row["provider"], row["model"]).modes["standard"][0].card
        assert last.source == f"{row['source']}, read {row['read_on']}"
    corrected = {(row["provider"], row["model"]) for row in correction_rows()}
    shown = {(provider, model) for provider, model, *_ in CASES}
    assert corrected <= shown
