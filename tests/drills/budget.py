"""Twenty threads in each of four processes call a model against one budget of a dollar, while requests fail, answers
are cut off, and processes are killed with `kill -9` in the middle of their calls.

The replay server keeps its own account of what it answered. It may never come to more than the budget; once every
process is dead and one look was taken, nothing is held for any of them, and the ledger tells of each request what the
server does.

    python -m tests.drills.budget [calls] [kills]
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from llm_core import Usage, Workspace
from llm_core.errors import BudgetExceeded, LLMManagerError
from tests.wire.replies import Say, Step, failing
from tests.wire.server import Received, WireServer

from .outcome import Outcome

CALLS, SHORT_CALLS = 6_000, 300
"""About as many fit into the budget."""
KILLS, SHORT_KILLS = 24, 2
PROCESSES, THREADS = 4, 20
CAP = Decimal(1)
MODEL = "openai:gpt-6-luna"
KEY = "sk-drill-0123456789abcdefghijklmnopqrstuvwxyz"
PATIENCE = 240.0
PRELOADED = ("openai", "openai.resources.chat", "sqlalchemy", "duckdb", "cryptography.fernet", "llm_core.service")


@dataclass
class _Vendor(WireServer):
    """Answers with a random usage within what was allowed, and fails now and then. `billed` is its account."""

    chance: random.Random = field(default_factory=random.Random)
    billed: dict[str, list[Usage]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def _choose(self, request: Received) -> Step:
        call = request.body["messages"][0]["content"].split()[-1]
        lot = self.chance.random()
        if lot < 0.08:
            self.seen["500"] += 1
            return failing(500, headers={"retry-after": "0"})
        if lot < 0.1:
            self.seen["429"] += 1
            return failing(429, headers={"retry-after": "0"})
        most = request.body.get("max_completion_tokens", 4_000)
        usage = Usage(input_tokens=self.chance.randrange(5, 20), output_tokens=self.chance.randrange(1, most + 1))
        self.billed.setdefault(call, []).append(usage)
        cut = 40 if lot < 0.12 else None
        self.seen["cut off" if cut else "answered"] += 1
        return Say(usage=usage, delay=self.chance.uniform(0, 0.05), cut_after=cut)


def run(calls: int = CALLS, kills: int = KILLS, seed: int | None = None) -> Outcome:
    seed = random.randrange(10**6) if seed is None else seed
    with TemporaryDirectory() as folder, _Vendor(chance=random.Random(seed)) as vendor:
        home = Path(folder, "a b'c é")
        with Workspace.open(home) as ws:
            ws.keys.choose_source("key_file", key_file=Path(folder, "master.key"))
            ws.providers.connect("openai", KEY, base_url=vendor.base_url, options={"api": "chat"}, test=False)
            ws.models.activate("chat", MODEL)
            ws.usage.budgets.add("all", CAP, "total", name="cap")
            price = ws.models.price(MODEL, Usage(output_tokens=1_000_000)).usd
            assert price is not None
            most = int(2 * CAP / calls / price * 1_000_000)
            return _Drill(ws, vendor, most, random.Random(seed)).run(kills, seed)


@dataclass
class _Drill:
    ws: Workspace
    vendor: _Vendor
    most: int
    """max_tokens of each call: half of it is what one uses, as a rule."""
    chance: random.Random
    running: list[BaseProcess] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def run(self, kills: int, seed: int) -> Outcome:
        try:
            for _ in range(PROCESSES):
                self._start()
            killed = self._until_spent(kills)
        finally:
            for process in self.running:
                process.kill()
                process.join()
        rows = self._settled()
        billed = [usage for usages in self.vendor.billed.values() for usage in usages]
        spent = self._cost(billed)
        self._judge(rows, spent)
        told = ", ".join(f"{count:,} {what}" for what, count in sorted(self.vendor.seen.items()))
        interrupted = int((rows["status"] == "interrupted").sum())
        figures = (
            f"{len(billed):,} billed for ${spent:.4f} of ${CAP}, {told}, {killed + PROCESSES} kills, "
            f"{interrupted} interrupted, seed {seed}"
        )
        return Outcome("budget", figures, tuple(self.faults))

    def _until_spent(self, kills: int) -> int:
        """Kill one process now and then until hardly a call fits in; returns how many were killed."""
        end = time.monotonic() + PATIENCE
        killed = 0
        smallest = self._cost([Usage(output_tokens=self.most)])
        while time.monotonic() < end:
            time.sleep(0.1)
            with self.ws.usage.budgets._file.transaction() as transaction:
                counts = transaction.counts()
            taken = Decimal(counts[0].spent + counts[0].held).scaleb(-10) if counts else Decimal(0)
            if killed < kills and taken > CAP * (killed + 1) / (kills + 2):
                victim = self.running.pop(self.chance.randrange(len(self.running)))
                victim.kill()
                victim.join()
                killed += 1
                self._start()
            elif killed == kills and CAP - taken < 2 * smallest:
                time.sleep(0.5)  # they go on running into the limit
                return killed
        self.faults.append(f"the budget was not used up within {PATIENCE:g} s: ${taken}, {killed} kills")
        return killed

    def _settled(self) -> pd.DataFrame:
        self.ws.usage.budgets.refresh()
        with self.ws.usage.budgets._file.transaction() as transaction:
            still = [hold for hold in transaction.holds() if hold.state != "settled"]
        if still:
            self.faults.append(f"{len(still)} holds of dead processes are left")
        self.ws.usage.flush()
        return self.ws.usage.sql("SELECT id, status, cost_usd, tags['call'] AS call FROM usage")

    def _judge(self, rows: pd.DataFrame, spent: Decimal) -> None:
        row = self.ws.usage.budgets.status().iloc[0]
        if spent > CAP:
            self.faults.append(f"the server billed ${spent}, more than ${CAP}")
        if not spent <= row["spent"] + row["held"] <= CAP:
            self.faults.append(f"the budget tells of ${row['spent']} and ${row['held']} held, the server of ${spent}")
        if row["in_flight"]:
            self.faults.append(f"${row['in_flight']} count as under way")
        known = sum((cost for cost in rows["cost_usd"] if cost is not None), Decimal(0))
        if known != row["spent"]:
            self.faults.append(f"the ledger holds ${known}, the budget says ${row['spent']}")
        if rows["id"].duplicated().any():
            self.faults.append("a record is there twice")
        of_call = dict(iter(rows.groupby("call")))
        for call, usages in self.vendor.billed.items():
            self.faults += self._compare(call, usages, of_call.get(call))
        if extra := set(of_call) - set(self.vendor.billed) - set(rows["call"][rows["status"] != "ok"]):
            self.faults.append(f"{len(extra)} calls are recorded as answered which the server did not answer")

    def _compare(self, call: str, usages: list[Usage], rows: pd.DataFrame | None) -> list[str]:
        """What was told is recorded with the very cost; what was not is there too, of unknown cost."""
        if rows is None:
            return [f"call {call} was billed and is not recorded"]
        told = [cost for cost in rows["cost_usd"][rows["status"] == "ok"] if cost is not None]
        unknown = int(rows["cost_usd"].map(lambda cost: cost is None).sum())
        costs = [self._cost([usage]) for usage in usages]
        if len(told) + unknown < len(costs) or not set(told) <= set(costs):
            return [f"call {call}: the server billed {costs}, the ledger holds {told} and {unknown} unknown"]
        return []

    def _cost(self, usages: Any) -> Decimal:
        costs = (self.ws.models.price(MODEL, usage).usd for usage in usages)
        return sum((cost for cost in costs if cost is not None), Decimal(0))

    def _start(self) -> None:
        """Forked from a process that has loaded everything, so that this machine is busy with calls and not imports."""
        context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
        context.set_forkserver_preload([__name__, *PRELOADED])
        process = context.Process(target=caller, args=(str(self.ws.home.path), self.most), daemon=True)
        process.start()
        self.running.append(process)


def caller(home: str, most: int) -> None:
    """Call from many threads without end; one call in two hundred names no max_tokens."""
    ws = Workspace.open(home)

    def call_on() -> None:
        number = 0
        while True:
            number += 1
            call = f"{os.getpid()}-{threading.get_ident()}-{number}"
            parameters = {"max_tokens": most} if number % 200 else None
            try:
                ws.llm.complete(f"Say something to {call}", parameters=parameters, tags={"call": call})
            except BudgetExceeded:
                time.sleep(0.05)
            except LLMManagerError:
                continue

    for _ in range(THREADS):
        threading.Thread(target=call_on, daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    outcome = run(*map(int, sys.argv[1:]))
    print(f"{outcome.name}: {outcome.figures}")
    print("\n".join(outcome.faults) or "passed")
    sys.exit(not outcome.ok)
