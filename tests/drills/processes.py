"""The programs that drills run against one home: a writer, a drainer, a dashboard. Each runs until it is ended.

python -m tests.drills.processes writer HOME FILE 500
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from llm_core import Usage
from llm_core.store.home import Home, open_home
from llm_core.usage import merge as merge_module
from llm_core.usage.drain import drain
from llm_core.usage.drainer import Drainer
from llm_core.usage.merge import Merger
from llm_core.usage.reader import Reader
from llm_core.usage.recorder import Recorder
from llm_core.usage.sweep import GRACE, sweep
from tests.usage.rows import record

ROOT = Path(__file__).parents[2]
TICK = 0.02


def start(role: str, home: Home, *arguments: object, log: Path) -> subprocess.Popen[bytes]:
    """Start one of the programs below. What it has to complain about goes to `log`."""
    with log.open("ab") as complaints:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, role, str(home.path), *map(str, arguments)],
            cwd=ROOT,
            stdout=complaints,
            stderr=complaints,
            start_new_session=True,
        )


def end(*processes: subprocess.Popen[bytes]) -> None:
    """Kill the processes, those killed before included, with the children that build a merged segment for them.

    Such a child outlives a parent that is killed, and would go on writing to a home that is being removed.
    """
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def writer(home: Home, file: str, rate: str) -> None:
    """Record at a rate per second. After each record its id, when it was acknowledged and the writer go to a file."""
    recorder = Recorder(home)
    name = str(os.getpid())
    usage = Usage(input_tokens=1000, cache_read_tokens=100, output_tokens=200)
    acknowledged = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    begin, done = time.monotonic(), 0
    while True:
        while done < (time.monotonic() - begin) * float(rate):
            made = record(user=name, usage=usage, latency_ms=12.5, tags={"team": "drill"})
            recorder.record(made)
            os.write(acknowledged, f"{made.id} {time.monotonic()} {name}\n".encode())
            done += 1
        time.sleep(TICK)


def drainer(home: Home, child_from: str) -> None:
    """Drain, merge and sweep without a pause, with the grace period over at once."""
    merge_module._CHILD_FROM = int(child_from)
    merger = Merger(home)
    while True:
        drain(home)
        merger.merge()
        sweep(home, now=time.time() + GRACE)


def app(home: Home) -> None:
    """Drain, merge and sweep as the app does in the background."""
    Drainer(home).start()
    while True:
        time.sleep(60)


def dashboard(home: Home, file: str, pause: str) -> None:
    """Count the records of each writer every so many seconds; each answer, with when it was asked, goes to a file."""
    answers = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    reader = Reader(home)
    while True:
        asked = time.monotonic()
        with reader.snapshot() as snapshot:
            found = snapshot.ask(
                lambda shot: shot.frame('SELECT "user", count(*) AS n, count(DISTINCT id) AS d FROM usage GROUP BY ALL')
            )
        answer = " ".join(f"{user}:{n}:{d}" for user, n, d in found.itertuples(index=False, name=None))
        os.write(answers, f"{asked} {time.monotonic()} {answer}\n".encode())
        time.sleep(float(pause))


ROLES: dict[str, Callable[..., None]] = {"writer": writer, "drainer": drainer, "app": app, "dashboard": dashboard}

if __name__ == "__main__":
    ROLES[sys.argv[1]](open_home(sys.argv[2]), *sys.argv[3:])
