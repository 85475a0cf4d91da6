"""The background thread: when it acts, and that no error ends it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from llm_core.store.home import Home, open_home
from llm_core.usage import drainer as drainer_module
from llm_core.usage.drain import drain
from llm_core.usage.drainer import DRAIN_BYTES, DRAIN_SECONDS, Drainer
from llm_core.usage.manifest import load_newest
from tests.waiting import until

from .found import ids, rows, write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ledger(home: Path) -> Home:
    return open_home(home)


class Clock:
    def __init__(self) -> None:
        self.now = 500.0

    def __call__(self) -> float:
        return self.now


def test_a_few_records_are_drained_after_half_a_minute(ledger: Home) -> None:
    clock = Clock()
    drainer = Drainer(ledger, monotonic=clock)
    write(ledger, 3)
    drainer.step()
    clock.now += DRAIN_SECONDS - 1
    drainer.step()
    assert rows(ledger) == []
    clock.now += 1
    drainer.step()
    assert len(rows(ledger)) == 3


def test_each_wait_begins_when_something_waits(ledger: Home) -> None:
    clock = Clock()
    drainer = Drainer(ledger, monotonic=clock)
    drainer.step()
    clock.now += 10 * DRAIN_SECONDS
    write(ledger, 1)
    drainer.step()
    assert rows(ledger) == []


def test_much_is_drained_at_once(ledger: Home) -> None:
    drainer = Drainer(ledger, monotonic=Clock())
    path = ledger.spool / "host-1-ab.jsonl"
    path.write_bytes(b"\n" * DRAIN_BYTES + b'{"id":"a","started_at":"2026-01-01T00:00:00"}\n')
    drainer.step()
    assert len(rows(ledger)) == 1


def test_it_merges_and_sweeps(ledger: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[float] = []
    monkeypatch.setattr(drainer_module, "sweep", lambda home, keep_spool_days: kept.append(keep_spool_days))
    clock = Clock()
    drainer = Drainer(ledger, monotonic=clock, keep_spool_days=lambda: 3.0)
    for _ in range(7):
        write(ledger, 1)
        drain(ledger)
    write(ledger, 1)
    drainer.step()
    clock.now += DRAIN_SECONDS
    drainer.step()
    assert len(load_newest(ledger).segments) == 1
    assert kept == [3.0]
    clock.now += DRAIN_SECONDS
    drainer.step()
    assert kept == [3.0, 3.0]


def test_the_thread_goes_on_after_an_error_and_says_so(
    ledger: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = iter([OSError("disk full"), RuntimeError("a fault")])

    def fails_at_first(*arguments: object, **named: object) -> object:
        for failure in failures:
            raise failure
        return drain(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(drainer_module, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(drainer_module, "DRAIN_SECONDS", 0.0)
    monkeypatch.setattr(drainer_module, "drain", fails_at_first)
    made = write(ledger, 3)
    drainer = Drainer(ledger)
    drainer.start()
    try:
        until(lambda: len(load_newest(ledger).segments) == 1)
        assert drainer.is_running
    finally:
        drainer.stop()
    assert not drainer.is_running
    assert ids(ledger) == Counter(made)
    assert caplog.text.count("records stay in the spool") == 2


def test_a_problem_is_told_once_not_every_time(ledger: Home, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    drainer = Drainer(ledger, monotonic=clock)
    path = ledger.spool / "host-1-ab.jsonl"
    path.write_bytes(b'{"id":"a","started_at":"2026-01-01T00:00:00"}\n')
    drain(ledger)
    path.write_bytes(b"")
    for _ in range(3):
        write(ledger, 1)
        drainer.step()
        clock.now += DRAIN_SECONDS
        drainer.step()
    assert caplog.text.count(path.name) == 1


def test_starting_twice_runs_one_thread_and_stopping_ends_it(ledger: Home) -> None:
    drainer = Drainer(ledger)
    drainer.start()
    drainer.start()
    try:
        assert [thread.name for thread in threading.enumerate()].count("usage-drainer") == 1
    finally:
        drainer.stop()
    assert "usage-drainer" not in [thread.name for thread in threading.enumerate()]
    drainer.start()
    assert drainer.is_running
    drainer.stop()


ENDS_WHILE_DRAINING = """
from llm_core.store.home import open_home
from llm_core.usage import drainer
from tests.usage.found import write
drainer._LOOK_SECONDS, drainer.DRAIN_SECONDS = 0.001, 0.0
home = open_home()
drainer.Drainer(home).start()
for _ in range(40):
    write(home, 20)
"""


def test_a_program_that_ends_while_it_drains_ends_well(ledger: Home) -> None:
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", ENDS_WHILE_DRAINING], cwd=ROOT, check=False, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
    assert ids(ledger).total() == 3 * 800


FORKED = """
import os, sys
from llm_core.store.home import open_home
from llm_core.usage.drainer import Drainer
drainer = Drainer(open_home())
drainer.start()
child = os.fork()
if not child:
    was_running = drainer.is_running
    drainer.start()
    ok = not was_running and drainer.is_running
    drainer.stop()
    os._exit(0 if ok else 1)
drainer.stop()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_starts_a_thread_of_its_own(ledger: Home) -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
