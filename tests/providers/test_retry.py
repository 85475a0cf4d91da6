"""When a failed attempt is tried again, and after how long."""

from __future__ import annotations

import pytest

from llm_core import errors
from llm_core.errors import ProviderError, ProviderOverloaded, RateLimited
from llm_core.providers.protocol import Deadline
from llm_core.providers.retry import LONGEST_SECONDS, RetryPolicy

FAR = Deadline(None)
RETRYABLE = {"RateLimited", "ProviderOverloaded", "ProviderFailed", "Unreachable"}


def highest(low: float, high: float) -> float:
    return high


def lowest(low: float, high: float) -> float:
    return low


def all_provider_errors() -> list[type[ProviderError]]:
    found = [getattr(errors, name) for name in dir(errors)]
    return [kind for kind in found if isinstance(kind, type) and issubclass(kind, ProviderError)]


@pytest.mark.parametrize("kind", all_provider_errors(), ids=lambda kind: kind.__name__)
def test_only_what_waiting_may_cure_is_tried_again(kind: type[ProviderError]) -> None:
    delay = RetryPolicy().delay(1, kind("It failed."), FAR)
    assert (delay is not None) == (kind.__name__ in RETRYABLE)


def test_waits_double_and_are_bounded() -> None:
    policy = RetryPolicy(attempts=20, uniform=highest)
    waits = [policy.delay(attempt, RateLimited(""), FAR) for attempt in range(1, 20)]
    assert waits[:5] == [0.5, 1, 2, 4, 8]
    assert max(wait or 0 for wait in waits) == LONGEST_SECONDS


def test_jitter_takes_any_part_of_the_wait() -> None:
    assert RetryPolicy(uniform=lowest).delay(1, RateLimited(""), FAR) == 0
    waits = {RetryPolicy().delay(2, RateLimited(""), FAR) for _ in range(50)}
    assert len(waits) > 40
    assert all(0 <= (wait or 0) <= 1 for wait in waits)


def test_attempts_are_counted_with_the_first() -> None:
    policy = RetryPolicy(attempts=3)
    tried = [policy.delay(attempt, ProviderOverloaded(""), FAR) is not None for attempt in (1, 2, 3)]
    assert tried == [True, True, False]
    assert RetryPolicy(attempts=1).delay(1, ProviderOverloaded(""), FAR) is None


@pytest.mark.parametrize(("asked", "least", "most"), [(7, 7, 7.25), (0, 0, 0.25), (3600, 30, 30), (30, 30, 30)])
def test_the_providers_wish_is_kept_up_to_a_bound(asked: float, least: float, most: float) -> None:
    error = RateLimited("", retry_after=asked)
    assert RetryPolicy(uniform=lowest).delay(1, error, FAR) == least
    assert RetryPolicy(uniform=highest).delay(1, error, FAR) == most


def test_a_wait_that_would_reach_the_deadline_is_not_begun() -> None:
    error = RateLimited("", retry_after=10)
    assert RetryPolicy().delay(1, error, Deadline(5)) is None
    assert RetryPolicy().delay(1, error, Deadline(60)) is not None
    assert RetryPolicy(uniform=lowest).delay(1, RateLimited(""), Deadline(0)) is None
