"""How fast one connection may be asked: requests and tokens a minute, kept here so that the vendor need not say 429.

What began in the last minute counts, whatever minute one looks at. A call that would be too many waits for its turn, in
the order of arrival, as long as its deadline allows. Tokens are reserved by an estimate and corrected by what the
answer used. Each process counts its own calls: several that share a connection can together ask more.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from itertools import chain

from ..errors import RateLimited
from ..types import LLMProvider
from .protocol import Deadline, Stopped

RATE_LIMITS = frozenset({"requests_per_minute", "tokens_per_minute"})
"""The options of a connection that limit it."""
WINDOW_SECONDS = 60.5
"""The vendors' minute, and a little for requests that take longer on their way than the one before."""
LOOK_AGAIN_SECONDS = (0.02, 1.0)
"""A turn may come earlier than was foreseen, when answers bring fewer tokens than was reserved for them."""


class RateLimit:
    """The limits of one connection and the turns taken under them. Safe to share between threads and event loops."""

    def __init__(self, connection: LLMProvider, window: float = WINDOW_SECONDS) -> None:
        self._lock = threading.Lock()
        self._window = window
        self._begun: deque[Turn] = deque()
        """Those of the last minute, the oldest first."""
        self._waiting: deque[Turn] = deque()
        self._spent = 0
        """Tokens of `_begun`."""
        self.follow(connection)

    def follow(self, connection: LLMProvider) -> None:
        """Take the limits of the connection as it is now."""
        with self._lock:
            self._connection = connection
            self._requests = connection.options.get("requests_per_minute") or math.inf
            self._tokens = connection.options.get("tokens_per_minute") or math.inf

    @property
    def counts_tokens(self) -> bool:
        return self._tokens < math.inf

    def turn(self, tokens: int = 0) -> Turn:
        """Stand in line. `tokens` is what the call is expected to use; one beyond the limit waits for a free minute."""
        turn = Turn(self, tokens)
        with self._lock:
            self._waiting.append(turn)
        return turn

    def seconds_until(self, turn: Turn) -> float:
        """0 where its turn is now: from then on it counts as begun. Else how long it takes, as things stand."""
        with self._lock:
            now = time.monotonic()
            while self._begun and self._begun[0].began <= now - self._window:
                gone = self._begun.popleft()
                gone.counts = False
                self._spent -= gone.tokens
            begins = self._foreseen(turn, now)
            if begins <= now:
                self._waiting.remove(turn)
                self._begun.append(turn)
                self._spent += turn.tokens
                turn.began, turn.counts = now, True
            return begins - now

    def settle(self, turn: Turn, tokens: int) -> None:
        """Count what a call used in place of what was expected."""
        with self._lock:
            if turn.counts:
                self._spent += tokens - turn.tokens
                turn.tokens = tokens

    def give_up(self, turn: Turn) -> None:
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)

    def refusal(self, seconds: float) -> RateLimited:
        connection = self._connection
        limits = [
            f"{limit:,} {what}"
            for limit, what in ((self._requests, "requests"), (self._tokens, "tokens"))
            if limit < math.inf
        ]
        return RateLimited(
            f"The connection {connection.name} is limited to {' and '.join(limits)} a minute here, and the turn of this"
            f" call would come in {seconds:.0f} s, after its deadline. Nothing was sent.",
            "Allow more time, send less at once, or raise the connection's limits.",
            provider=connection.provider,
            connection=connection.name,
            retry_after=seconds,
        )

    def _foreseen(self, turn: Turn, now: float) -> float:
        """When its turn comes, if those before it in line begin as soon as they may and use what they reserved."""
        count, spent, begins = len(self._begun), self._spent, now
        planned: list[tuple[float, int]] = []
        ends = chain(((one.began, one.tokens) for one in self._begun), planned)
        for one in self._waiting:
            while count and (count >= self._requests or spent + one.tokens > self._tokens):
                began, tokens = next(ends)
                begins = max(begins, began + self._window)
                count, spent = count - 1, spent - tokens
            if one is turn:
                break
            planned.append((begins, one.tokens))
            count, spent = count + 1, spent + one.tokens
        return begins


class Turn:
    """A call's place in line. `wait` or `await_`, then `settle` once it is known what was used."""

    def __init__(self, limit: RateLimit, tokens: int) -> None:
        self._limit = limit
        self.tokens = tokens
        self.began = math.inf
        self.counts = False
        """It began, within the last minute."""

    def wait(self, deadline: Deadline) -> None:
        """Until the call may be sent. Raises RateLimited where that is past the deadline, Stopped."""
        try:
            while pause := self._pause(deadline):
                deadline.wait(pause)
        except BaseException:
            self._limit.give_up(self)
            raise

    async def await_(self, deadline: Deadline) -> None:
        """As `wait`, on an event loop."""
        try:
            while pause := self._pause(deadline):
                await asyncio.sleep(pause)
        except BaseException:
            self._limit.give_up(self)
            raise

    def settle(self, tokens: int) -> None:
        self._limit.settle(self, tokens)

    def _pause(self, deadline: Deadline) -> float:
        if deadline.stopped:
            raise Stopped
        seconds, left = self._limit.seconds_until(self), deadline.left()
        if seconds > 0 and left is not None and seconds >= left:
            raise Stopped if deadline.stopped else self._limit.refusal(seconds)
        soonest, latest = LOOK_AGAIN_SECONDS
        return min(seconds, max(soonest, min(latest, seconds / 4)))
