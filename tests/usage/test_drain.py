"""Draining: each line once, bad lines apart, nothing lost to torn ends, lost races or a full batch."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core import Cost, Usage
from llm_core.errors import UnknownModel
from llm_core.store.home import Home, open_home
from llm_core.usage import quarantine
from llm_core.usage import segments as segments_module
from llm_core.usage.drain import drain, drain_all, drain_into
from llm_core.usage.encode import encode
from llm_core.usage.locks import hold
from llm_core.usage.manifest import Manifest, load_newest
from llm_core.usage.processes import host_name, is_running
from llm_core.usage.recorder import Recorder
from llm_core.usage.segments import SegmentLedger
from llm_core.usage.spool import list_spools, undrained_bytes

from .found import commit_next, ids, only_spool, query, rows, write
from .rows import NOON, record

DAY = 24 * 3600.0
GOOD = b'{"id":"good","started_at":"2026-01-01T00:00:00"}'


@pytest.fixture
def ledger(home: Path) -> Home:
    return open_home(home)


@pytest.fixture(scope="module")
def gone() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert not is_running(process.pid)
    return process.pid


def put(ledger: Home, content: bytes, *, pid: int = 0, host: str = "", idle: float = 60.0) -> Path:
    """A spool file as some process left it, last written `idle` seconds ago."""
    path = ledger.spool / f"{host or host_name()}-{pid or os.getpid()}-{os.urandom(6).hex()}.jsonl"
    path.write_bytes(content)
    os.utime(path, (time.time() - idle,) * 2)
    return path


def test_drained_records_are_in_a_segment_and_still_there_once(ledger: Home) -> None:
    made = write(ledger, 30)
    assert drain(ledger).rows == 30
    assert [row["id"] for row in rows(ledger, "id")] == sorted(made)
    assert ids(ledger) == Counter(made)
    assert undrained_bytes(ledger, load_newest(ledger).spools) == 0


def test_a_drain_without_anything_new_makes_no_generation(ledger: Home) -> None:
    write(ledger, 3)
    drain(ledger)
    generation = load_newest(ledger).generation
    assert drain(ledger).rows == 0
    assert load_newest(ledger).generation == generation


def test_a_manifest_tells_each_segments_rows_and_time_range(ledger: Home) -> None:
    recorder = Recorder(ledger)
    for day in (5, 2, 9):
        recorder.record(record(started_at=datetime(2026, 3, day, tzinfo=UTC)))
    drain(ledger)
    (segment,) = load_newest(ledger).segments
    assert segment.rows == 3
    assert (segment.min_started_at, segment.max_started_at) == (datetime(2026, 3, 2), datetime(2026, 3, 9))
    assert segment.bytes == (ledger.segments / segment.name).stat().st_size


def test_a_segment_is_in_time_order(ledger: Home) -> None:
    recorder = Recorder(ledger)
    for day in (5, 2, 9):
        recorder.record(record(started_at=datetime(2026, 3, day, tzinfo=UTC)))
    drain(ledger)
    assert [row["started_at"].day for row in query(ledger, "SELECT started_at FROM usage")] == [2, 5, 9]


@pytest.mark.parametrize(("count", "most"), [(1, 100_000), (4_000, 1_500_000)])
def test_segments_are_small_files_that_the_last_duckdb_can_open(ledger: Home, count: int, most: int) -> None:
    put(ledger, encode(record()) * count)
    drain(ledger)
    (segment,) = load_newest(ledger).segments
    assert segment.bytes < most
    content = (ledger.segments / segment.name).read_bytes()
    assert content[8:12] == b"DUCK"
    assert int.from_bytes(content[12:20], "little") == 68  # the storage number of DuckDB 1.5


def test_a_live_writers_torn_end_waits_and_is_taken_once_it_is_whole(ledger: Home) -> None:
    path = put(ledger, b"\n" + GOOD + b"\n\n" + GOOD[:20])
    assert drain(ledger).rows == 1
    with path.open("ab") as file:
        file.write(GOOD[20:] + b"\n")
    done = drain(ledger)
    assert (done.rows, done.bad) == (1, 0)


def test_a_gone_writers_torn_end_goes_to_quarantine(ledger: Home, gone: int) -> None:
    path = put(ledger, b"\n" + GOOD + b"\n\n" + GOOD[:20], pid=gone)
    done = drain(ledger)
    assert (done.rows, done.bad) == (1, 1)
    (bad,) = quarantine.read(ledger)
    assert (bad.spool, bad.offset, bad.content) == (path.name, len(GOOD) + 3, GOOD[:20])
    assert undrained_bytes(ledger, load_newest(ledger).spools) == 0


@pytest.mark.parametrize(
    ("host", "idle", "bad"),
    [
        pytest.param("", 1.0, 0, id="just written: its process may live in another container"),
        pytest.param("elsewhere", 3600.0, 0, id="of another machine: it may live"),
        pytest.param("elsewhere", 2 * DAY, 1, id="of another machine, two days ago: no writer waits that long"),
    ],
)
def test_a_torn_end_waits_while_its_writer_may_live(ledger: Home, gone: int, host: str, idle: float, bad: int) -> None:
    put(ledger, b"\n" + GOOD[:20], pid=gone, host=host, idle=idle)
    assert drain(ledger).bad == bad


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_spool_cut_at_any_byte_loses_only_the_line_it_was_cut_in(gone: int, data: st.DataObject) -> None:
    lines = [encode(record(user=f"user {number}")) for number in range(4)]
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    kept = sum(cut >= sum(map(len, lines[: number + 1])) for number in range(4))
    with TemporaryDirectory() as folder:
        ledger = open_home(folder)
        put(ledger, whole[:cut], pid=gone)
        drain(ledger)
        assert [row["user"] for row in rows(ledger, '"user"')] == [f"user {number}" for number in range(kept)]
        torn = b"".join(bad.content for bad in quarantine.read(ledger))
    assert torn == whole[sum(map(len, lines[:kept])) : cut].lstrip(b"\n")


BAD_LINES = {
    "junk": b"no json at all",
    "zeros": b"\x00" * 300,
    "not UTF-8": b'{"id":"\xff","started_at":"2026-01-01T00:00:00"}',
    "an array": b"[1, 2]",
    "null": b"null",
    "a number": b"7",
    "no id": b'{"started_at":"2026-01-01T00:00:00"}',
    "no time": b'{"id":"a"}',
    "wrong type": b'{"id":"a","started_at":"2026-01-01T00:00:00","input_tokens":"many"}',
    "too large": b'{"id":"a","started_at":"2026-01-01T00:00:00","attempt":99999999999}',
    "no such time": b'{"id":"a","started_at":"2026-13-01T00:00:00"}',
    "two in one": GOOD + GOOD,
    "torn and glued": GOOD[:30] + GOOD,
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_goes_to_quarantine_and_its_neighbours_are_kept(ledger: Home, line: bytes) -> None:
    before, after = record(), record()
    path = put(ledger, encode(before) + line + b"\n" + encode(after))
    done = drain(ledger)
    assert (done.rows, done.bad) == (2, 1)
    assert ids(ledger) == Counter([before.id, after.id])
    (bad,) = quarantine.read(ledger)
    assert (bad.spool, bad.offset, bad.content) == (path.name, len(encode(before)), line)
    assert bad.reason


def test_bad_lines_of_several_spools_are_found_among_thousands(ledger: Home) -> None:
    good = encode(record())
    for number in range(3):
        put(
            ledger,
            good * 700 + BAD_LINES["wrong type"] + b"\n" + good * 700 + BAD_LINES["junk"] + b"\n" + good * number,
        )
    done = drain(ledger)
    assert (done.rows, done.bad) == (6 * 700 + 3, 6)
    assert Counter(bad.content for bad in quarantine.read(ledger)) == {
        BAD_LINES["wrong type"]: 3,
        BAD_LINES["junk"]: 3,
    }


def test_a_spool_of_bad_lines_alone_is_drained_without_a_segment(ledger: Home) -> None:
    put(ledger, b"\njunk\n")
    assert drain(ledger).bad == 1
    assert load_newest(ledger).segments == ()
    assert drain(ledger).bad == 0


def test_a_spool_shorter_than_its_offset_is_reported_and_the_others_are_drained(ledger: Home) -> None:
    path = put(ledger, b"\n" + GOOD + b"\n")
    drain(ledger)
    path.write_bytes(b"")
    write(ledger, 2)
    done = drain(ledger)
    assert done.rows == 2
    assert [path.name in problem for problem in done.problems] == [True]


def test_a_batch_takes_whole_lines_up_to_its_limit_and_says_that_more_is_left(ledger: Home) -> None:
    made = write(ledger, 40) + write(ledger, 40)
    line = len(encode(record()))
    done = drain(ledger, limit=25 * line + 10)
    assert (done.rows, done.more) == (25, True)
    assert (drain(ledger, limit=25 * line).rows, drain(ledger, limit=100 * line).more) == (25, False)
    assert ids(ledger) == Counter(made)


def test_draining_all_takes_several_batches(ledger: Home) -> None:
    made = write(ledger, 40)
    assert drain_all(ledger, limit=5000).rows == 40
    assert len(load_newest(ledger).segments) > 5
    assert ids(ledger) == Counter(made)


def test_while_another_drains_a_drain_does_nothing(ledger: Home) -> None:
    write(ledger, 1)
    with hold(ledger.commit_lock) as held:
        assert held
        assert drain(ledger).busy
        assert drain_all(ledger, wait=0.05).busy
    assert drain(ledger).rows == 1


def test_drainers_without_any_lock_take_each_record_once(ledger: Home) -> None:
    recorder = Recorder(ledger)
    made: list[str] = []
    is_over = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            own = SegmentLedger(ledger)
            while not is_over.is_set():
                drain_into(own, ledger)
        except BaseException as error:  # noqa: BLE001  # told to the test below
            failed.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    generations = load_newest(ledger).generation + 15
    while load_newest(ledger).generation < generations and not failed:
        each = record()
        recorder.record(each)
        made.append(each.id)
    is_over.set()
    for thread in threads:
        thread.join()
    assert not failed
    drain_all(ledger)
    assert Counter(row["id"] for row in rows(ledger)) == Counter(made)
    named = {segment.name for segment in load_newest(ledger).segments}
    assert {path.name for path in ledger.segments.iterdir()} == named, "a lost race leaves no file"


def test_a_generation_made_meanwhile_costs_no_work_unless_it_took_the_same_lines(
    ledger: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def commit_second(home: Home, manifest: Manifest) -> bool:
        tried.append(manifest.generation)
        if len(tried) == 1:
            commit_next(home)
        return original(home, manifest)

    original = segments_module.commit
    monkeypatch.setattr(segments_module, "commit", commit_second)
    made = write(ledger, 3)
    assert drain(ledger).rows == 3
    assert tried == [2, 3]
    assert ids(ledger) == Counter(made)


@pytest.mark.parametrize("step", ["commit", "quarantine.keep"])
def test_a_failed_step_leaves_no_file_and_the_next_drain_takes_all(
    ledger: Home, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full_disk(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    made = write(ledger, 3)
    put(ledger, b"\njunk\n")
    with monkeypatch.context() as patch:
        patch.setattr(f"llm_core.usage.segments.{step}", full_disk)
        with pytest.raises(OSError, match="No space"):
            drain(ledger)
    assert [*ledger.segments.iterdir(), *ledger.quarantine.iterdir()] == []
    assert drain(ledger).rows == 3
    assert ids(ledger) == Counter(made)


def test_nothing_temporary_is_left_behind(ledger: Home) -> None:
    write(ledger, 3)
    put(ledger, b"\njunk\n")
    drain(ledger)
    assert {path.suffix for path in ledger.segments.iterdir()} == {".duckdb"}
    assert {path.suffix for path in ledger.manifests.iterdir()} == {".json"}


USAGE = Usage(input_tokens=1000, cache_read_tokens=100, output_tokens=10)


class Prices:
    """A price list that knows one model, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def __call__(self, model: str, usage: Usage, *, at: datetime, mode: str) -> Cost:
        self.asked.append((model, usage, at, mode))
        if model == "openai:broken":
            raise RuntimeError("a fault in the list")
        if model != "openai:gpt-6-luna":
            raise UnknownModel("Not known.")
        return Cost(Decimal("0.0123456789"), source="a list", effective_from=date(2026, 1, 2))


def test_a_record_of_a_connection_that_is_gone_is_priced_by_its_provider(ledger: Home) -> None:
    prices = Prices()
    Recorder(ledger).record(record(usage=USAGE, connection="once there"))
    assert drain(ledger, price=prices).priced == 1
    assert [asked[0] for asked in prices.asked] == ["once there:gpt-6-luna", "openai:gpt-6-luna"]


def test_a_record_without_a_cost_is_priced_at_its_time_and_mode(ledger: Home) -> None:
    prices = Prices()
    Recorder(ledger).record(record(usage=USAGE, mode="batch"))
    assert drain(ledger, price=prices).priced == 1
    assert prices.asked == [("openai:gpt-6-luna", USAGE, NOON, "batch")]
    (row,) = rows(ledger)
    assert (row["cost_usd"], row["price_source"], row["price_from"]) == (
        Decimal("0.0123456789"),
        "a list",
        date(2026, 1, 2),
    )


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"usage": None}, id="usage unknown"),
        pytest.param({"usage": USAGE, "usage_source": "unknown"}, id="usage said to be unknown"),
        pytest.param({"usage": USAGE, "model": "other"}, id="model unknown"),
        pytest.param({"usage": USAGE, "model": "broken"}, id="price list at fault"),
    ],
)
def test_what_cannot_be_priced_is_kept_unpriced_never_as_0(ledger: Home, fields: dict[str, Any]) -> None:
    Recorder(ledger).record(record(**fields))
    done = drain(ledger, price=Prices())
    assert (done.rows, done.priced) == (1, 0)
    assert rows(ledger)[0]["cost_usd"] is None


def test_a_fault_in_the_price_list_is_told_once(ledger: Home, caplog: pytest.LogCaptureFixture) -> None:
    write(ledger, 50, usage=USAGE, model="broken")
    drain(ledger, price=Prices())
    assert [record.exc_text is not None for record in caplog.records] == [True]


def test_a_cost_that_came_with_the_record_stays(ledger: Home) -> None:
    Recorder(ledger).record(record(usage=USAGE, cost_usd=Decimal(0), price_source="local"))
    assert drain(ledger, price=Prices()).priced == 0
    assert (rows(ledger)[0]["cost_usd"], rows(ledger)[0]["price_source"]) == (0, "local")


def test_many_records_are_priced_each_for_itself(ledger: Home) -> None:
    recorder = Recorder(ledger)
    for tokens in range(300):
        recorder.record(record(usage=Usage(input_tokens=tokens), cost_usd=None if tokens % 2 else Decimal(7)))
    drain(ledger, price=lambda model, usage, at, mode: Cost(Decimal(usage.input_tokens)))
    assert all(row["cost_usd"] == (row["input_tokens"] if row["input_tokens"] % 2 else 7) for row in rows(ledger))


def test_the_folder_of_spools_may_hold_other_files(ledger: Home) -> None:
    (ledger.spool / "README.txt").write_text("notes")
    write(ledger, 1)
    assert len(list_spools(ledger)) == 1
    assert only_spool(ledger).suffix == ".jsonl"
    assert drain(ledger).rows == 1


def test_the_view_leaves_out_rows_whose_deletion_is_under_way(ledger: Home) -> None:
    write(ledger, 2, user="ann o'hara")
    kept = write(ledger, 2, user="bob") + write(ledger, 1)
    drain(ledger)
    commit_next(ledger, hidden=[{"user": "ann o'hara"}])
    assert Counter(row["id"] for row in rows(ledger)) == Counter(kept)


def test_an_empty_ledger_has_the_view_with_all_columns(ledger: Home) -> None:
    with duckdb.connect() as connection:
        SegmentLedger(ledger).attach(connection)
        assert connection.execute("SELECT count(*), sum(cost_usd) FROM usage").fetchall() == [(0, None)]
