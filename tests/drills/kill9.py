"""Writers, drainers with their merges, and a reading dashboard are killed at random with `kill -9`, again and again.

Every record that was acknowledged is found, each once; the ledger opens after every kill and never has fewer records.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from llm_core.errors import LLMManagerError
from llm_core.store.home import Home, open_home
from llm_core.usage.doctor import verify
from llm_core.usage.drain import drain_all
from llm_core.usage.manifest import load_newest
from tests.usage.found import ids

from .outcome import Outcome, compare
from .processes import end, start

KILLS = 120
SHORT_KILLS = 20
WRITERS = 2
RATE = 300


def run(kills: int = KILLS, seed: int | None = None) -> Outcome:
    seed = random.randrange(10**6) if seed is None else seed
    with TemporaryDirectory() as folder:
        drill = _Drill(open_home(Path(folder) / "a b'c é"), Path(folder), random.Random(seed))
        try:
            drill.begin()
            for _ in range(kills):
                drill.kill_one()
        finally:
            drill.end()
        return drill.outcome(seed)


@dataclass
class _Drill:
    home: Home
    folder: Path
    chance: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def begin(self) -> None:
        for number in range(WRITERS):
            self._start(f"writer {number}")
        (self.folder / "acknowledged").touch()  # the dashboard may answer before a writer has recorded anything
        for name in ("drainer 1", "drainer 2", "dashboard"):
            self._start(name)
        self._wait_for_records()

    def kill_one(self) -> None:
        """Kill one process a random moment later, look at what is there, start it again."""
        name = self.chance.choice(sorted(self.running))
        time.sleep(self.chance.uniform(0.0, 0.25))
        process = self.running.pop(name)
        if process.poll() is not None:
            self.faults.append(f"{name} ended by itself with {process.returncode}: {self._log(name)[-300:]}")
        process.kill()
        process.wait()
        self.killed[name.partition(" ")[0]] += 1
        self._look()
        self._start(name)

    def end(self) -> None:
        end(*self.started)

    def outcome(self, seed: int) -> Outcome:
        drain_all(self.home)
        generation = load_newest(self.home).generation
        report = verify(self.home)
        self.faults += [finding.message for finding in report.findings if finding.severity == "error"]
        acknowledged = self._acknowledged_ids()
        found = ids(self.home)
        self.faults += compare(acknowledged, found)
        unknown = found.total() - len(acknowledged)
        if unknown > self.killed["writer"] + WRITERS:
            self.faults.append(f"{unknown} records are there that nobody acknowledged")
        self.faults += self._check_answers()
        figures = (
            f"{self.killed.total()} kills ({', '.join(f'{n} {role}' for role, n in sorted(self.killed.items()))}), "
            f"{len(acknowledged):,} acknowledged, {found.total():,} found, {generation:,} generations, seed {seed}"
        )
        return Outcome("kill -9", figures, tuple(self.faults))

    def _look(self) -> None:
        """Open the ledger as a new program would: all that was acknowledged until now is there."""
        acknowledged = self._acknowledged_ids()
        try:
            self.faults += compare(acknowledged, ids(self.home))
        except (LLMManagerError, duckdb.Error) as error:
            self.faults.append(f"the ledger does not open: {error}")

    def _check_answers(self) -> Iterator[str]:
        """What the dashboard saw: no record twice, and never fewer than before."""
        before: Counter[str] = Counter()
        for line in (self.folder / "answers").read_text().splitlines():
            for answer in line.split()[2:]:
                user, count, distinct = answer.split(":")
                if count != distinct:
                    yield f"the dashboard saw {count} records of which {distinct} differ"
                if int(count) < before[user]:
                    yield f"the dashboard saw {count} records after {before[user]}"
                before[user] = int(count)

    def _acknowledged_ids(self) -> list[str]:
        lines = (line.split() for line in (self.folder / "acknowledged").read_text().splitlines())
        return [words[0] for words in lines if len(words) == 3]

    def _wait_for_records(self) -> None:
        until = time.monotonic() + 60
        while not (self.folder / "answers").exists() or not self._acknowledged_ids():
            if time.monotonic() > until:
                raise RuntimeError("the processes of the drill did not start")
            time.sleep(0.05)

    def _log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def _start(self, name: str) -> None:
        role = name.partition(" ")[0]
        arguments: dict[str, tuple[object, ...]] = {
            "writer": (self.folder / "acknowledged", RATE),
            "drainer": (1_000_000 if name == "drainer 1" else 200,),
            "dashboard": (self.folder / "answers", 0.02),
        }
        self.running[name] = start(role, self.home, *arguments[role], log=self.folder / f"{name}.log")
        self.started.append(self.running[name])
