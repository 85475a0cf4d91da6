"""Sweeping: what goes when, and that nothing goes which a fallback, a reader or a writer may still need."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from llm_core.store.home import Home, open_home
from llm_core.usage import sweep as sweep_module
from llm_core.usage.drain import drain
from llm_core.usage.locks import hold
from llm_core.usage.manifest import KEPT, load_newest, numbers, path_of
from llm_core.usage.merge import Merger
from llm_core.usage.recorder import Recorder
from llm_core.usage.spool import list_spools
from llm_core.usage.sweep import DAY, GRACE, sweep

from .found import commit_next, ids, only_spool, write
from .rows import record

HOUR = 3600.0


@pytest.fixture
def ledger(home: Path) -> Home:
    return open_home(home)


def merged(ledger: Home) -> list[str]:
    """Eight segments merged into one. Returns all ids."""
    made: list[str] = []
    for _ in range(8):
        made += write(ledger, 1)
        drain(ledger)
    assert Merger(ledger).merge()
    return made


def push_out(ledger: Home) -> None:
    """So many generations that no kept manifest is an older one."""
    for _ in range(KEPT):
        commit_next(ledger)


def files(ledger: Home) -> set[str]:
    return {path.name for path in ledger.segments.iterdir()}


def live(ledger: Home) -> set[str]:
    return {segment.name for segment in load_newest(ledger).segments}


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_the_newest_16_manifests_are_kept(ledger: Home) -> None:
    load_newest(ledger)
    for _ in range(KEPT + 4):
        commit_next(ledger)
    newest = load_newest(ledger)
    assert sweep(ledger).manifests == 5
    assert numbers(ledger) == list(range(newest.generation, newest.generation - KEPT, -1))
    assert load_newest(ledger) == newest


def test_damaged_manifests_do_not_push_readable_ones_out(ledger: Home) -> None:
    for _ in range(2 * KEPT):
        commit_next(ledger)
    for number in numbers(ledger)[:KEPT]:
        path_of(ledger, number).write_bytes(b"junk")
    newest = load_newest(ledger)
    sweep(ledger)
    assert load_newest(ledger) == newest


def test_a_replaced_file_goes_once_its_grace_is_over_and_no_kept_manifest_names_it(ledger: Home) -> None:
    made = merged(ledger)
    now = time.time()
    sweep(ledger, now=now + GRACE + 1)
    assert len(files(ledger)) == 9, "older manifests still name the inputs"
    push_out(ledger)
    sweep(ledger, now=now + GRACE - 60)
    assert len(files(ledger)) == 9, "a reader may be about to attach them"
    assert sweep(ledger, now=now + GRACE + 1).segments == 8
    assert files(ledger) == live(ledger)
    assert load_newest(ledger).trash == {}
    assert ids(ledger) == Counter(made)


def test_a_time_in_the_future_counts_as_now(ledger: Home) -> None:
    """The clock was once wrong: the file goes ten minutes later, not in ten years."""
    merged(ledger)
    push_out(ledger)
    now = time.time()
    commit_next(ledger, trash=dict.fromkeys(load_newest(ledger).trash, now + 10 * 365 * DAY))
    push_out(ledger)
    assert sweep(ledger, now=now).segments == 0
    assert sweep(ledger, now=now + GRACE).segments == 8


def test_files_of_killed_processes_go_after_an_hour(ledger: Home) -> None:
    made = write(ledger, 1)
    drain(ledger)
    left = [
        ledger.segments / "built-but-not-committed.duckdb",
        ledger.segments / "half.duckdb.tmp",
        ledger.segments / "lines.chunk.tmp",
        ledger.manifests / ".12-ab.tmp",
    ]
    for path in left:
        path.write_bytes(b"x")
    spill = ledger.segments / "spill.tmp"
    (spill / "part").mkdir(parents=True)
    for path in (*left, spill):
        age(path, HOUR - 60)
    assert sweep(ledger).orphans == 0
    for path in (*left, spill):
        age(path, HOUR + 60)
    assert sweep(ledger).orphans == 5
    assert not any(path.exists() for path in (*left, spill))
    assert ids(ledger) == Counter(made)


@pytest.mark.parametrize(
    ("keep_days", "days", "gone"),
    [
        pytest.param(7, 6.9, False, id="within the days chosen"),
        pytest.param(7, 7.1, True, id="after them"),
        pytest.param(0, 0.9, False, id="a day at least, whatever is chosen"),
        pytest.param(0, 1.1, True, id="after a day"),
    ],
)
def test_a_drained_spool_goes_after_its_days(ledger: Home, keep_days: float, days: float, gone: bool) -> None:
    made = write(ledger, 3)
    drain(ledger)
    push_out(ledger)
    sweep(ledger, keep_spool_days=keep_days, now=time.time() + days * DAY)
    assert (list_spools(ledger) == []) == gone
    assert (load_newest(ledger).spools == {}) == gone
    assert ids(ledger) == Counter(made)


def test_a_spool_with_lines_not_drained_stays(ledger: Home) -> None:
    recorder = Recorder(ledger)
    recorder.record(record())
    drain(ledger)
    push_out(ledger)
    recorder.record(record())
    sweep(ledger, now=time.time() + 30 * DAY)
    assert len(list_spools(ledger)) == 1
    assert ids(ledger).total() == 2


def test_a_spool_outlives_every_manifest_that_would_drain_it_again(ledger: Home) -> None:
    """The newest manifests are lost, one after the other: whichever is left, all records are there, once."""
    made = write(ledger, 3)
    drain(ledger)
    made += write(ledger, 2)
    drain(ledger)
    sweep(ledger, now=time.time() + 30 * DAY)
    while True:
        assert ids(ledger) == Counter(made)
        left = numbers(ledger)
        if left == [1]:
            break
        path_of(ledger, left[0]).unlink()


def test_a_removed_spools_offset_is_forgotten_only_after_its_file(
    ledger: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two, the ledger has an offset without a file: harmless. The other order would double rows."""

    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    made = write(ledger, 3)
    drain(ledger)
    push_out(ledger)
    later = time.time() + 30 * DAY
    with monkeypatch.context() as patch:
        patch.setattr(sweep_module, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            sweep(ledger, now=later)
    assert list_spools(ledger) == []
    assert ids(ledger) == Counter(made)
    sweep(ledger, now=later)
    assert load_newest(ledger).spools == {}


def test_the_offset_of_a_file_that_vanished_lately_is_remembered(ledger: Home) -> None:
    """Somebody moved it and puts it back: its records must not come twice."""
    made = write(ledger, 3)
    drain(ledger)
    push_out(ledger)
    path = only_spool(ledger)
    content = path.read_bytes()
    path.unlink()
    sweep(ledger)
    path.write_bytes(content)
    drain(ledger)
    assert ids(ledger) == Counter(made)


def test_a_spool_in_which_nothing_was_written_goes_after_a_day(ledger: Home) -> None:
    path = ledger.spool / "host-1-ab.jsonl"
    path.touch()
    sweep(ledger, keep_spool_days=1)
    assert path.exists()
    age(path, DAY + 60)
    sweep(ledger, keep_spool_days=1)
    assert not path.exists()


def test_a_writer_idle_past_every_grace_period_writes_where_it_is_found(ledger: Home) -> None:
    now = [1000.0, time.time()]
    recorder = Recorder(ledger, monotonic=lambda: now[0], wall=lambda: now[1])
    recorder.record(first := record())
    drain(ledger)
    push_out(ledger)
    now[0] += 8 * DAY
    now[1] += 8 * DAY
    assert sweep(ledger, now=now[1]).spools == 1
    recorder.record(second := record())
    assert ids(ledger) == Counter([first.id, second.id])
    drain(ledger)
    assert ids(ledger) == Counter([first.id, second.id])


def test_sweeping_leaves_a_ledger_in_use_by_another_alone(ledger: Home) -> None:
    with hold(ledger.commit_lock):
        assert sweep(ledger).busy


def test_a_sweep_with_nothing_to_do_makes_no_generation(ledger: Home) -> None:
    write(ledger, 1)
    drain(ledger)
    generation = load_newest(ledger).generation
    sweep(ledger)
    assert load_newest(ledger).generation == generation
