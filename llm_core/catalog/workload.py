"""What a month of some work would cost on a model: the calls, their tokens and audio, at today's rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import InvalidInput
from ..types import MODES, Cost, Usage
from .cost import RateCard, cost_of

AUDIO_TOKENS_A_SECOND = {"google": 32}
"""Provider -> tokens that a second of audio counts as, where its documents say so: for Gemini,
https://ai.google.dev/gemini-api/docs/audio."""
_MOST_CALLS = 10**12


@dataclass(frozen=True, slots=True)
class Workload:
    """Calls a month, and what one of them takes and gives. `audio_minutes` too is of one call.

    `cached_share` is the part of the prompt, from 0 to 1, that is read from the provider's cache. Raises InvalidInput.
    """

    calls_per_month: int
    input_tokens: int = 0
    output_tokens: int = 0
    cached_share: float = 0.0
    audio_minutes: float = 0.0
    mode: str = "standard"

    def __post_init__(self) -> None:
        for name in ("calls_per_month", "input_tokens", "output_tokens"):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= _MOST_CALLS:
                raise InvalidInput(f"{name} must be a whole number of 0 or more, not {value!r}.")
        for name, most, told in (("cached_share", 1, "from 0 to 1"), ("audio_minutes", 10**6, "of 0 or more")):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
                raise InvalidInput(f"{name} must be a number {told}, not {value!r}.")
        if self.mode not in MODES:
            raise InvalidInput(f"There is no mode {self.mode!r}.", f"Use one of {', '.join(MODES)}.")


TYPICAL: Mapping[str, Workload] = {
    "chat": Workload(1_000, 2_000, 500),
    "summarize": Workload(1_000, 8_000, 500),
    "extract": Workload(1_000, 3_000, 300),
    "code": Workload(1_000, 10_000, 1_500, cached_share=0.5),
    "judge": Workload(1_000, 3_000, 200),
    "transcribe": Workload(1_000, 0, 1_500, audio_minutes=10),
}
"""Task -> a thousand calls as they usually are: assumptions to compare models by, not measurements.
Ten minutes of speech are about 1,500 words of transcript, written out by a model that is paid by tokens."""


def monthly_cost(workload: Workload, provider: str, card: RateCard | None) -> Cost:
    """US dollars a month. `missing` names what has no known rate, as in `cost_of`.

    Each call is priced alone, since tiers go by a single prompt, and multiplied then.
    """
    audio = workload.audio_minutes * 60
    by_time = card is not None and "audio_seconds" in card.rates
    tokens_a_second = AUDIO_TOKENS_A_SECOND.get(provider)
    if audio and card is not None and not by_time and tokens_a_second is None:
        return Cost(None, source=card.source, effective_from=card.effective_from, missing=("audio_seconds",))
    usage = _of_one_call(workload, audio if by_time else 0.0, tokens_a_second if audio and not by_time else None)
    one = cost_of(usage, card, workload.mode)
    if one.usd is None:
        return one
    calls = workload.calls_per_month
    parts = {name: usd * calls for name, usd in one.parts.items()}
    return Cost(one.usd * calls, parts, one.source, one.effective_from)


def _of_one_call(workload: Workload, seconds: float, tokens_a_second: int | None) -> Usage:
    spoken = math.ceil(workload.audio_minutes * 60 * tokens_a_second) if tokens_a_second else 0
    return Usage(
        input_tokens=workload.input_tokens + spoken,
        cache_read_tokens=round(workload.input_tokens * workload.cached_share),
        output_tokens=workload.output_tokens,
        input_audio_tokens=spoken,
        audio_seconds=seconds,
    )
