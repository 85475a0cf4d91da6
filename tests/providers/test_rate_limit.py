"""Limits of a connection, kept before the vendor has to: turns in order, within the deadline, or an unsent refusal."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pandas as pd
import pytest

from llm_core import Usage, Workspace
from llm_core.errors import InvalidConnection, RateLimited, RequestRefused, TimedOut
from llm_core.providers import rate_limit
from llm_core.providers.protocol import Deadline, Stopped
from llm_core.providers.rate_limit import RateLimit, Turn
from llm_core.types import LLMProvider
from tests.waiting import PATIENCE_S, until
from tests.wire.calls import KEY
from tests.wire.replies import Say, failing
from tests.wire.server import WireServer

MODEL = "openai:gpt-6-luna"


class Clock:
    """Stands in for the monotonic clock, so that minutes pass at once."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(rate_limit, "time", made)
    return made


def limited(window: float = 60.0, **options: Any) -> RateLimit:
    return RateLimit(LLMProvider("openai", "openai", options=options), window)


def begin(limit: RateLimit, tokens: int = 0) -> float:
    """Take a turn and look once: the seconds until it comes, 0 when it began."""
    return limit.seconds_until(limit.turn(tokens))


def test_so_many_begin_at_once_and_the_next_when_the_first_is_a_minute_old(clock: Clock) -> None:
    limit = limited(requests_per_minute=3)
    assert begin(limit) == 0
    clock.now += 10
    assert [begin(limit), begin(limit)] == [0, 0]
    waiting = limit.turn()
    assert limit.seconds_until(waiting) == 50
    clock.now += 49.9
    assert limit.seconds_until(waiting) == pytest.approx(0.1)
    clock.now += 0.1
    assert limit.seconds_until(waiting) == 0


def test_no_minute_wherever_it_begins_holds_more_than_the_limit(clock: Clock) -> None:
    limit = limited(requests_per_minute=10)
    began: list[float] = []
    waiting: list[Turn] = []
    for step in range(600):
        if step % 3 == 0:
            waiting.append(limit.turn())
        for turn in [turn for turn in waiting if limit.seconds_until(turn) == 0]:
            waiting.remove(turn)
            began.append(clock.now)
        clock.now += 1
    assert max(sum(moment <= other < moment + 60 for other in began) for moment in began) == 10
    assert len(began) == 100  # and not fewer either: ten minutes of ten


def test_turns_come_in_the_order_of_arrival(clock: Clock) -> None:
    limit = limited(requests_per_minute=1)
    begin(limit)
    line = [limit.turn() for _ in range(3)]
    assert [limit.seconds_until(turn) for turn in reversed(line)] == [180, 120, 60]
    clock.now += 60
    assert [limit.seconds_until(turn) for turn in reversed(line)] == [120, 60, 0]


def test_tokens_are_reserved_and_then_counted_as_they_were_used(clock: Clock) -> None:
    limit = limited(tokens_per_minute=1000)
    first = limit.turn(800)
    assert limit.seconds_until(first) == 0
    second = limit.turn(300)
    assert limit.seconds_until(second) == 60
    first.settle(700)
    assert limit.seconds_until(second) == 0
    assert begin(limit, 1) == 60
    first.settle(100)
    assert begin(limit, 599) == 0


def test_more_tokens_than_expected_keep_the_next_one_waiting(clock: Clock) -> None:
    limit = limited(tokens_per_minute=1000)
    first = limit.turn(100)
    limit.seconds_until(first)
    first.settle(5000)
    assert begin(limit, 100) == 60


def test_a_call_beyond_the_whole_limit_gets_a_minute_of_its_own(clock: Clock) -> None:
    limit = limited(tokens_per_minute=1000)
    assert begin(limit, 1) == 0
    large = limit.turn(9000)
    assert limit.seconds_until(large) == 60
    clock.now += 60
    assert limit.seconds_until(large) == 0
    assert begin(limit, 1) == 60


def test_what_is_a_minute_old_no_longer_counts_however_it_is_settled(clock: Clock) -> None:
    limit = limited(tokens_per_minute=1000)
    old = limit.turn(900)
    limit.seconds_until(old)
    clock.now += 61
    assert begin(limit, 1000) == 0
    old.settle(1)
    assert begin(limit, 1) == 60


def test_one_that_gives_up_leaves_its_place_to_the_next(clock: Clock) -> None:
    limit = limited(requests_per_minute=1)
    begin(limit)
    leaving, next_one = limit.turn(), limit.turn()
    assert limit.seconds_until(next_one) == 120
    limit.give_up(leaving)
    assert limit.seconds_until(next_one) == 60


def test_a_changed_limit_counts_at_once_and_what_began_is_not_forgotten(clock: Clock) -> None:
    limit = limited(requests_per_minute=2)
    assert [begin(limit), begin(limit)] == [0, 0]
    waiting = limit.turn()
    assert limit.seconds_until(waiting) == 60
    limit.follow(LLMProvider("openai", "openai", options={"requests_per_minute": 3}))
    assert limit.seconds_until(waiting) == 0
    assert begin(limit) == 60


@pytest.mark.parametrize("use_async", [False, True])
def test_waiting_ends_when_the_turn_comes(use_async: bool) -> None:
    limit = limited(window=0.3, requests_per_minute=1)
    for _ in range(3):
        turn = limit.turn()
        if use_async:
            asyncio.run(turn.await_(Deadline(PATIENCE_S)))
        else:
            turn.wait(Deadline(PATIENCE_S))
        assert turn.counts


def test_a_stop_from_another_thread_ends_the_waiting() -> None:
    limit = limited(requests_per_minute=1)
    begin(limit)
    deadline, ended = Deadline(120), []

    def wait() -> None:
        try:
            limit.turn().wait(deadline)
        except Stopped:
            ended.append("stopped")

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: len(limit._waiting) == 1)
    deadline.stop()
    thread.join(PATIENCE_S)
    assert ended == ["stopped"]
    assert not limit._waiting


# Through the path of a call


@pytest.fixture
def one_a_minute(ws: Workspace, wire: WireServer) -> Workspace:
    ws.providers.connect("openai", KEY, base_url=wire.base_url, options={"requests_per_minute": 1})
    return ws


def ask(ws: Workspace, way: str, **options: Any) -> None:
    match way:
        case "complete":
            ws.llm.complete("Hello?", model=MODEL, **options)
        case "stream":
            list(ws.llm.stream("Hello?", model=MODEL, **options))
        case "acomplete":
            asyncio.run(ws.llm.acomplete("Hello?", model=MODEL, **options))
        case "astream":
            asyncio.run(_all_of(ws, options))


async def _all_of(ws: Workspace, options: dict[str, Any]) -> None:
    async for _ in ws.llm.astream("Hello?", model=MODEL, **options):
        pass


@pytest.mark.parametrize("way", ["complete", "stream", "acomplete", "astream"])
def test_a_call_whose_turn_comes_too_late_is_refused_unsent_and_unrecorded(
    one_a_minute: Workspace, wire: WireServer, way: str
) -> None:
    ask(one_a_minute, way)
    with pytest.raises(RateLimited) as caught:
        ask(one_a_minute, way, timeout=5)
    assert 5 < (caught.value.retry_after or 0) < 61
    assert (caught.value.connection, caught.value.status) == ("openai", None)
    assert "1 requests a minute" in caught.value.message
    assert len(wire.requests) == 1
    assert len(one_a_minute.usage.history()) == 1


@pytest.mark.parametrize("way", ["complete", "stream", "acomplete", "astream"])
def test_a_call_waits_for_its_turn_within_its_deadline(
    ws: Workspace, wire: WireServer, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(RateLimit.__init__, "__defaults__", (1.0,))
    ws.providers.connect("openai", KEY, base_url=wire.base_url, options={"requests_per_minute": 1, "timeout": 30})
    for _ in range(2):
        ask(ws, way)
    found = ws.usage.history().sort_values("started_at")
    gaps = found["started_at"].diff().dropna()
    assert len(found) == 2
    assert (gaps > pd.Timedelta(seconds=0.2)).all(), "waiting is not part of an attempt"


def test_each_attempt_of_a_call_takes_a_turn(ws: Workspace, wire: WireServer) -> None:
    ws.providers.connect("openai", KEY, base_url=wire.base_url, options={"requests_per_minute": 2})
    wire.script(failing(503, headers={"retry-after": "0"}), failing(503, headers={"retry-after": "0"}), Say())
    with pytest.raises(RateLimited):
        ws.llm.complete("Hello?", model=MODEL, timeout=30)
    assert ws.usage.history()["error_kind"].tolist() == ["overloaded", "overloaded"]


def test_a_stopped_stream_that_waits_for_its_turn_ends_without_a_record(one_a_minute: Workspace) -> None:
    ask(one_a_minute, "complete")
    stream = one_a_minute.llm.stream("Hello?", model=MODEL, timeout=120)
    reader = threading.Thread(target=lambda: list(stream))
    reader.start()
    limit = one_a_minute.providers.rate_limit(one_a_minute.providers.get("openai"))
    assert limit is not None
    until(lambda: len(limit._waiting) == 1)
    stream.stop()
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert stream.reply is None
    assert len(one_a_minute.usage.history()) == 1


def test_a_cancelled_task_that_waits_for_its_turn_leaves_no_trace(one_a_minute: Workspace) -> None:
    ask(one_a_minute, "complete")
    limit = one_a_minute.providers.rate_limit(one_a_minute.providers.get("openai"))
    assert limit is not None

    async def cancelled() -> None:
        task = asyncio.create_task(one_a_minute.llm.acomplete("Hello?", model=MODEL, timeout=120))
        while not limit._waiting:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert not limit._waiting
    assert len(one_a_minute.usage.history()) == 1


def test_tokens_of_a_call_are_corrected_by_what_its_answer_used(ws: Workspace, wire: WireServer) -> None:
    ws.providers.connect("openai", KEY, base_url=wire.base_url, options={"tokens_per_minute": 2000})
    limit = ws.providers.rate_limit(ws.providers.get("openai"))
    assert limit is not None
    wire.script(Say(usage=Usage(input_tokens=70, output_tokens=30)), failing(400), Say(delay=30))
    ws.llm.complete("Hello?", model=MODEL, parameters={"max_tokens": 1900})
    assert limit._spent == 100
    with pytest.raises(RequestRefused):
        ws.llm.complete("Hello?", model=MODEL, parameters={"max_tokens": 1500})
    assert limit._spent == 100, "a refused request uses none"
    with pytest.raises(TimedOut):
        ws.llm.complete("Hello?", model=MODEL, parameters={"max_tokens": 1500}, timeout=1.5)
    assert limit._spent > 1500, "what nobody knows stays as it was expected"
    with pytest.raises(RateLimited):
        ws.llm.complete("Hello?", model=MODEL, parameters={"max_tokens": 1500}, timeout=5)


def test_threads_together_keep_to_the_limit() -> None:
    limit = limited(window=0.5, requests_per_minute=5)
    turns = [limit.turn() for _ in range(15)]
    threads = [threading.Thread(target=turn.wait, args=(Deadline(60),)) for turn in turns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    began = sorted(turn.began for turn in turns)
    assert all(later - earlier >= 0.5 for earlier, later in zip(began, began[5:], strict=False))


@pytest.mark.parametrize(
    "option",
    [
        *({"requests_per_minute": bad} for bad in (0, -1, 1.5, "3", True, None)),
        *({"tokens_per_minute": bad} for bad in (0, 2.5, "many")),
        *({"timeout": bad} for bad in (0, -1, "60", True, None, 1e9)),
    ],
)
@pytest.mark.parametrize("provider", ["openai", "local"])
def test_what_cannot_be_a_limit_is_refused(ws: Workspace, provider: str, option: dict[str, Any]) -> None:
    with pytest.raises(InvalidConnection):
        ws.providers.connect(provider, options=option)
    assert ws.providers.list() == []


def test_the_timeout_of_a_connection_counts_for_calls_that_name_none(ws: Workspace, wire: WireServer) -> None:
    ws.providers.connect("openai", KEY, base_url=wire.base_url, options={"timeout": 1.5})
    wire.script(Say(delay=30), Say(delay=2))
    with pytest.raises(TimedOut):
        ws.llm.complete("Hello?", model=MODEL)
    assert ws.llm.complete("Hello?", model=MODEL, timeout=60).text
