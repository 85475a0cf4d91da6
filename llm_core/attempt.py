"""One request on the wire: its clock, its usage, its cost, its record. `service.py` decides if there is another."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from . import structured
from .errors import (
    ConnectionBroken,
    InvalidInput,
    LLMManagerError,
    NotConfigured,
    ProviderError,
    RecordNotKept,
    TimedOut,
)
from .guard import Guard, settle
from .providers.estimate import expected_tokens
from .providers.protocol import Adapter, Answer, ChatRequest, EmbedRequest, Piece, TranscribeRequest
from .providers.rate_limit import RateLimit, Turn
from .providers.retry import RetryPolicy
from .types import Cost, LLMProvider, Reply, Usage, UsageRecord

if TYPE_CHECKING:
    from .usage.budgets.service import Held

R = TypeVar("R", ChatRequest, EmbedRequest, TranscribeRequest)

log = logging.getLogger(__name__)

_NOT_BILLED = Cost(Decimal(0), {}, "not billed")
_UNPRICED = Cost(None)


@dataclass(frozen=True, slots=True)
class Labels:
    """What a caller attaches to a call, and every record of it carries."""

    task: str
    app: str | None = None
    user: str | None = None
    project: str | None = None
    preset: str | None = None
    preset_version: int | None = None
    source: str = "call"
    source_id: str | None = None
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Plan(Generic[R]):
    """A call that is ready to be sent: everything resolved and checked."""

    connection: LLMProvider
    adapter: Adapter
    request: R
    labels: Labels
    price: Callable[..., Cost]
    record: Callable[[UsageRecord], None]
    estimate: Callable[[R, Answer], Usage | None]
    """Usage of an answer for which the provider told none; None where nothing may have been billed."""
    limit: RateLimit | None = None
    """How fast its connection may be asked, where that is limited."""
    guard: Guard | None = None
    """What holds its requests to budgets."""
    mode: str = "standard"
    """The service tier asked for, as one of MODES."""
    schema: Any = None
    call_id: str = dataclasses.field(default_factory=lambda: os.urandom(16).hex())

    @property
    def model_id(self) -> str:
        return f"{self.connection.name}:{self.request.model}"

    def guarding(self) -> Guard | None:
        """Its guard, where it counts in a budget."""
        return self.guard if self.guard is not None and self.guard.is_needed(self) else None

    def turn(self) -> Turn | None:
        """A place in the line of its connection, where that is limited."""
        if self.limit is None:
            return None
        return self.limit.turn(expected_tokens(self.request) if self.limit.counts_tokens else 0)


class Attempt:
    """Measures one request from its beginning to `end`, which records it once and returns the reply."""

    @classmethod
    def begin(cls, plan: Plan[Any], number: int) -> Self:
        """Once its turn has come, with what it may take held in its budgets.

        Raises RateLimited, BudgetExceeded and Stopped: then there was no attempt, and nothing to record.
        """
        turn = plan.turn()
        if turn is not None:
            turn.wait(plan.request.deadline)
        guard = plan.guarding()
        with _given_back(turn):
            return cls(plan, number, turn, guard.hold(plan, number) if guard else None)

    @classmethod
    async def abegin(cls, plan: Plan[Any], number: int) -> Self:
        """As `begin`, on an event loop."""
        turn = plan.turn()
        if turn is not None:
            await turn.await_(plan.request.deadline)
        guard = plan.guarding()
        with _given_back(turn):
            return cls(plan, number, turn, await _held(guard, plan, number) if guard else None)

    def __init__(self, plan: Plan[Any], number: int, turn: Turn | None, held: Held | None = None) -> None:
        self.plan = plan
        self.number = number
        self._turn = turn
        self._held = held
        self.answer = Answer()
        self.started_at = held.at if held else datetime.now(UTC)
        self._clock = time.perf_counter()
        self._ttft_ms: float | None = None
        self._reply: Reply | None = None

    def piece(self, piece: Piece) -> None:
        """Note that something arrived; the first one sets the time to first token."""
        if self._ttft_ms is None and (piece.text or piece.reasoning):
            self._ttft_ms = self._elapsed_ms()

    def end(self, error: BaseException | None = None) -> Reply:
        """Record how it ended: `error` is None for success. A second call changes nothing."""
        if self._reply is not None:
            return self._reply
        latency_ms = self._elapsed_ms()
        status, kind = self._outcome(error)
        usage, usage_source = self._usage(status)
        cost = self._cost(usage, error)
        self._settle_turn(usage, cost)
        record = UsageRecord(
            id=self._held.id if self._held else os.urandom(16).hex(),
            provider=self.plan.connection.provider,
            connection=self.plan.connection.name,
            model=self.plan.request.model,
            model_reported=self.answer.model_reported,
            call_id=self.plan.call_id,
            attempt=self.number,
            started_at=self.started_at,
            mode=self._mode,
            task=self.plan.labels.task,
            app=self.plan.labels.app,
            user=self.plan.labels.user,
            project=self.plan.labels.project,
            preset=self.plan.labels.preset,
            preset_version=self.plan.labels.preset_version,
            source=self.plan.labels.source,
            source_id=self.plan.labels.source_id,
            tags=self.plan.labels.tags,
            usage=usage,
            usage_source=usage_source,
            raw_usage=self.answer.raw_usage,
            latency_ms=latency_ms,
            ttft_ms=self._ttft_ms,
            status=status,
            error_kind=kind,
            cost_usd=cost.usd,
            price_source=cost.source,
            price_from=cost.effective_from,
            request_id=self.answer.request_id or getattr(error, "request_id", None),
        )
        further = self._further_models(record)
        recorded = self._keep(record, *further)
        if self._held is not None:
            settle(self._held, record, cost, further, is_billed=cost is not _NOT_BILLED)
        self._reply = self._make_reply(record, cost, recorded)
        return self._reply

    def drop(self) -> None:
        """Nothing was sent: there is no record, and nothing stays held."""
        if self._held is not None:
            self._held.release()

    def _settle_turn(self, usage: Usage | None, cost: Cost) -> None:
        """Tell the limit of tokens what was used. Where nobody knows, what was expected stays."""
        if self._turn is None:
            return
        if usage is not None:
            used = (usage, *(further.usage for further in self.answer.further))
            self._turn.settle(sum(one.total_tokens for one in used))
        elif cost is _NOT_BILLED:
            self._turn.settle(0)

    @property
    def reply(self) -> Reply | None:
        """None until it ended."""
        return self._reply

    @property
    def _mode(self) -> str:
        return self.answer.mode or self.plan.mode

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self._clock) * 1000

    def _outcome(self, error: BaseException | None) -> tuple[str, str | None]:
        if error is None:
            return "ok", None
        kind = error.kind if isinstance(error, LLMManagerError) else None
        if isinstance(error, ConnectionBroken) or (isinstance(error, TimedOut) and self._ttft_ms is not None):
            return "partial", kind
        if isinstance(error, LLMManagerError):
            return "error", kind
        return ("error", "internal") if isinstance(error, Exception) else ("cancelled", None)

    def _usage(self, status: str) -> tuple[Usage | None, str]:
        """What the provider reported, else an estimate for an answer that ended early and may have been billed."""
        if self.answer.usage is not None:
            return self.answer.usage, "reported"
        if status == "error" or not self.answer.sent:
            return None, "unknown"
        try:
            usage = self.plan.estimate(self.plan.request, self.answer)
        except Exception:  # an estimate must never cost the record
            log.exception("The usage of a call on %s could not be estimated.", self.plan.model_id)
            usage = None
        return usage, "unknown" if usage is None else "estimated"

    def _cost(self, usage: Usage | None, error: BaseException | None) -> Cost:
        if usage is None:
            refused = isinstance(error, ProviderError) and (error.status or 0) >= 400
            return _NOT_BILLED if error is not None and (refused or not self.answer.sent) else _UNPRICED
        return self._price(self.plan.request.model, self.answer.model_reported, usage)

    def _price(self, model: str, reported: str | None, usage: Usage) -> Cost:
        """At the price of the model asked for, else of the one the provider says it ran (an alias has no price)."""
        cost = _UNPRICED
        for name in (model, reported):
            if name and cost.usd is None:
                try:
                    found = self.plan.price(f"{self.plan.connection.name}:{name}", usage, self.started_at, self._mode)
                except Exception:  # a price must never cost the record
                    log.exception("A call on %s could not be priced.", self.plan.model_id)
                    continue
                if found.usd is not None or not cost.missing:
                    cost = found
        return cost

    def _keep(self, *records: UsageRecord) -> bool:
        try:
            for record in records:
                self.plan.record(record)
        except RecordNotKept as error:
            log.warning("A call on %s was not recorded: %s", self.plan.model_id, error)
            return False
        return True

    def _further_models(self, main: UsageRecord) -> list[UsageRecord]:
        """One record, part 1, 2 ..., for each further model that this answer used and billed."""
        records = []
        for part, further in enumerate(self.answer.further, start=1):
            cost = self._price(further.model, None, further.usage)
            record = dataclasses.replace(
                main,
                id=os.urandom(16).hex(),
                part=part,
                model=further.model,
                model_reported=None,
                usage=further.usage,
                usage_source="reported",
                raw_usage=further.raw,
                latency_ms=None,
                ttft_ms=None,
                cost_usd=cost.usd,
                price_source=cost.source,
                price_from=cost.effective_from,
            )
            records.append(record)
        return records

    def _make_reply(self, record: UsageRecord, cost: Cost, recorded: bool) -> Reply:
        parsed, parse_error = None, None
        if self.plan.schema is not None and record.status == "ok" and not self.answer.tool_calls:
            parsed, parse_error = structured.parse(self.answer.text, self.plan.schema)
        return Reply(
            text=self.answer.text,
            model=self.plan.model_id,
            usage=record.usage,
            cost=cost,
            latency_ms=record.latency_ms or 0.0,
            record_id=record.id,
            ttft_ms=record.ttft_ms,
            finish=self.answer.finish,
            reasoning=self.answer.reasoning,
            tool_calls=tuple(self.answer.tool_calls),
            parsed=parsed,
            parse_error=parse_error,
            alternatives=tuple(self.answer.alternatives),
            logprobs=None if self.answer.logprobs is None else tuple(self.answer.logprobs),
            vectors=tuple(self.answer.vectors),
            segments=tuple(self.answer.segments),
            language=self.answer.language,
            attempts=self.number,
            recorded=recorded,
            usage_source=record.usage_source,
            model_reported=record.model_reported,
            request_id=record.request_id,
            status=record.status,
        )


async def _held(guard: Guard, plan: Plan[Any], number: int) -> Held | None:
    """On a thread. What it holds for a caller who left meanwhile is let go, even if the loop is over by then."""
    lock, is_left = threading.Lock(), False
    held: list[Held | None] = []

    def hold() -> None:
        found = guard.hold(plan, number)
        with lock:
            held.append(found)
            if is_left and found is not None:
                found.release()

    try:
        await asyncio.to_thread(hold)
    except asyncio.CancelledError:
        with lock:
            is_left = True
            if held and held[0] is not None:
                held[0].release()
        raise
    return held[0]


@contextmanager
def _given_back(turn: Turn | None) -> Iterator[None]:
    """The tokens of a turn, where no budget lets the request be sent."""
    try:
        yield
    except BaseException:
        if turn is not None:
            turn.settle(0)
        raise


def after_failure(attempt: Attempt, error: BaseException, policy: RetryPolicy, given_out: bool = False) -> float | None:
    """Record the failed attempt; the seconds to wait before the next one, or None to give up.

    A caller's mistake that was found before anything was sent is no attempt, and not recorded.
    """
    if isinstance(error, (InvalidInput, NotConfigured)) and not attempt.answer.sent:
        attempt.drop()
        return None
    attempt.end(error)
    if given_out or not isinstance(error, ProviderError):
        return None
    return policy.delay(attempt.number, error, attempt.plan.request.deadline)
