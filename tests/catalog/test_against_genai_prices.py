"""Every model of the five vendors, priced here and by genai-prices itself: the same sum, or an honest unknown.

Where we know better, by the vendor's own page, our price has that page as its source: `test_corrections.py` lists them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from genai_prices import Usage as TheirUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.catalog import prices
from llm_core.catalog.cost import cost_of
from llm_core.types import CENT_OF_A_MILLIONTH, MODES, Usage

CONTEXT = {"standard": None, "batch": {"processing": "batch"}} | {
    tier: {"service_tier": tier} for tier in ("flex", "priority")
}

OURS = [
    (seller, model)
    for seller in get_snapshot().providers
    if seller.id in ("openai", "anthropic", "google", "cohere") or seller.id.startswith("huggingface_")
    for model in seller.models
    if seller.find_model(model.id) is model
]

FIXED = [
    Usage(input_tokens=1_234, output_tokens=567, reasoning_tokens=89),
    Usage(input_tokens=300_001, cache_read_tokens=200_000, output_tokens=1),
    Usage(input_tokens=5_000, cache_write_tokens=3_000, cache_write_1h_tokens=1_000, searches=3),
    Usage(input_tokens=700, input_audio_tokens=300, output_tokens=200, output_audio_tokens=150),
    Usage(input_tokens=700, input_audio_tokens=700, cache_read_tokens=200),
    Usage(audio_seconds=12.34),
]


def our_name(seller: Any, model: Any) -> tuple[str, str]:
    if seller.id.startswith("huggingface_"):
        return "huggingface", f"{model.id}:{seller.id.removeprefix('huggingface_')}"
    return seller.id, model.id


def theirs(seller: Any, model: Any, usage: Usage, at: datetime, mode: str) -> Decimal:
    """What genai-prices says, given our usage in its terms."""
    rates = model.get_prices(at)
    values: dict[str, Any] = {
        "input_tokens": usage.input_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "output_tokens": usage.output_tokens,
        "output_reasoning_tokens": usage.reasoning_tokens,
        "web_searches": usage.searches,
    }
    if usage.input_audio_tokens and rates.input_audio_mtok is not None:
        values["input_audio_tokens"] = usage.input_audio_tokens
        if usage.cache_read_tokens:
            values["cache_audio_read_tokens"] = min(usage.cache_read_tokens, usage.input_audio_tokens)
    if rates.output_audio_mtok is not None:
        values["output_audio_tokens"] = usage.output_audio_tokens
    if rates.audio_hours is not None:
        values["audio_seconds"] = values["input_audio_seconds"] = usage.audio_seconds
    found = calc_price(
        TheirUsage(**values),
        model.id,
        provider_id=seller.id,
        genai_request_timestamp=at,
        price_context=CONTEXT[mode],
    )
    return found.total_price.quantize(CENT_OF_A_MILLIONTH)


def check(seller: Any, model: Any, usage: Usage, at: datetime, mode: str) -> bool:
    """Whether it could be priced; fails where the sums differ or an unknown has no reason."""
    provider, name = our_name(seller, model)
    card = prices.rates_of(provider, name, None, at, mode)
    assert card is not None
    if not card.source.startswith("genai-prices"):
        return False
    ours = cost_of(usage, card, mode)
    if ours.usd is None:
        assert ours.missing
        for missing in ours.missing:
            assert missing.removeprefix(f"{mode} ") not in card.rates or missing == "usage"
        return False
    assert sum(ours.parts.values()) == ours.usd
    assert ours.usd == theirs(seller, model, usage, at, mode)
    return True


def test_every_model_in_every_mode_costs_the_same() -> None:
    priced = dict.fromkeys(MODES, 0)
    for at in (
        datetime(2025, 3, 1, tzinfo=UTC),
        datetime(2026, 11, 24, 12, tzinfo=UTC),
        datetime(2027, 2, 1, tzinfo=UTC),
    ):
        for seller, model in OURS:
            for mode in MODES:
                for usage in FIXED:
                    priced[mode] += check(seller, model, usage, at, mode)
    assert priced["standard"] > 2_000
    assert min(priced.values()) > 50


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Any usage whose cached audio follows from its totals."""
    count = st.one_of(st.integers(0, 500_000), st.integers(0, 10**9))
    prompt, answer = draw(count), draw(count)
    read = draw(st.integers(0, prompt))
    written = draw(st.integers(0, prompt - read))
    return Usage(
        input_tokens=prompt,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=draw(st.integers(0, written)),
        input_audio_tokens=draw(st.sampled_from([0, prompt])) if not written else 0,
        output_tokens=answer,
        reasoning_tokens=draw(st.integers(0, answer)),
        output_audio_tokens=draw(st.integers(0, answer)),
        searches=draw(st.integers(0, 9)),
    )


@settings(max_examples=400, deadline=None)
@given(
    sold=st.sampled_from(OURS),
    usage=usages(),
    at=st.datetimes(datetime(2023, 1, 1), datetime(2028, 1, 1)),
    offset=st.integers(-12, 14),
    mode=st.sampled_from(MODES),
)
def test_any_usage_at_any_time_costs_the_same(sold, usage: Usage, at: datetime, offset: int, mode: str) -> None:
    check(*sold, usage, at.replace(tzinfo=UTC) + timedelta(hours=offset), mode)


def edges(seller: Any, model: Any) -> tuple[list[datetime], list[int]]:
    """The moments at which a model's price changes, and the prompt lengths at which it does."""
    dated = model.prices if isinstance(model.prices, list) else []
    rules = [*dated, *(model.price_variants or ())]
    days = [rule.constraint.start_date for rule in rules if hasattr(rule.constraint, "start_date")]
    prices = [rule.prices for rule in rules] or [model.prices]
    tiers = [tier.start for each in prices for rate in vars(each).values() for tier in getattr(rate, "tiers", ())]
    return [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in sorted(set(days))], sorted(set(tiers))


def test_around_every_change_of_date_and_every_tier_the_cost_is_the_same() -> None:
    changes = 0
    for seller, model in OURS:
        days, tiers = edges(seller, model)
        moments = [day + timedelta(seconds=by) for day in days for by in (-1, 0)] or [
            datetime(2026, 11, 24, tzinfo=UTC)
        ]
        prompts = [start + by for start in tiers for by in (0, 1)] or [7]
        changes += len(days) + len(tiers)
        for mode in MODES if days or tiers else ():
            for at in moments:
                for prompt in prompts:
                    usage = Usage(input_tokens=prompt, cache_read_tokens=prompt // 3, output_tokens=prompt // 2)
                    check(seller, model, usage, at, mode)
    assert changes > 150


@settings(max_examples=100, deadline=None)
@given(sold=st.sampled_from(OURS), parts=st.lists(st.integers(0, 10**6), min_size=2, max_size=2))
def test_more_tokens_never_cost_less(sold, parts: list[int]) -> None:
    provider, name = our_name(*sold)
    card = prices.rates_of(provider, name, None, datetime(2026, 11, 24, tzinfo=UTC), "standard")
    few, many = (cost_of(Usage(input_tokens=n), card).usd for n in sorted(parts))
    assert (few is None) is (many is None) or min(parts) == 0
    assert few is None or many is None or few <= many
