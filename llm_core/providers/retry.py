"""Whether a failed attempt is tried again, and after how long. One policy for every provider; the SDKs' own are off."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import ProviderError
from .protocol import Deadline

BASE_SECONDS = 0.5
LONGEST_SECONDS = 30.0
"""No wait is longer, whatever the provider asks for: a caller would rather have the error."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `attempts` requests for one call, the first included.

    Waits grow as 0.5, 1, 2 ... seconds with full jitter: a random part of the whole, so that many callers that failed
    together do not come back together ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """

    attempts: int = 3
    uniform: Callable[[float, float], float] = random.uniform

    def delay(self, attempt: int, error: ProviderError, deadline: Deadline) -> float | None:
        """Seconds to wait after `attempt` (counted from 1) failed; None to give up.

        Only errors that say so are tried again. A wait the provider asked for is kept, up to LONGEST_SECONDS, with a
        little jitter on top. None also where the wait would reach the deadline.
        """
        if attempt >= self.attempts or not error.retryable:
            return None
        if error.retry_after is None:
            ceiling = min(LONGEST_SECONDS, BASE_SECONDS * 2.0 ** min(attempt - 1, 16))
            seconds = self.uniform(0.0, ceiling)
        else:
            seconds = min(LONGEST_SECONDS, error.retry_after + self.uniform(0.0, BASE_SECONDS / 2))
        left = deadline.left()
        return seconds if left is None or seconds < left else None
