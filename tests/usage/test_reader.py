"""The reader: what is visible, when, and what happens when files are gone or damaged."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from llm_core.errors import LedgerDamaged
from llm_core.store.home import Home, open_home
from llm_core.usage import reader as reader_module
from llm_core.usage import tail as tail_module
from llm_core.usage.drain import drain_all
from llm_core.usage.manifest import SegmentInfo, SpoolMark, commit, load_newest
from llm_core.usage.merge import Merger
from llm_core.usage.reader import Reader, Snapshot
from llm_core.usage.recorder import Recorder
from llm_core.usage.segment_file import file_digest
from tests.waiting import PATIENCE_S

from .rows import NOON, record


class Ledger:
    """A home with its recorder and a reader whose clock the test sets."""

    def __init__(self, path: Path) -> None:
        self.home: Home = open_home(path)
        self.recorder = Recorder(self.home)
        self.now = 0.0
        self.reader = Reader(self.home, clock=lambda: self.now)

    def record(self, count: int = 1, **fields: object) -> None:
        for _ in range(count):
            self.recorder.record(record(**fields))

    def drain(self) -> SegmentInfo:
        """Drain everything into one new segment."""
        drain_all(self.home)
        return load_newest(self.home).segments[-1]

    def count(self) -> int:
        with self.reader.snapshot() as snapshot:
            return snapshot.ask(count)

    def path_of(self, segment: SegmentInfo) -> Path:
        return self.home.segments / segment.name


def count(snapshot: Snapshot) -> int:
    return int(snapshot.frame("SELECT count(*) AS n FROM usage")["n"][0])


def models(snapshot: Snapshot) -> list[str]:
    return snapshot.frame("SELECT model FROM usage ORDER BY model")["model"].tolist()


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    made = Ledger(home)
    yield made
    made.reader.close()


def test_a_new_home_has_no_records(ledger: Ledger) -> None:
    assert ledger.count() == 0
    assert ledger.reader.problems() == []


def test_a_record_is_visible_at_the_next_query(ledger: Ledger) -> None:
    for recorded in range(1, 6):
        ledger.record()
        assert ledger.count() == recorded


def test_a_record_of_another_process_is_visible_at_once(ledger: Ledger) -> None:
    ledger.record()
    assert ledger.count() == 1
    script = """
from llm_core import UsageRecord, Workspace
with Workspace.open() as ws:
    ws.usage.record(UsageRecord(provider="openai", connection="openai", model="theirs"))
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert ledger.count() == 2


def test_each_record_is_there_once_before_and_after_it_is_drained(ledger: Ledger) -> None:
    for round_number in range(1, 5):
        ledger.record(10)
        assert ledger.count() == 10 * round_number
        ledger.drain()
        assert ledger.count() == 10 * round_number


def test_the_token_changes_with_each_record_and_only_then(ledger: Ledger) -> None:
    before = ledger.reader.token()
    assert ledger.reader.token() == before
    ledger.record()
    after = ledger.reader.token()
    assert after != before
    assert ledger.reader.token() == after


def test_a_snapshot_stays_as_it_was_while_records_come_and_files_change(ledger: Ledger) -> None:
    ledger.record(5)
    ledger.drain()
    ledger.record(2)
    with ledger.reader.snapshot() as snapshot:
        ledger.record(3)
        ledger.drain()
        assert ledger.count() == 10
        ledger.now += 1000.0
        ledger.record()
        ledger.drain()
        assert ledger.count() == 11
        assert count(snapshot) == 7
        assert sum(source.rows for source in snapshot.sources) == 7


def test_a_line_that_is_still_being_written_waits_for_its_end(ledger: Ledger) -> None:
    ledger.record(model="a")
    (spool,) = ledger.home.spool.iterdir()
    line = spool.read_bytes()
    other = ledger.home.spool / "host-1-abc.jsonl"
    other.write_bytes(line[:-20])
    assert ledger.count() == 1
    other.write_bytes(line)
    assert ledger.count() == 2


def test_lines_that_are_no_records_are_left_out_like_the_drainer_does(ledger: Ledger) -> None:
    ledger.record(model="before")
    junk = [
        b"junk",
        b"null",
        b"[1, 2]",
        b'{"model": "no id"}',
        b'{"id": "x"}',
        b"\xff\xfe\x00",
        b'{"id": "cut", "started_at": "2026-01-01',
        b'"text"',
        b"\x00" * 100,
    ]
    (ledger.home.spool / "host-1-abc.jsonl").write_bytes(b"".join(b"\n" + line + b"\n" for line in junk))
    ledger.record(model="after")
    with ledger.reader.snapshot() as snapshot:
        assert models(snapshot) == ["after", "before"]
    ledger.drain()
    with ledger.reader.snapshot() as snapshot:
        assert models(snapshot) == ["after", "before"]


def test_more_undrained_lines_than_the_limit_are_reported(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "LIMIT", 1000)
    monkeypatch.setattr(tail_module, "_AT_ONCE", 1000)
    ledger.record(100)
    assert 0 < ledger.count() < 100
    assert "wait to be drained" in ledger.reader.problems()[0].message
    ledger.drain()
    assert ledger.count() == 100
    assert ledger.reader.problems() == []


def test_a_missing_segment_is_left_out_and_reported_until_it_is_back(ledger: Ledger) -> None:
    ledger.record(3, started_at=NOON - timedelta(days=9))
    gone = ledger.drain()
    ledger.record(2)
    ledger.drain()
    away = ledger.path_of(gone).rename(ledger.home.path / "away")
    assert ledger.count() == 2
    (problem,) = ledger.reader.problems()
    assert problem.rows == 3
    assert problem.start == problem.end == (NOON - timedelta(days=9)).replace(tzinfo=None)
    assert gone.name in problem.message
    away.rename(ledger.path_of(gone))
    ledger.now += 11.0
    assert ledger.count() == 5
    assert ledger.reader.problems() == []


def test_a_segment_that_was_merged_away_while_we_looked_is_no_problem(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.record(4)
    old = ledger.drain()
    stale = load_newest(ledger.home)
    new = replace(old, name="merged.duckdb")
    ledger.path_of(old).rename(ledger.path_of(new))
    assert commit(ledger.home, stale.next(segments=[new]))
    answers = [stale]
    monkeypatch.setattr(reader_module, "load_newest", lambda home: answers.pop() if answers else load_newest(home))
    assert ledger.count() == 4
    assert ledger.reader.problems() == []


def test_damage_is_found_left_out_and_reported_and_never_gives_a_wrong_answer(ledger: Ledger) -> None:
    ledger.record(300)
    ledger.drain()
    ledger.record(700, model="damaged")
    whole = ledger.drain()
    path = ledger.path_of(whole)
    content = path.read_bytes()
    dice = random.Random(7)
    left_out = 0
    for _ in range(25):
        bad = bytearray(content)
        bad[dice.randrange(len(bad))] ^= 1 << dice.randrange(8)
        path.write_bytes(bad)
        ledger.reader.close()
        with ledger.reader.snapshot() as snapshot:
            found = snapshot.ask(
                lambda view: view.frame("SELECT count(*) AS n, sum(hash(COLUMNS(*)::VARCHAR)) FROM usage")["n"][0]
            )
        problems = ledger.reader.problems()
        assert (found, [problem.rows for problem in problems]) in ((1000, []), (300, [700]))
        left_out += bool(problems)
    assert left_out > 10


def test_a_reader_goes_on_after_damage_while_the_file_stays_open(ledger: Ledger) -> None:
    ledger.record(300)
    ledger.drain()
    ledger.record(20_000, model="damaged")
    segment = ledger.drain()
    assert ledger.count() == 20_300
    content = bytearray(ledger.path_of(segment).read_bytes())
    for place in range(20_000, len(content), 4096):
        content[place] ^= 255
    with ledger.path_of(segment).open("r+b") as file:
        file.write(content)
    with ledger.reader.snapshot() as snapshot:
        found = snapshot.ask(lambda view: view.frame("SELECT model, max(call_id) FROM usage GROUP BY model"))
        assert found["model"].tolist() == ["gpt-6-luna"]
        assert count(snapshot) == 300
    assert [problem.rows for problem in ledger.reader.problems()] == [20_000]
    ledger.record()
    ledger.drain()
    assert ledger.count() == 301


def test_a_ledger_without_a_readable_manifest_is_refused_not_shown_empty(ledger: Ledger) -> None:
    ledger.record()
    ledger.drain()
    for manifest in ledger.home.manifests.iterdir():
        manifest.write_bytes(b"")
    with pytest.raises(LedgerDamaged, match="manifest"):
        ledger.count()


def test_a_damaged_newest_manifest_shows_the_records_from_the_one_before_and_the_spools(ledger: Ledger) -> None:
    ledger.record(5)
    ledger.drain()
    ledger.record(5)
    ledger.drain()
    newest = max(ledger.home.manifests.iterdir())
    newest.write_bytes(newest.read_bytes()[:-3])
    assert ledger.count() == 10


def test_rows_whose_deletion_is_under_way_are_hidden_in_segments_and_tail(ledger: Ledger) -> None:
    for user in ("ann", "o'hara", None):
        ledger.record(2, user=user)
    ledger.drain()
    for user in ("ann", "o'hara", None):
        ledger.record(1, user=user)
    assert commit(ledger.home, load_newest(ledger.home).next(hidden=[{"user": "o'hara"}]))
    with ledger.reader.snapshot() as snapshot:
        users = snapshot.frame('SELECT "user" AS name, count(*) AS n FROM usage GROUP BY ALL ORDER BY n, name')
        assert users["name"].fillna("-").tolist() == ["ann", "-"]
        assert users["n"].tolist() == [3, 3]
        each = [len(snapshot.rows(source.select(["user"]))) for source in snapshot.sources]
        assert sum(each) == 6


def test_a_segment_of_an_older_version_lacks_later_columns(ledger: Ledger) -> None:
    ledger.record(2)
    segment = ledger.drain()
    path = ledger.path_of(segment)
    with duckdb.connect(str(path)) as connection:
        connection.execute("ALTER TABLE usage DROP COLUMN searches")
    old = replace(segment, bytes=path.stat().st_size, blake2b=file_digest(path))
    assert commit(ledger.home, load_newest(ledger.home).next(segments=[old]))
    with ledger.reader.snapshot() as snapshot:
        found = snapshot.frame("SELECT count(*) AS n, count(searches) AS known FROM usage")
    assert (found["n"][0], found["known"][0]) == (2, 0)


def test_a_spool_that_ended_long_ago_is_still_read_from_where_it_was_drained(ledger: Ledger) -> None:
    ledger.record(2)
    ledger.drain()
    newest = load_newest(ledger.home)
    long_ago = {name: SpoolMark(mark.offset, mark.grown_at - 1e6) for name, mark in newest.spools.items()}
    assert commit(ledger.home, newest.next(spools=long_ago))
    assert ledger.count() == 2
    Recorder(ledger.home).record(record())
    assert ledger.count() == 3


def test_a_spool_that_lost_bytes_is_reported_and_its_drained_records_stay(ledger: Ledger) -> None:
    ledger.record(5)
    ledger.drain()
    (spool,) = ledger.home.spool.iterdir()
    spool.write_bytes(spool.read_bytes()[:100])
    assert ledger.count() == 5
    assert spool.name in ledger.reader.problems()[0].message


def test_replaced_segments_are_let_go_a_minute_later_but_not_under_a_snapshot(ledger: Ledger) -> None:
    def attached(snapshot: Snapshot) -> int:
        names = "SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name <> 'memory'"
        return len(snapshot.frame(names))

    for _ in range(8):
        ledger.record(2)
        ledger.drain()
    with ledger.reader.snapshot() as held:
        assert attached(held) == 8
        assert Merger(ledger.home).merge()
        ledger.now += 1.0
        assert ledger.count() == 16
        assert attached(held) == 9
        ledger.now += 100.0
        assert ledger.count() == 16
        assert count(held) == 16
        assert attached(held) == 9
    assert ledger.count() == 16
    with ledger.reader.snapshot() as snapshot:
        assert attached(snapshot) == 1


def test_threads_query_without_error_and_never_see_less_while_files_are_swapped(ledger: Ledger) -> None:
    stop = threading.Event()
    faults: list[str] = []

    def watch() -> None:
        seen = 0
        while not stop.is_set():
            try:
                with ledger.reader.snapshot() as snapshot:
                    found, again = count(snapshot), count(snapshot)
            except Exception as error:  # noqa: BLE001  # any error at all is the failure looked for
                faults.append(repr(error))
                return
            if found != again or found < seen:
                faults.append(f"{found} then {again}, after {seen}")
            seen = found

    threads = [threading.Thread(target=watch, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    merger = Merger(ledger.home)
    for _ in range(24):
        ledger.record(20)
        ledger.drain()
        merger.merge()
        ledger.now += 20.0
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert ledger.count() == 480


def test_a_closed_reader_opens_again(ledger: Ledger) -> None:
    ledger.record(3)
    assert ledger.count() == 3
    ledger.reader.close()
    assert ledger.count() == 3


def test_closing_ends_a_question_under_way_and_waits_for_its_thread(ledger: Ledger) -> None:
    ledger.record()
    begun, ended = threading.Event(), []

    def ask() -> None:
        with ledger.reader.snapshot() as snapshot:
            snapshot.rows("SELECT 1")
            begun.set()
            try:
                snapshot.rows("SELECT sum(hash(a.range * b.range)) FROM range(1000000) a, range(1000000) b")
            except (duckdb.InterruptException, duckdb.ConnectionException):  # within it, or just before
                ended.append(True)

    thread = threading.Thread(target=ask)
    thread.start()
    assert begun.wait(PATIENCE_S)
    ledger.reader.close()
    thread.join(PATIENCE_S)
    assert ended == [True]
    assert ledger.count() == 1


def test_nothing_is_written_into_the_home_by_reading(ledger: Ledger) -> None:
    ledger.record(50)
    ledger.drain()
    ledger.record(50)

    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in ledger.home.path.rglob("*") if path.is_file()}

    before = content()
    assert ledger.count() == 100
    ledger.reader.close()
    assert content() == before


def test_a_record_of_a_running_writer_is_visible_within_two_seconds(ledger: Ledger) -> None:
    """The writer prints each id once it is acknowledged; from then on it must be found."""
    script = """
import time
from llm_core import UsageRecord, Workspace
ws = Workspace.open()
for number in range(20):
    ws.usage.record(UsageRecord(provider="openai", connection="openai", model="m", id=f"id-{number}"))
    print(f"id-{number}", flush=True)
    time.sleep(0.01)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged = time.monotonic()
            with ledger.reader.snapshot() as snapshot:
                found = snapshot.frame("SELECT id FROM usage WHERE id = $id", {"id": line.strip()})
            assert len(found) == 1, f"{line} not visible {time.monotonic() - acknowledged:.3f} s after its record()"
