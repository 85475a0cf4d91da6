"""Money from usage and rates. Exact decimals; a class of usage whose rate is not known makes the whole cost unknown.

Knows nothing of where rates come from (`prices.py`) or which connection a model is reached by (`service.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal

from ..types import CENT_OF_A_MILLIONTH, Cost, Usage

_EXACT = Context(prec=60)
_IMPOSSIBLE = Decimal(10**8)
"""The ledger keeps costs under this many dollars; only wrong usage gets there."""

MOST_UNITS = 10**12
MOST_SECONDS = 10**9
"""More than this of anything in one call is wrong usage too, and has no cost."""

_NANOS = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class Unit:
    """What a price of a class is for: `per` of the class, in words `name`."""

    per: int
    name: str


_TOKENS = Unit(1_000_000, "million tokens")
UNITS: Mapping[str, Unit] = {
    "input_tokens": _TOKENS,
    "cache_read_tokens": _TOKENS,
    "cache_write_tokens": _TOKENS,
    "cache_write_1h_tokens": _TOKENS,
    "input_audio_tokens": _TOKENS,
    "cache_read_audio_tokens": _TOKENS,
    "output_tokens": _TOKENS,
    "reasoning_tokens": _TOKENS,
    "output_audio_tokens": _TOKENS,
    "audio_seconds": Unit(3600, "hour"),
    "images": Unit(1, "image"),
    "searches": Unit(1000, "thousand searches"),
    "requests": Unit(1000, "thousand requests"),
}
"""Every class that can have a rate, and the unit that its price is told in. `cache_write_tokens` are those kept for
five minutes, `cache_read_audio_tokens` audio that was read from the cache."""


@dataclass(frozen=True, slots=True)
class Rate:
    """US dollars for `per` units. Past a tier's start (in prompt tokens, strictly) its price counts for all units."""

    usd: Decimal
    per: int
    tiers: tuple[tuple[int, Decimal], ...] = ()
    """(start, price), highest start first."""

    def cost(self, units: int | Decimal, prompt_tokens: int) -> Decimal:
        price = self.usd
        if self.tiers:
            price = next((price for start, price in self.tiers if prompt_tokens > start), price)
        return _EXACT.divide(_EXACT.multiply(price, units), self.per)


@dataclass(frozen=True, slots=True)
class RateCard:
    """What one model costs at one moment in one mode. `rates` maps the classes of `cost_of` to their rate."""

    source: str
    effective_from: date | None = None
    rates: Mapping[str, Rate] = field(default_factory=dict)
    one_price_for_all_media: bool = False
    """The vendor lists a rate for audio only where it differs from text (Google)."""


def cost_of(usage: Usage | None, card: RateCard | None, mode: str = "standard") -> Cost:
    """The cost and its parts, each in US dollars to ten decimals; the parts add up to the cost exactly.

    `missing` names each class that was used and has no known rate, led by the mode if it is not the standard one;
    `model` stands for an unknown model, `rates` for one without any, `usage` for unknown or impossible usage.
    """
    if card is None:
        return Cost(None, missing=("model",))
    if usage is None:
        return Cost(None, source=card.source, effective_from=card.effective_from, missing=("usage",))
    exact: dict[str, Decimal] = {}
    missing: list[str] = []
    for name, units, rate in _used(usage, card):
        if rate is None:
            missing.append(name if mode == "standard" else f"{mode} {name}")
        else:
            exact[name] = rate.cost(units, usage.input_tokens)
    if not card.rates and not missing:
        missing.append("rates" if mode == "standard" else f"{mode} rates")
    total = sum(exact.values(), Decimal(0))
    if total >= _IMPOSSIBLE or _is_absurd(usage):
        missing.append("usage")
    if missing:
        return Cost(None, source=card.source, effective_from=card.effective_from, missing=tuple(missing))
    usd = _rounded(total)
    return Cost(usd, _adding_up(exact, usd), card.source, card.effective_from)


def _used(usage: Usage, card: RateCard) -> Iterator[tuple[str, int | Decimal, Rate | None]]:
    """Each class that was used, how much of it (no token twice), and its rate where known."""
    rates = card.rates
    by_time = rates.get("audio_seconds")
    if usage.audio_seconds and (by_time or not usage.total_tokens):
        yield "audio_seconds", _seconds(usage.audio_seconds), by_time
    if not (by_time and usage.audio_seconds and "input_tokens" not in rates):
        yield from _used_of_prompt(usage, card)
        yield from _used_of_answer(usage, card)
    if usage.searches:
        yield "searches", usage.searches, rates.get("searches")
    if usage.images:
        yield "images", usage.images, rates.get("images")
    if "requests" in rates:
        yield "requests", max(1, usage.requests), rates["requests"]


def _used_of_prompt(usage: Usage, card: RateCard) -> Iterator[tuple[str, int, Rate | None]]:
    rates = card.rates
    read, written, audio = usage.cache_read_tokens, usage.cache_write_tokens, usage.input_audio_tokens
    if card.one_price_for_all_media and "input_audio_tokens" not in rates:
        audio = 0
    cached_audio = _cached_audio(usage.input_tokens, read, written, audio)
    if cached_audio is None:
        yield "cache_read_audio_tokens", 0, None
        return
    text = usage.input_tokens - read - written - (audio - cached_audio)
    read -= cached_audio
    if audio - cached_audio:
        yield "input_audio_tokens", audio - cached_audio, rates.get("input_audio_tokens")
    if cached_audio:
        yield "cache_read_audio_tokens", cached_audio, rates.get("cache_read_audio_tokens")
    if text:
        yield "input_tokens", text, rates.get("input_tokens")
    if read:
        yield "cache_read_tokens", read, rates.get("cache_read_tokens")
    if short := written - usage.cache_write_1h_tokens:
        yield "cache_write_tokens", short, rates.get("cache_write_tokens")
    if long := usage.cache_write_1h_tokens:
        yield "cache_write_1h_tokens", long, rates.get("cache_write_1h_tokens")


def _cached_audio(prompt: int, read: int, written: int, audio: int) -> int | None:
    """How many of the tokens read from the cache were audio, where that follows from the totals; else None."""
    least, most = max(0, audio + read + written - prompt), min(audio, read + written)
    return least if least == most and not (least and written) else None


def _used_of_answer(usage: Usage, card: RateCard) -> Iterator[tuple[str, int, Rate | None]]:
    """Reasoning is billed as output unless the vendor lists a rate of its own; it is shown apart either way."""
    rates = card.rates
    text = usage.output_tokens
    if usage.output_audio_tokens and not (card.one_price_for_all_media and "output_audio_tokens" not in rates):
        text -= usage.output_audio_tokens
        yield "output_audio_tokens", usage.output_audio_tokens, rates.get("output_audio_tokens")
    reasoning = min(usage.reasoning_tokens, text)
    if reasoning:
        yield "reasoning_tokens", reasoning, rates.get("reasoning_tokens") or rates.get("output_tokens")
    if text - reasoning:
        yield "output_tokens", text - reasoning, rates.get("output_tokens")


def _seconds(seconds: float) -> Decimal:
    """To the nanosecond, as the ledger's own SQL counts them."""
    return _EXACT.divide(Decimal(round(seconds * 1e9)), _NANOS)


def _is_absurd(usage: Usage) -> bool:
    counts = (usage.input_tokens, usage.output_tokens, usage.images, usage.requests, usage.searches)
    return max(counts) >= MOST_UNITS or usage.audio_seconds >= MOST_SECONDS


def _rounded(usd: Decimal) -> Decimal:
    return usd.quantize(CENT_OF_A_MILLIONTH, context=_EXACT)


def _adding_up(exact: Mapping[str, Decimal], usd: Decimal) -> dict[str, Decimal]:
    """The parts rounded; what rounding leaves over goes to the largest, which it changes least."""
    parts = {name: _rounded(value) for name, value in exact.items()}
    if parts:
        largest = max(parts, key=lambda name: parts[name])
        parts[largest] += usd - sum(parts.values(), Decimal(0))
    return parts
