"""The short forms of the drills; `make drill` runs the long ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from llm_core.providers.registry import REGISTRY
from llm_core.store.home import open_home
from tests.usage.found import ids, write

from . import budget, disk_full, faults, idle_writer, kill9, many_writers
from .outcome import compare

pytestmark = pytest.mark.drill


@pytest.fixture(autouse=True)
def _own_cache(home: Path) -> None:
    """The processes of a drill inherit the test's cache folder."""


def test_kill_9_of_any_process_loses_and_doubles_nothing() -> None:
    outcome = kill9.run(kills=kill9.SHORT_KILLS)
    assert outcome.ok, outcome


def test_many_writers_are_all_found_without_a_complaint() -> None:
    outcome = many_writers.run(seconds=many_writers.SHORT_SECONDS, judge_times=False)
    assert outcome.ok, outcome


def test_idle_writers_are_found() -> None:
    outcome = idle_writer.run(steps=idle_writer.SHORT_STEPS)
    assert outcome.ok, outcome


def test_a_full_disk_loses_nothing() -> None:
    outcome = disk_full.run(rounds=disk_full.SHORT_ROUNDS)
    assert outcome.ok, outcome


def test_every_call_under_a_fault_ends_in_order_and_each_request_is_one_record() -> None:
    vendors = tuple(name for name in REGISTRY if name != "local")
    outcome = faults.run(faults.SHORT_CALLS, vendors, judge_times=False)
    assert outcome.ok, outcome


def test_eighty_callers_that_fail_and_are_killed_do_not_pass_a_budget() -> None:
    outcome = budget.run(budget.SHORT_CALLS, budget.SHORT_KILLS)
    assert outcome.ok, outcome


@pytest.mark.model
def test_so_does_every_call_to_a_local_model(model_cache: Path) -> None:
    outcome = faults.run(1, ("local",), judge_times=False)
    assert outcome.ok, outcome
    assert "12 calls" in outcome.figures


def test_the_drills_notice_what_is_lost_or_doubled(home: Path) -> None:
    made = write(open_home(home), 3)
    assert compare(made, ids(open_home(home))) == []
    assert "1 acknowledged records are lost" in compare(made, Counter(made[1:]))[0]
    assert "1 records are there twice" in compare(made, Counter([*made, made[0]]))[0]
