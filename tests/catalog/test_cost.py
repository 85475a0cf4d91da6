"""Costs in figures worked out by hand from the vendors' published rates, and the rule that unknown is never 0."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from llm_core.catalog.cost import Rate, RateCard, cost_of
from llm_core.catalog.prices import rates_of
from llm_core.types import Cost, Usage

TODAY = datetime(2026, 11, 24, 12, tzinfo=UTC)


def cost(model_id: str, usage: Usage | None, at: datetime = TODAY, mode: str = "standard", base_url=None) -> Cost:
    provider, _, model = model_id.partition(":")
    return cost_of(usage, rates_of(provider, model, base_url, at, mode), mode)


def test_cache_reads_and_writes_are_parts_of_the_prompt_and_counted_once() -> None:
    usage = Usage(
        input_tokens=10_000,
        cache_read_tokens=2_000,
        cache_write_tokens=3_000,
        cache_write_1h_tokens=1_000,
        output_tokens=500,
        searches=2,
    )
    found = cost("anthropic:claude-opus-4-1", usage)
    assert found.parts == {
        "input_tokens": Decimal("0.075"),  # 5,000 at 15 per million
        "cache_read_tokens": Decimal("0.003"),  # 2,000 at 1.5
        "cache_write_tokens": Decimal("0.0375"),  # 2,000 at 18.75
        "cache_write_1h_tokens": Decimal("0.03"),  # 1,000 at 30
        "output_tokens": Decimal("0.0375"),  # 500 at 75
        "searches": Decimal("0.02"),  # 2 at 10 per thousand
    }
    assert found.usd == Decimal("0.203")
    assert found.source.startswith("genai-prices ")
    assert found.missing == ()


def test_reasoning_is_part_of_the_output_and_billed_as_such() -> None:
    found = cost("openai:gpt-4.1", Usage(input_tokens=1, output_tokens=100, reasoning_tokens=77))
    assert found.parts["reasoning_tokens"] == Decimal("0.000616")
    assert found.parts["output_tokens"] == Decimal("0.000184")
    assert found.usd == Decimal("0.000802")


def test_audio_has_its_own_rates_on_both_sides() -> None:
    usage = Usage(input_tokens=150, input_audio_tokens=100, output_tokens=70, output_audio_tokens=50)
    found = cost("openai:gpt-audio", usage)
    assert found.usd == Decimal("0.006725")  # 50 x 2.5 + 100 x 32 + 20 x 10 + 50 x 64, per million
    assert found.parts["input_audio_tokens"] == Decimal("0.0032")


def test_google_bills_audio_as_any_input_where_it_lists_one_price() -> None:
    audio = Usage(input_tokens=1_000, input_audio_tokens=400, cache_read_tokens=100)
    assert cost("google:gemini-2.5-pro", audio) == cost(
        "google:gemini-2.5-pro", Usage(input_tokens=1_000, cache_read_tokens=100)
    )


def test_audio_beside_cached_tokens_is_priced_only_where_the_totals_tell_what_was_cached() -> None:
    model = "google:gemini-2.5-flash"
    unclear = cost(model, Usage(input_tokens=1_000, input_audio_tokens=400, cache_read_tokens=500))
    assert unclear.usd is None
    assert unclear.missing == ("cache_read_audio_tokens",)
    all_audio = cost(model, Usage(input_tokens=1_000, input_audio_tokens=1_000, cache_read_tokens=500))
    assert all_audio.usd == Decimal("0.00055")  # 500 at 1 and 500 at 0.1
    all_cached = cost(model, Usage(input_tokens=1_000, input_audio_tokens=400, cache_read_tokens=1_000))
    assert all_cached.usd == Decimal("0.000058")  # 400 at 0.1 and 600 at 0.03


def test_transcription_is_billed_by_the_hour_where_that_is_the_price() -> None:
    assert cost("openai:whisper-1", Usage(audio_seconds=90.5)).usd == Decimal("0.00905")
    by_tokens = Usage(input_tokens=100, input_audio_tokens=100, output_tokens=10, audio_seconds=10)
    assert cost("openai:gpt-4o-transcribe", by_tokens).parts.keys() == {"input_audio_tokens", "output_tokens"}
    assert cost("openai:gpt-4.1", Usage(audio_seconds=10)).missing == ("audio_seconds",)
    assert cost("openai:whisper-1", Usage(input_tokens=10)).usd is None
    assert cost("openai:whisper-1", Usage(input_tokens=10, audio_seconds=90.5)).usd == Decimal("0.00905")


@pytest.mark.parametrize(("prompt", "usd"), [(200_000, "0.615"), (200_001, "1.222506")])
def test_a_tier_begins_past_its_start_and_counts_for_the_whole_request(prompt: int, usd: str) -> None:
    assert cost("anthropic:claude-sonnet-4-5", Usage(input_tokens=prompt, output_tokens=1_000)).usd == Decimal(usd)


def test_the_rates_of_the_time_of_the_call_count() -> None:
    usage = Usage(input_tokens=1_000_000)
    before, after = datetime(2025, 6, 9, 23, 59, tzinfo=UTC), datetime(2025, 6, 10, tzinfo=UTC)
    assert cost("openai:o3", usage, before).usd == 10
    assert cost("openai:o3", usage, before).effective_from is None
    assert cost("openai:o3", usage, after).usd == 2
    assert cost("openai:o3", usage, after).effective_from == date(2025, 6, 10)


def test_days_change_in_utc_whatever_zone_the_time_is_told_in() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert cost("openai:o3", Usage(input_tokens=1_000_000), datetime(2025, 6, 10, 5, 29, tzinfo=india)).usd == 10
    assert cost("openai:o3", Usage(input_tokens=1_000_000), datetime(2025, 6, 10, 5, 30, tzinfo=india)).usd == 2
    assert cost("openai:o3", Usage(input_tokens=1_000_000), datetime(2025, 6, 10)).usd == 2


def test_a_change_that_was_announced_counts_from_its_day() -> None:
    usage = Usage(input_tokens=1_000_000)
    assert cost("google:gemini-4-argon", usage, datetime(2026, 11, 30, tzinfo=UTC)).usd == 2
    assert cost("google:gemini-4-argon", usage, datetime(2026, 12, 1, tzinfo=UTC)).usd == 4


def test_rates_that_change_within_a_day_follow_the_hour() -> None:
    url, usage = "https://api.deepseek.com/v1", Usage(input_tokens=1_000_000)
    by_hour = {
        cost("compatible:deepseek-v4-pro", usage, datetime(2026, 11, 24, hour, tzinfo=UTC), base_url=url).usd
        for hour in range(24)
    }
    assert len(by_hour) == 2


@pytest.mark.parametrize(("mode", "usd"), [("standard", "0.5"), ("batch", "0.25"), ("flex", "0.25"), ("priority", "1")])
def test_each_mode_has_its_own_rates(mode: str, usd: str) -> None:
    usage = Usage(input_tokens=200_000, cache_read_tokens=100_000, output_tokens=978_000)
    assert cost("openai:gpt-6-luna", usage, mode=mode).usd == Decimal(usd)


def test_a_mode_without_a_rate_of_its_own_for_what_was_used_is_unknown() -> None:
    plain, cached = Usage(input_tokens=1_000), Usage(input_tokens=1_000, cache_read_tokens=1)
    assert cost("openai:gpt-4.1", plain, mode="batch").usd == Decimal("0.001")
    assert cost("openai:gpt-4.1", cached, mode="batch").missing == ("batch cache_read_tokens",)
    assert cost("cohere:command-a-03-2025", plain, mode="batch").missing == ("batch input_tokens",)
    assert cost("openai:gpt-4.1", plain, datetime(2020, 1, 1, tzinfo=UTC), "batch").usd is None


def test_a_modes_rates_are_dated_by_their_own_beginning() -> None:
    assert cost("openai:gpt-6-luna", Usage(input_tokens=1)).effective_from is None
    assert cost("openai:gpt-6-luna", Usage(input_tokens=1), mode="batch").effective_from == date(2026, 10, 14)


def test_googles_batch_keeps_its_cache_price_and_searches_cost_the_same_in_all_modes() -> None:
    usage = Usage(input_tokens=1_000, cache_read_tokens=1_000, searches=1)
    assert cost("google:gemini-2.5-pro", usage, mode="batch").usd == Decimal("0.035125")


def test_cohere_bills_cached_tokens_as_any_others() -> None:
    """As in a recorded answer: 2,406 tokens billed, all of them cached, at 0.0375 dollars a million."""
    usage = Usage(input_tokens=2_406, cache_read_tokens=2_406, output_tokens=2)
    assert cost("cohere:command-r7b-12-2024", usage).usd == Decimal("0.0000905250")


@pytest.mark.parametrize(
    "usage",
    [
        Usage(input_tokens=10, cache_write_tokens=5),
        Usage(input_tokens=10, cache_write_tokens=5, cache_write_1h_tokens=5),
        Usage(input_tokens=10, input_audio_tokens=5),
        Usage(output_tokens=10, output_audio_tokens=5),
        Usage(input_tokens=10, searches=1),
        Usage(images=1),
        Usage(audio_seconds=1.5),
    ],
)
def test_a_class_without_a_rate_makes_the_cost_unknown_and_is_named(usage: Usage) -> None:
    found = cost("cohere:command-a-03-2025", usage)
    assert found.usd is None
    assert found.parts == {}
    (missing,) = found.missing
    assert getattr(usage, missing) > 0


def test_no_usage_costs_nothing_only_where_it_is_known_to_be_none() -> None:
    assert cost("openai:gpt-4.1", Usage()).usd == 0
    assert cost("openai:gpt-4.1", None).missing == ("usage",)
    assert cost("openai:nothing-like-it", Usage()).missing == ("model",)


def test_a_sum_that_no_call_can_cost_is_unknown() -> None:
    assert cost("openai:gpt-4.1", Usage(input_tokens=2**62)).missing == ("usage",)


def test_parts_are_rounded_so_that_they_still_add_up() -> None:
    rate = Rate(Decimal(4), 10**11)
    card = RateCard("made up", rates={"input_tokens": rate, "output_tokens": rate, "cache_read_tokens": rate})
    found = cost_of(Usage(input_tokens=2, cache_read_tokens=1, output_tokens=1), card)
    assert found.usd == Decimal("0.0000000001")  # 1.2 of it, in three parts of 0.4
    assert sum(found.parts.values()) == found.usd
    assert all(part.as_tuple().exponent >= -10 for part in found.parts.values())


def test_requests_are_charged_where_they_have_a_price_and_ignored_elsewhere() -> None:
    card = RateCard("made up", rates={"requests": Rate(Decimal(5), 1000)})
    assert cost_of(Usage(), card).usd == Decimal("0.005")
    assert cost_of(Usage(requests=3), card).usd == Decimal("0.015")
    assert cost("openai:gpt-4.1", Usage(requests=3)).usd == 0
