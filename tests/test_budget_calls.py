"""Calls under a budget, through the real path: what is refused unsent, what stays held however a call ends."""

from __future__ import annotations

import asyncio
import io
import threading
import wave
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from llm_core import Usage, Workspace
from llm_core.errors import (
    BudgetCannotBound,
    BudgetExceeded,
    InvalidParameters,
    LLMManagerError,
    MissingKey,
    RequestRefused,
    TimedOut,
)
from llm_core.providers.bounds import MARGIN, at_most
from llm_core.types import LLMModel
from tests.waiting import PATIENCE_S
from tests.wire.calls import request
from tests.wire.replies import Say, failing
from tests.wire.server import WireServer

KEY = "sk-test-0123456789abcdefghij"
MODEL = "openai:gpt-6-luna"
SHORT = {"max_tokens": 20}
NOW = {"retry-after": "0"}


def recording(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(1000)
        sound.writeframes(b"\x80" * int(1000 * seconds))
    return file.getvalue()


@pytest.fixture
def ready(ws: Workspace, wire: WireServer) -> Workspace:
    """A workspace connected to the replay server, with a budget that a few calls fit in."""
    ws.providers.connect("openai", KEY, base_url=wire.base_url, options={"api": "chat"})
    ws.models.activate("chat", MODEL)
    ws.models.activate("transcribe", "openai:whisper-1")
    ws.usage.budgets.add("all", "1", "day", name="b")
    return ws


def stand(ws: Workspace) -> dict[str, Any]:
    return ws.usage.budgets.status().iloc[0].to_dict()  # type: ignore[no-any-return]


def bound(ws: Workspace, prompt: str = "Hello?", max_tokens: int = 20) -> Decimal:
    (usage,) = at_most(request(prompt, parameters={"max_tokens": max_tokens}), ws.models.get(MODEL))
    usd = ws.models.price(MODEL, usage).usd
    assert usd is not None
    return usd


def asked(wire: WireServer) -> int:
    return sum(one.method == "POST" for one in wire.requests)


async def _streamed(ws: Workspace) -> None:
    async with ws.llm.astream("Hello?") as stream:
        async for _ in stream:
            pass


WAYS: dict[str, Callable[[Workspace], Any]] = {
    "complete": lambda ws: ws.llm.complete("Hello?"),
    "acomplete": lambda ws: asyncio.run(_waited(ws.llm.acomplete("Hello?"))),
    "stream": lambda ws: list(ws.llm.stream("Hello?")),
    "astream": lambda ws: asyncio.run(_streamed(ws)),
    "embed": lambda ws: ws.llm.embed(["Hello?"], model="openai:text-embedding-3-small"),
    "aembed": lambda ws: asyncio.run(_waited(ws.llm.aembed("Hello?", model="openai:text-embedding-3-small"))),
    "transcribe": lambda ws: ws.llm.transcribe(recording(1)),
    "atranscribe": lambda ws: asyncio.run(_waited(ws.llm.atranscribe(recording(1)))),
}


async def _waited(call: Awaitable[Any]) -> Any:
    return await call


def test_in_every_way_a_call_that_a_budget_forbids_is_not_sent_and_not_recorded(
    ready: Workspace, wire: WireServer
) -> None:
    ready.usage.budgets.change("b", limit=0)
    for way, call in WAYS.items():
        with pytest.raises(BudgetExceeded) as caught:
            call(ready)
        assert caught.value.budget == "b", way
        assert caught.value.needed is not None
        assert caught.value.needed > 0
    assert asked(wire) == 0
    assert ready.usage.history().empty
    ready.usage.budgets.change("b", limit=100)
    for way, call in WAYS.items():
        wire.script(Say(usage=Usage(audio_seconds=1) if "transcribe" in way else Usage(input_tokens=5)))
        call(ready)
    row = stand(ready)
    assert (row["held"], row["in_flight"], row["priced"]) == (0, 0, 1.0)
    assert row["spent"] == ready.usage.summary()["cost_usd"][0] > 0
    assert asked(wire) == len(WAYS) == len(ready.usage.history())


def test_a_call_is_held_at_its_bound_while_it_is_under_way_and_settled_to_its_cost(
    ready: Workspace, wire: WireServer
) -> None:
    wire.script(Say(text="one two three", hold_after=2, usage=Usage(input_tokens=9, output_tokens=4)))
    with ready.llm.stream("Hello?", parameters=SHORT) as stream:
        next(stream)
        row = stand(ready)
        assert (row["spent"], row["held"], row["in_flight"]) == (0, bound(ready), bound(ready))
        wire.release()
        list(stream)
    assert stream.reply is not None
    row = stand(ready)
    assert (row["spent"], row["held"]) == (stream.reply.cost_usd, 0)
    assert 0 < row["spent"] < bound(ready)


def test_a_stream_stopped_midway_leaves_what_it_is_estimated_to_have_cost(ready: Workspace, wire: WireServer) -> None:
    wire.script(*[Say(text="one two three four", hold_after=2)] * 3)
    stream = ready.llm.stream("Hello?", parameters=SHORT)
    next(stream)
    stream.close()
    left = ready.llm.stream("Hello?", parameters=SHORT)
    next(left)
    threading.Timer(0.0, left.stop).start()
    assert len(list(left)) <= 1

    async def cancelled() -> None:
        task = asyncio.ensure_future(_streamed(ready))
        while asked(wire) < 3 and not task.done():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    found = ready.usage.history()
    assert set(found["status"]) == {"cancelled"}
    known = [cost for cost in found["cost_usd"] if cost is not None]
    row = stand(ready)
    assert row["in_flight"] == 0
    assert row["spent"] == sum(known)
    assert (row["held"] == 0) == (len(known) == 3)  # one that nothing came of stays at its bound: nobody knows


def test_failures_let_go_of_what_was_not_billed_and_keep_what_may_be(ready: Workspace, wire: WireServer) -> None:
    wire.script(failing(429, headers=NOW), failing(500, headers=NOW), Say(usage=Usage(input_tokens=10)))
    reply = ready.llm.complete("Hello?", parameters=SHORT)
    assert reply.attempts == 3
    wire.script(failing(400))
    with pytest.raises(RequestRefused):
        ready.llm.complete("Hello?", parameters=SHORT)
    with pytest.raises(InvalidParameters):
        ready.llm.complete("Hello?", parameters={"max_tokens": -1})
    row = stand(ready)
    assert (row["spent"], row["held"]) == (reply.cost_usd, 0)
    wire.script(Say(delay=30))
    with pytest.raises(TimedOut):
        ready.llm.complete("Hello?", parameters=SHORT, timeout=1.5)
    row = stand(ready)
    assert (row["spent"], row["held"], row["in_flight"]) == (reply.cost_usd, bound(ready), 0)


def test_each_attempt_must_find_room_of_its_own(ready: Workspace, wire: WireServer) -> None:
    """The first was cut off and may have been billed; another call took the rest meanwhile."""
    ready.usage.budgets.change("b", limit=1, unit="calls")
    wire.script(failing(500, headers=NOW), Say())
    assert ready.llm.complete("Hello?").attempts == 2  # it is one call
    with pytest.raises(BudgetExceeded):
        ready.llm.complete("Hello?")


def test_a_call_that_its_adapter_never_sends_leaves_nothing_held(ready: Workspace, wire: WireServer) -> None:
    ready.providers.disconnect("openai")
    ready.providers.connect("openai", base_url=wire.base_url, name="openai", test=False)
    with pytest.raises((MissingKey, LLMManagerError)):
        ready.llm.complete("Hello?", parameters=SHORT)
    row = stand(ready)
    assert (row["spent"], row["held"]) == (0, 0)


def test_a_transcription_is_held_by_its_measured_length(ready: Workspace, wire: WireServer) -> None:
    minute = ready.models.price("openai:whisper-1", Usage(audio_seconds=60)).usd
    assert minute is not None
    ready.usage.budgets.change("b", limit=minute - Decimal("0.0001"))
    with pytest.raises(BudgetExceeded) as caught:
        ready.llm.transcribe(recording(60))
    assert caught.value.needed == minute
    assert asked(wire) == 0
    wire.script(Say(usage=Usage(audio_seconds=30)))
    assert ready.llm.transcribe(recording(30)).cost_usd == minute / 2
    row = stand(ready)
    assert (row["spent"], row["held"]) == (minute / 2, 0)


def test_without_max_tokens_the_models_longest_answer_is_held_and_an_unknown_price_refused(
    ready: Workspace, wire: WireServer
) -> None:
    longest = ready.models.get(MODEL).max_output_tokens
    assert longest
    ready.usage.budgets.change("b", limit=bound(ready, max_tokens=longest) - Decimal("0.0000001"))
    with pytest.raises(BudgetExceeded) as caught:
        ready.llm.complete("Hello?")
    assert caught.value.needed == bound(ready, max_tokens=longest)
    with pytest.raises(BudgetCannotBound):
        ready.llm.complete("Hello?", model="openai:my-own-model")
    assert asked(wire) == 0
    ready.usage.budgets.change("b", unpriced="allow")
    ready.llm.complete("Hello?", model="openai:my-own-model")
    assert asked(wire) == 1


def test_calls_of_a_bundle_find_room_in_a_full_budget(ready: Workspace, wire: WireServer) -> None:
    ready.usage.budgets.change("b", limit=3 * bound(ready))
    with ready.usage.budgets.bundle(usd=3 * bound(ready), model=MODEL) as bundle:
        with pytest.raises(BudgetExceeded):
            ready.llm.complete("Hello?", parameters=SHORT)
        for _ in range(3):
            ready.llm.complete("Hello?", parameters=SHORT, bundle=bundle)
    row = stand(ready)
    assert (row["held"], row["spent"]) == (0, ready.usage.summary()["cost_usd"][0])


def test_an_event_loop_never_waits_for_a_hold_and_one_that_nobody_wants_any_more_is_let_go(
    ready: Workspace, wire: WireServer
) -> None:
    async def wait_and_leave() -> None:
        with ready.usage.budgets._file.transaction():  # as a process does that holds just now
            task = asyncio.ensure_future(ready.llm.acomplete("Hello?", parameters=SHORT))
            for _ in range(20):
                await asyncio.sleep(0.005)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(wait_and_leave())  # which waits for the thread that holds
    assert stand(ready)["held"] == 0
    assert asked(wire) == 0
    assert ready.usage.history().empty


def test_after_a_fork_the_child_holds_for_itself(ready: Workspace, wire: WireServer) -> None:
    import multiprocessing

    ready.llm.complete("Hello?", parameters=SHORT)
    child = multiprocessing.get_context("fork").Process(target=ready.llm.complete, args=("Hello?",))
    child.start()
    child.join(PATIENCE_S)
    assert child.exitcode == 0
    row = stand(ready)
    assert row["held"] == 0
    assert row["spent"] == ready.usage.summary()["cost_usd"][0]
    assert len(ready.usage.history()) == 2


def test_a_prompt_is_bounded_by_its_bytes_and_the_models_window() -> None:
    model = LLMModel("c", "openai", "m", context_window=1_000, max_output_tokens=300)
    (usage,) = at_most(request("日本語" * 10, parameters={"n": 2}), model)
    assert usage == Usage(input_tokens=MARGIN * (23 + 4), output_tokens=600)
    (usage,) = at_most(request("x" * 10_000), model)
    assert usage.input_tokens == 1_000
    (usage,) = at_most(request("x" * 4_000), LLMModel("c", "openai", "m"))
    assert usage == Usage(input_tokens=2_008, output_tokens=16_384)
    plain, short, long = at_most(request("x" * 400, parameters=SHORT), model, writes_cache=True)
    assert (plain.cache_write_tokens, short.cache_write_tokens, long.cache_write_1h_tokens) == (0, 208, 208)
