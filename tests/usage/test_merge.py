"""Merging: what is chosen, that nothing is lost or doubled, and that it stays out of everybody's way."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from llm_core.errors import LedgerDamaged
from llm_core.store.home import Home, open_home
from llm_core.usage import merge as merge_module
from llm_core.usage.drain import drain
from llm_core.usage.locks import hold
from llm_core.usage.manifest import Manifest, SegmentInfo, load_newest
from llm_core.usage.merge import Merger, build, choose, swap
from llm_core.usage.schema import COLUMNS_VERSION
from llm_core.usage.segment_file import file_digest
from llm_core.usage.staging import private_connection

from .found import commit_next, ids, query, rows, write

DAY_ONE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ledger(home: Path) -> Home:
    return open_home(home)


def drained(ledger: Home, segments: int, rows_each: int = 3) -> list[str]:
    """Segments of one day each, the newest day first."""
    made: list[str] = []
    for number in range(segments):
        made += write(ledger, rows_each, started_at=DAY_ONE + timedelta(days=segments - number))
        drain(ledger)
    return made


def listed(*sizes: int) -> Manifest:
    """A manifest of segments with so many rows, named s0, s1 ..."""
    return Manifest(
        5,
        0.0,
        "",
        segments=tuple(
            SegmentInfo(f"s{number}", size, size, datetime(2026, 1, 1), datetime(2026, 1, 1), COLUMNS_VERSION, "")
            for number, size in enumerate(sizes)
        ),
    )


def names(segments: Sequence[SegmentInfo]) -> list[str]:
    return [segment.name for segment in segments]


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        pytest.param([10] * 7, [], id="seven of a tier wait"),
        pytest.param([10] * 9, [f"s{number}" for number in range(8)], id="the first eight of a tier"),
        pytest.param([10] * 4 + [8_000] * 4, [], id="eight of two tiers wait"),
        pytest.param([70_000] * 8 + [10] * 8, [f"s{number}" for number in range(8, 16)], id="the lowest tier first"),
        pytest.param([16_000_000] * 30, [], id="sealed ones are never merged"),
        pytest.param([10] * 6 + [9_000] * 6 + [70_000] * 6 + [600_000] * 6, [], id="24 unsealed are borne"),
        pytest.param(
            [10] * 2 + [9_000] * 6 + [70_000] * 6 + [600_000] * 6 + [5_000_000] * 6,
            [f"s{number}" for number in range(8)],
            id="above 24 the lowest tiers are merged at once, until there are 24",
        ),
    ],
)
def test_which_segments_are_merged(sizes: list[int], chosen: list[str]) -> None:
    assert names(choose(listed(*sizes))) == chosen


def test_segments_of_a_newer_program_and_those_to_avoid_are_not_chosen() -> None:
    manifest = listed(*[10] * 9)
    newer = replace(manifest.segments[0], columns_version=COLUMNS_VERSION + 1)
    assert names(choose(replace(manifest, segments=(newer, *manifest.segments[1:])))) == names(manifest.segments[1:])
    assert choose(manifest, {"s0", "s1"}) == ()


def test_eight_segments_become_one_with_the_same_rows_in_time_order(ledger: Home) -> None:
    made = drained(ledger, 8)
    merged = Merger(ledger).merge()
    assert merged is not None
    assert load_newest(ledger).segments == (merged,)
    assert merged.rows == 24
    assert ids(ledger) == Counter(made)
    times = [row["started_at"] for row in query(ledger, "SELECT started_at FROM usage")]
    assert times == sorted(times)
    assert (merged.min_started_at, merged.max_started_at) == (times[0], times[-1])


def test_unsorted_inputs_follow_each_other_in_time(ledger: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above 100,000 rows there is no sort; each input is in order, and they come one after the other."""
    monkeypatch.setattr(merge_module, "_SORT_BELOW", 0)
    drained(ledger, 8)
    assert Merger(ledger).merge()
    times = [row["started_at"] for row in query(ledger, "SELECT started_at FROM usage")]
    assert times == sorted(times)


def test_merged_files_go_to_the_trash_and_stay_for_their_readers(ledger: Home) -> None:
    drained(ledger, 8)
    inputs = names(load_newest(ledger).segments)
    Merger(ledger).merge()
    assert sorted(load_newest(ledger).trash) == sorted(inputs)
    assert all((ledger.segments / name).exists() for name in inputs)


def test_a_large_merge_runs_in_a_process_of_its_own(ledger: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_here(*_: object) -> SegmentInfo:
        raise AssertionError("built in this process")

    monkeypatch.setattr(merge_module, "_CHILD_FROM", 10)
    monkeypatch.setattr(merge_module, "build", not_here)
    made = drained(ledger, 8)
    assert Merger(ledger).merge()
    assert ids(ledger) == Counter(made)


def test_a_child_that_fails_says_why_and_changes_nothing(ledger: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge_module, "_CHILD_FROM", 10)
    monkeypatch.setattr(merge_module, "is_intact", lambda *_: True)
    drained(ledger, 8)
    before = load_newest(ledger)
    (ledger.segments / before.segments[0].name).unlink()
    with pytest.raises(LedgerDamaged, match=before.segments[0].name):
        Merger(ledger).merge()
    assert load_newest(ledger) == before


def test_a_swap_is_refused_when_an_input_is_not_live_any_more(ledger: Home) -> None:
    drained(ledger, 8)
    inputs = load_newest(ledger).segments
    merged = build(ledger, inputs)
    after = commit_next(ledger, segments=inputs[1:])
    assert not swap(ledger, inputs, merged)
    assert load_newest(ledger) == after


def test_a_swap_that_fails_or_is_refused_leaves_no_file(ledger: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    drained(ledger, 8)
    before = {path.name for path in ledger.segments.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(merge_module, "commit", full_disk)
        with pytest.raises(OSError, match="No space"):
            Merger(ledger).merge()
        patch.setattr(merge_module, "swap", lambda *_: False)
        assert Merger(ledger).merge() is None
    assert {path.name for path in ledger.segments.iterdir()} == before
    assert Merger(ledger).merge()


def test_what_was_drained_during_a_merge_stays(ledger: Home) -> None:
    made = drained(ledger, 8)
    inputs = load_newest(ledger).segments
    merged = build(ledger, inputs)
    made += drained(ledger, 1)
    assert swap(ledger, inputs, merged)
    assert ids(ledger) == Counter(made)


def test_draining_goes_on_while_a_merge_is_under_way_and_a_second_merge_does_not_start(ledger: Home) -> None:
    drained(ledger, 8)
    with hold(ledger.merge_lock) as held:
        assert held
        write(ledger, 1)
        assert drain(ledger).rows == 1
        assert Merger(ledger).merge() is None
    assert Merger(ledger).merge()


def test_a_damaged_segment_is_left_alone_and_does_not_hold_up_the_others(
    ledger: Home, caplog: pytest.LogCaptureFixture
) -> None:
    drained(ledger, 9)
    damaged = load_newest(ledger).segments[3]
    path = ledger.segments / damaged.name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    merged = Merger(ledger).merge()
    assert merged is not None
    assert sorted(names(load_newest(ledger).segments)) == sorted([damaged.name, merged.name])
    assert damaged.name in caplog.text


def test_an_older_segment_without_later_columns_gives_nulls(ledger: Home) -> None:
    made = drained(ledger, 7)
    path = ledger.segments / "older.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE usage AS SELECT 'old' AS id, TIMESTAMP '2025-01-01' AS started_at")
    when = datetime(2025, 1, 1)
    older = SegmentInfo(path.name, 1, path.stat().st_size, when, when, COLUMNS_VERSION, file_digest(path))
    commit_next(ledger, segments=(*load_newest(ledger).segments, older))
    assert Merger(ledger).merge()
    assert Counter(row["id"] for row in rows(ledger)) == Counter([*made, "old"])
    assert rows(ledger)[0]["cost_usd"] is None


def test_a_merge_waits_for_space_on_the_disk(ledger: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    drained(ledger, 8)
    before = load_newest(ledger)
    usage = shutil.disk_usage(ledger.segments)
    needed = sum(segment.bytes for segment in before.segments)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=int(1.25 * needed)))
        with pytest.raises(OSError, match="free disk space"):
            Merger(ledger).merge()
    assert load_newest(ledger) == before
    assert Merger(ledger).merge()


def test_merging_until_nothing_is_due_keeps_few_files(ledger: Home) -> None:
    merger = Merger(ledger)
    made: list[str] = []
    for _ in range(20):
        made += drained(ledger, 1, rows_each=1)
        while merger.merge():
            pass
    assert len(load_newest(ledger).segments) <= 8
    assert ids(ledger) == Counter(made)


def test_a_long_merge_prints_no_progress_into_its_answer(ledger: Home) -> None:
    with private_connection(ledger) as connection:
        assert connection.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(False,)]
