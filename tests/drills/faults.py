"""Twelve faults of the wire, at every provider, in calls of all four ways, through `ws.llm`.

Each call ends by its deadline, with its answer or with a clear error of ours of the kind that the fault deserves; each
request on the wire is one record and each record one request; no redirect is followed. The replay server answers for
the vendors and a real model for `local`, each behind a proxy that spoils the answers.

    python -m tests.drills.faults [calls]
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import platformdirs

from llm_core import Workspace
from llm_core.errors import (
    ConnectionBroken,
    KeyRefused,
    LLMManagerError,
    ModelFileError,
    ProviderError,
    ProviderFailed,
    RateLimited,
    RedirectRefused,
    TimedOut,
    Unreachable,
    UnreadableAnswer,
)
from llm_core.providers.registry import REGISTRY, ProviderRow
from tests.wire import fault_proxy
from tests.wire.calls import WAYS
from tests.wire.fault_proxy import FaultProxy, mark
from tests.wire.server import WireServer

from .outcome import Outcome

CALLS, SHORT_CALLS = 25, 2
"""Of each fault at each provider."""
AT_ONCE, AT_ONCE_LOCAL = 24, 6
SOON, LATER = 1.0, 60.0
"""Seconds a call may take: where the fault is slowness, and elsewhere."""
SLACK = 10.0
"""A call that ends so many seconds after its deadline hangs; a busy machine may be late by less."""
_SHORT = {"max_tokens": 16}
KEY = "sk-drill-0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, how long a call may take under it, and what may come of the call: an error, or an answer (None), each
    with the number of requests that this takes."""

    name: str
    fault: fault_proxy.Fault
    outcomes: Mapping[type[ProviderError] | None, int]
    seconds: float = LATER
    waits: float = 0.0
    """Seconds between two requests, at least, where the answer asks for them."""


def cases(trap: str) -> tuple[Case, ...]:
    broken: dict[type[ProviderError] | None, int] = {ConnectionBroken: 1}
    unreadable: dict[type[ProviderError] | None, int] = {UnreadableAnswer: 1}
    asks_to_wait = {"retry-after": "1"}
    return (
        Case("latency", fault_proxy.late(2 * SOON), {None: 1, TimedOut: 1}, SOON),
        Case("reset", fault_proxy.reset, broken),
        Case("cut", fault_proxy.cut, broken),
        Case("slow body", fault_proxy.slow, {TimedOut: 1}, SOON),
        Case("bad JSON", fault_proxy.bad_json, unreadable),
        Case("bad SSE", fault_proxy.bad_sse, broken | unreadable),
        Case("wrong length", fault_proxy.wrong_length, broken | unreadable),
        Case("401", fault_proxy.refused(401), {KeyRefused: 1}),
        Case("429", fault_proxy.refused(429, headers=asks_to_wait), {RateLimited: 3}, waits=1.0),
        Case("500", fault_proxy.refused(500), {ProviderFailed: 3}),
        Case("529 then 200", fault_proxy.refused(529, times=1), {None: 2}),
        Case("redirect", fault_proxy.refused(307, headers={"location": trap}), {RedirectRefused: 1}),
    )


def run(calls: int = CALLS, providers: tuple[str, ...] = tuple(REGISTRY), *, judge_times: bool = True) -> Outcome:
    """`calls` of each fault at each of these providers. `judge_times`: whether a call that ends late is a fault."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        server = stack.enter_context(WireServer())
        trap = stack.enter_context(WireServer())
        ws = stack.enter_context(Workspace.open(Path(folder, "a b'c é")))
        ws.keys.choose_source("key_file", key_file=Path(folder, "master.key"))
        drill = _Drill(ws, cases(f"{trap.url}/v1/chat/completions"), judge_times)
        for name in providers:
            found = stack.enter_context(_behind_proxy(ws, REGISTRY[name], server))
            if found is None:
                drill.left_out.append(name)
            else:
                drill.plan(name, *found, calls)
        asyncio.run(drill.run())
        drill.judge()
        if trap.connections:
            drill.faults.append(f"{trap.connections} redirects were followed")
        return drill.outcome()


@dataclass
class _Call:
    number: int
    provider: str
    case: Case
    way: str
    proxy: FaultProxy
    model: str
    error: BaseException | None = None
    seconds: float = 0.0
    text: str = ""

    def __str__(self) -> str:
        return f"{self.case.name} at {self.provider}, {self.way}"

    @property
    def requests(self) -> list[float]:
        return self.proxy.seen[mark(self.number)]


@dataclass
class _Drill:
    ws: Workspace
    cases: tuple[Case, ...]
    judge_times: bool
    made: list[_Call] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def plan(self, provider: str, proxy: FaultProxy, model: str, calls: int) -> None:
        """All faults at one provider."""
        for case in self.cases:
            for _ in range(calls):
                number = len(self.made)
                way = WAYS[(number + number // len(WAYS)) % len(WAYS)]
                self.made.append(_Call(number, provider, case, way, proxy, model))
                proxy.faults[mark(number)] = case.fault

    async def run(self) -> None:
        """Many at once: the async ones on this loop, the others on threads."""
        loop = asyncio.get_running_loop()
        names = {call.provider for call in self.made}
        turns = {name: asyncio.Semaphore(AT_ONCE_LOCAL if name == "local" else AT_ONCE) for name in names}
        for model in dict.fromkeys(call.model for call in self.made):  # so that no call has to make the clients
            self.ws.llm.complete("Hello.", model=model, parameters=_SHORT)
            await self.ws.llm.acomplete("Hello.", model=model, parameters=_SHORT)
        with ThreadPoolExecutor(AT_ONCE) as pool:

            async def one(call: _Call) -> None:
                async with turns[call.provider]:
                    if call.way.startswith("a"):
                        await self._acall(call)
                    else:
                        await loop.run_in_executor(pool, self._call, call)

            await asyncio.gather(*(one(call) for call in self.made))

    def _call(self, call: _Call) -> None:
        began = time.monotonic()
        try:
            if call.way == "complete":
                call.text = self.ws.llm.complete(_prompt(call), **_options(call)).text
            else:
                for piece in self.ws.llm.stream(_prompt(call), **_options(call)):
                    call.text += piece
        except Exception as error:  # noqa: BLE001  # judged below
            call.error = error
        call.seconds = time.monotonic() - began

    async def _acall(self, call: _Call) -> None:
        began = time.monotonic()
        try:
            if call.way == "acomplete":
                call.text = (await self.ws.llm.acomplete(_prompt(call), **_options(call))).text
            else:
                pieces: AsyncIterator[str] = self.ws.llm.astream(_prompt(call), **_options(call))
                async for piece in pieces:
                    call.text += piece
        except Exception as error:  # noqa: BLE001  # judged below
            call.error = error
        call.seconds = time.monotonic() - began

    def judge(self) -> None:
        """How each call ended; one record for each request, and none twice."""
        found = self.ws.usage.history(10_000, columns=["id", "user", "attempt", "status", "error_kind"])
        if found["id"].duplicated().any():
            self.faults.append(f"{found['id'].duplicated().sum()} records are there twice")
        of_user: dict[str, pd.DataFrame] = dict(iter(found.groupby("user")))
        for call in self.made:
            records = of_user.get(mark(call.number), found[:0]).sort_values("attempt")
            self.faults += (f"{call}: {fault}" for fault in (*_wrong(call), *_wrongly_recorded(call, records)))
            if self.judge_times and call.seconds > call.case.seconds + SLACK:
                self.faults.append(f"{call}: it hung for {call.seconds:.1f} s")

    def outcome(self) -> Outcome:
        ends = Counter(type(call.error).__name__ if call.error else "answer" for call in self.made)
        requests = sum(len(call.requests) for call in self.made)
        latest = max((call.seconds - call.case.seconds for call in self.made), default=0.0)
        providers = list(dict.fromkeys(call.provider for call in self.made))
        figures = (
            f"{len(self.made):,} calls: {len(self.cases)} faults at {len(providers)} providers, {requests:,} requests,"
            f" each recorded once; ends: {', '.join(f'{count} {name}' for name, count in ends.most_common())};"
            f" the latest end {latest:+.1f} s from its deadline"
        )
        if self.left_out:
            figures += f"; without {', '.join(self.left_out)}"
        return Outcome("faults", figures, tuple(self.faults))


def _prompt(call: _Call) -> str:
    return f"Say hello. ({mark(call.number)})"


def _options(call: _Call) -> dict[str, Any]:
    return {
        "model": call.model,
        "user": mark(call.number),
        "timeout": call.case.seconds,
        "parameters": _SHORT,
    }


def _wrong(call: _Call) -> Iterator[str]:
    """What is wrong with how a call ended."""
    error, case = call.error, call.case
    if error is not None and not isinstance(error, ProviderError):
        yield f"it ended with {error!r}"
        return
    kind = None if error is None else type(error)
    if case.seconds == SOON and kind in (TimedOut, Unreachable) and not call.requests:
        return  # on a busy machine the time may be over before there is a connection
    if kind not in case.outcomes:
        yield f"it ended with {kind.__name__ if kind else 'an answer'}: {error or call.text}"
        return
    sent = call.requests
    if len(sent) != case.outcomes[kind]:
        yield f"{len(sent)} requests were sent"
    if any(later - earlier < case.waits for earlier, later in pairwise(sent)):
        yield "it did not wait as long as it was asked to"
    if error is None and not call.text:
        yield "the answer is empty"
    if isinstance(error, ProviderError):
        yield from _unclear(error, call)


def _unclear(error: ProviderError, call: _Call) -> Iterator[str]:
    if not (error.message and error.hint):
        yield f"the error says too little: {error}"
    if (error.provider, error.connection) != (call.provider, call.provider):
        yield f"the error is of {error.provider}, {error.connection}"
    if error.__cause__ or error.__context__:
        yield "an error of others lies behind it"


def _wrongly_recorded(call: _Call, records: pd.DataFrame) -> Iterator[str]:
    sent = len(call.requests)
    if len(records) != max(sent, 1):
        yield f"{sent} requests and {len(records)} records"
        return
    if records["attempt"].tolist() != list(range(1, len(records) + 1)):
        yield f"attempts {records['attempt'].tolist()}"
    last = records.iloc[-1]
    kind = call.error.kind if isinstance(call.error, LLMManagerError) else None
    told = None if pd.isna(last["error_kind"]) else last["error_kind"]
    if (last["status"] == "ok") != (call.error is None) or told != kind:
        yield f"it ended with {kind or 'an answer'} and was recorded as {last['status']}, {told}"


@contextmanager
def _behind_proxy(ws: Workspace, row: ProviderRow, server: WireServer) -> Iterator[tuple[FaultProxy, str] | None]:
    """(the proxy, the id of a model behind it); None where this machine cannot run one."""
    if row.name == "local":
        with _local(ws) as found:
            yield found
        return
    with FaultProxy(server.port, seed=len(row.name)) as proxy:
        row.load_sdk()
        # As the vendor's SDK wants it: with /v1 where its own address has one, or it has none.
        base_url = f"{proxy.url}/v1" if row.base_url is None or row.base_url.endswith("/v1") else proxy.url
        ws.providers.connect(row.name, KEY, base_url=base_url)
        yield proxy, f"{row.name}:drill-model"


@contextmanager
def _local(ws: Workspace) -> Iterator[tuple[FaultProxy, str] | None]:
    """The server of a real model, which the adapter is led to by way of the proxy."""
    from llm_core.providers.llama_server import ModelToServe, borrow, give_back
    from llm_core.providers.local import USUAL_CONTEXT

    file = _model_file()
    if file is None:
        yield None
        return
    ws.providers.connect("local", options={"source": "gguf", "path": str(file)})
    server = borrow(ModelToServe(file, file.stem, USUAL_CONTEXT))
    behind = server.base_url
    try:
        with FaultProxy(urlsplit(behind).port or 0) as proxy:
            server.base_url = f"{proxy.url}/v1"
            yield proxy, f"local:{file.stem}"
            ws.providers.close()
    finally:
        server.base_url = behind
        give_back(server)


def _model_file() -> Path | None:
    """The file of the usual small model, fetched once a machine; None where it cannot be had."""
    from llm_core.providers.model_files import ensure_model

    if find_spec("xllamacpp") is None:
        return None
    usual = platformdirs.user_cache_path("llm-manager", appauthor=False)
    before = os.environ.get("LLM_MANAGER_CACHE")
    os.environ["LLM_MANAGER_CACHE"] = os.environ.get("LLM_MANAGER_TEST_MODEL_CACHE") or str(usual)
    try:
        return ensure_model({}).resolve()
    except ModelFileError:
        return None
    finally:
        if before is None:
            del os.environ["LLM_MANAGER_CACHE"]
        else:
            os.environ["LLM_MANAGER_CACHE"] = before


def main(calls: int) -> int:
    outcome = run(calls)
    print(outcome.figures)
    for fault in outcome.faults:
        print(f"FAULT {fault}")
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS))
