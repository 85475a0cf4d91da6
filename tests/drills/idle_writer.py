"""Writers that fall idle for minutes or weeks, on clocks that jump and a laptop that sleeps, then write again.

Meanwhile the ledger is drained and cleaned with every grace period over. Time is made up; files and processes are real.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_core.store.home import Home, open_home
from llm_core.usage.drain import drain_into
from llm_core.usage.manifest import KEPT, commit, load_newest
from llm_core.usage.merge import Merger
from llm_core.usage.recorder import Recorder
from llm_core.usage.segments import SegmentLedger
from llm_core.usage.sweep import sweep
from tests.usage.found import ids
from tests.usage.rows import record

from .outcome import Outcome, compare

STEPS = 1_500
SHORT_STEPS = 40
WRITERS = 12
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def run(steps: int = STEPS, seed: int | None = None) -> Outcome:
    seed = random.randrange(10**6) if seed is None else seed
    with TemporaryDirectory() as folder:
        drill = _Drill(open_home(Path(folder) / "a b'c é"), random.Random(seed))
        faults: list[str] = []
        for _ in range(steps):
            drill.step()
            if not faults:
                faults = compare(drill.acknowledged, ids(drill.home))
        figures = (
            f"{steps} steps over {drill.days:,.0f} days, {len(drill.acknowledged):,} records by {WRITERS} writers, "
            f"{drill.removed} spools removed, {load_newest(drill.home).generation} generations, seed {seed}"
        )
        if not drill.removed:
            faults.append("no spool was ever removed: the drill shows nothing")
        return Outcome("idle writers", figures, tuple(faults))


class _Drill:
    def __init__(self, home: Home, chance: random.Random) -> None:
        self.home = home
        self.acknowledged: list[str] = []
        self.removed = 0
        self._chance = chance
        self._begin = self._wall = time.time()
        self._monotonic = 1000.0
        self._writers = [
            Recorder(home, monotonic=lambda: self._monotonic, wall=lambda: self._wall) for _ in range(WRITERS)
        ]
        self._ledger = SegmentLedger(home, wall=lambda: self._wall)
        self._merger = Merger(home)

    @property
    def days(self) -> float:
        return (self._wall - self._begin) / DAY

    def step(self) -> None:
        self._pass_time()
        for writer in self._chance.sample(self._writers, self._chance.randint(1, 4)):
            made = record()
            writer.record(made)
            self.acknowledged.append(made.id)
        if self._chance.random() < 0.7:
            drain_into(self._ledger, self.home)
            self._merger.merge()
        if self._chance.random() < 0.2:
            self._clean()

    def _pass_time(self) -> None:
        """Mostly both clocks go on alike. A sleeping laptop's monotonic clock stands still; a wall clock is set."""
        idle = self._chance.choice([1.0, 30 * MINUTE, 59 * MINUTE, HOUR, 2 * HOUR, 25 * HOUR, 8 * DAY, 40 * DAY])
        kind = self._chance.random()
        if kind < 0.8:
            self._monotonic += idle
        self._wall += -idle if kind > 0.95 else idle

    def _clean(self) -> None:
        """Sweep at this time, with no older manifest left that would hold the sweep back."""
        for _ in range(KEPT):
            commit(self.home, load_newest(self.home).next())
        self.removed += sweep(self.home, keep_spool_days=1, now=self._wall).spools
