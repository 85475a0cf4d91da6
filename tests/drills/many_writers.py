"""Eight programs record 500 times a second each, one drains as the app does, four look on.

Every record is found, once, no process has to report anything (a lock error, above all), and each record was visible
to every onlooker within two seconds.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_core.store.home import Home, open_home
from llm_core.usage.drain import drain_all
from llm_core.usage.manifest import load_newest
from tests.usage.found import ids

from .outcome import Outcome, compare
from .processes import end, start

SECONDS = 60.0
SHORT_SECONDS = 6.0
WRITERS, RATE, ONLOOKERS = 8, 500, 4
PAUSE = 0.5
"""Seconds between two looks of an onlooker, as of a live page."""

VISIBLE_WITHIN = 2.0


def run(seconds: float = SECONDS, *, judge_times: bool = True) -> Outcome:
    """Without `judge_times` the rate and the visibility are told but no fault: a busy machine may be slow."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        home = open_home(folder / "a b'c é")
        log = folder / "log"
        writers = [start("writer", home, folder / f"acknowledged {n}", RATE, log=log) for n in range(WRITERS)]
        others = [start("app", home, log=log)]
        others += [start("dashboard", home, folder / f"answers {n}", PAUSE, log=log) for n in range(ONLOOKERS)]
        try:
            _wait_for(folder, seconds)
        finally:
            end(*writers)
            time.sleep(VISIBLE_WITHIN)  # the onlookers get the time they are promised
            end(*others)
        return _outcome(home, folder, judge_times)


def _wait_for(folder: Path, seconds: float) -> None:
    """Until all have begun, and then so long."""
    until = time.monotonic() + 60
    files = [folder / f"acknowledged {n}" for n in range(WRITERS)] + [folder / f"answers {n}" for n in range(ONLOOKERS)]
    while not all(path.exists() and path.stat().st_size for path in files):
        if time.monotonic() > until:
            raise RuntimeError(f"the processes of the drill did not start: {(folder / 'log').read_text()}")
        time.sleep(0.05)
    time.sleep(seconds)


def _outcome(home: Home, folder: Path, judge_times: bool) -> Outcome:
    acknowledged: list[str] = []
    times: dict[str, list[float]] = {}
    for path in sorted(folder.glob("acknowledged *")):
        for line in path.read_text().splitlines():
            record, at, writer = line.split()
            acknowledged.append(record)
            times.setdefault(writer, []).append(float(at))
    drain_all(home)
    found = ids(home)
    faults = compare(acknowledged, found)
    complaints = (folder / "log").read_text()
    if complaints:
        faults.append(f"a process complained: {complaints[-500:]}")
    lags = [lag for path in sorted(folder.glob("answers *")) for lag in _lags(path, times)]
    slowest = max(lags)
    if judge_times and slowest > VISIBLE_WITHIN:
        faults.append(f"a record was visible only after {slowest:.1f} s")
    rate = sum((len(each) - 1) / (each[-1] - each[0]) for each in times.values())
    if judge_times and rate < 0.9 * WRITERS * RATE:
        faults.append(f"only {rate:,.0f} records a second were written")
    figures = (
        f"{len(acknowledged):,} recorded at {rate:,.0f}/s by {WRITERS}, {found.total():,} found, visible within "
        f"{slowest:.2f} s in {len(lags):,} looks by {ONLOOKERS}, {load_newest(home).generation} generations"
    )
    return Outcome("many writers", figures, tuple(faults))


def _lags(answers: Path, times: dict[str, list[float]]) -> Iterator[float]:
    """For each look: how long before its answer the oldest record it showed first was acknowledged.

    Counted from the first look on; what the last look did not show took forever.
    """
    shown: Counter[str] = Counter()
    began = 0.0
    for line in answers.read_text().splitlines():
        asked, answered, *counts = line.split()
        began = began or float(asked)
        lag = 0.0
        for user, count, _ in (entry.split(":") for entry in counts):
            if shown[user] < min(int(count), len(times[user])):  # the last of a killed writer was never acknowledged
                lag = max(lag, float(answered) - max(began, times[user][shown[user]]))
            shown[user] = int(count)
        yield lag
    if any(shown[writer] < len(acknowledged) for writer, acknowledged in times.items()):
        yield math.inf
