"""The recorder: what it writes, which file it writes to, and what it never does to its caller."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_core import Usage, UsageRecord
from llm_core.errors import RecordNotKept
from llm_core.store.home import Home, open_home
from llm_core.types import USAGE_FIELDS
from llm_core.usage import recorder as recorder_module
from llm_core.usage.drain import drain
from llm_core.usage.encode import MAX_LINE
from llm_core.usage.recorder import Recorder
from llm_core.usage.schema import COLUMNS
from llm_core.usage.spool import list_spools

from .found import ids, only_spool, rows
from .rows import record

ROOT = Path(__file__).parents[2]
HOUR = 3600.0


@pytest.fixture
def ledger(home: Path) -> Home:
    return open_home(home)


class Clock:
    """A monotonic and a wall clock that a test sets."""

    def __init__(self) -> None:
        self.monotonic = 1000.0
        self.wall = 1_800_000_000.0

    def recorder(self, home: Home) -> Recorder:
        return Recorder(home, monotonic=lambda: self.monotonic, wall=lambda: self.wall)

    def advance(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds


def test_a_record_is_one_line_of_all_columns_between_two_newlines(ledger: Home) -> None:
    Recorder(ledger).record(record(usage=Usage(input_tokens=5), cost_usd=Decimal("0.1"), tags={"a": "b"}))
    content = only_spool(ledger).read_bytes()
    assert content.startswith(b"\n{")
    assert content.endswith(b"}\n")
    assert list(orjson.loads(content)) == list(COLUMNS)


def test_a_spool_is_named_after_its_process_and_private(ledger: Home) -> None:
    Recorder(ledger).record(record())
    path = only_spool(ledger)
    assert re.fullmatch(rf"[A-Za-z0-9_.-]+-{os.getpid()}-[0-9a-f]{{12}}\.jsonl", path.name)
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_process_goes_on_in_its_file(ledger: Home) -> None:
    recorder = Recorder(ledger)
    for _ in range(50):
        recorder.record(record())
    assert only_spool(ledger).read_bytes().count(b"\n{") == 50


def test_a_full_file_is_left(ledger: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MAX_BYTES", 3000)
    made = [record() for _ in range(40)]
    recorder = Recorder(ledger)
    for each in made:
        recorder.record(each)
    sizes = [spool.size for spool in list_spools(ledger)]
    assert len(sizes) > 5
    assert max(sizes) < 3000 + 1500
    assert ids(ledger) == Counter(each.id for each in made)


@pytest.mark.parametrize(
    ("monotonic", "wall", "files"),
    [
        pytest.param(HOUR - 1, HOUR - 1, 1, id="under an hour"),
        pytest.param(HOUR, HOUR, 2, id="an hour"),
        pytest.param(HOUR, 0, 2, id="an hour, the wall clock was set back meanwhile"),
        pytest.param(60, 2 * 24 * HOUR, 2, id="a laptop slept two days: the monotonic clock stood still"),
        pytest.param(60, -5, 2, id="the wall clock went backwards"),
    ],
)
def test_a_file_is_left_after_an_hour(ledger: Home, monotonic: float, wall: float, files: int) -> None:
    clock = Clock()
    recorder = clock.recorder(ledger)
    recorder.record(record())
    clock.monotonic += monotonic
    clock.wall += wall
    recorder.record(record())
    assert len(list_spools(ledger)) == files


@pytest.mark.parametrize("with_backup", [False, True], ids=["removed", "removed, and linked in a backup"])
def test_a_record_is_written_again_when_its_file_was_removed(ledger: Home, with_backup: bool, tmp_path: Path) -> None:
    recorder = Recorder(ledger)
    recorder.record(record())
    removed = only_spool(ledger)
    if with_backup:
        (tmp_path / "backup").hardlink_to(removed)
    removed.unlink()
    kept = record()
    recorder.record(kept)
    assert ids(ledger) == Counter([kept.id])


def test_a_home_replaced_by_its_backup_is_noticed(ledger: Home) -> None:
    """The backup holds a file of the same name; the open one lies in the old home, moved aside."""
    clock = Clock()
    recorder = clock.recorder(ledger)
    recorder.record(record())
    path = only_spool(ledger)
    content = path.read_bytes()
    ledger.spool.rename(ledger.ledger / "spool of before")
    ledger.spool.mkdir()
    path.write_bytes(content)
    clock.advance(2)
    kept = record()
    recorder.record(kept)
    assert ids(ledger)[kept.id] == 1


def test_without_its_folder_a_record_is_refused_with_a_hint(ledger: Home) -> None:
    ledger.spool.rmdir()
    with pytest.raises(RecordNotKept, match="could not be written") as caught:
        Recorder(ledger).record(record())
    assert caught.value.hint


def test_threads_that_rotate_all_the_time_lose_nothing(ledger: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MAX_BYTES", 5000)
    recorder = Recorder(ledger)
    made: list[str] = []

    def work() -> None:
        for _ in range(100):
            each = record(user="x" * 300)
            recorder.record(each)
            made.append(each.id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drain(ledger).bad == 0
    assert Counter(row["id"] for row in rows(ledger)) == Counter(made)
    assert len(made) == 8 * 100


FORKS = """
import os, sys, threading
from llm_core.store.home import open_home
from llm_core.usage.recorder import Recorder
from tests.usage.rows import record

recorder = Recorder(open_home())
going = True
def work():
    while going:
        recorder.record(record(user="parent"))
for _ in range(4):
    threading.Thread(target=work).start()
children = []
for number in range(6):
    recorder.record(record(user="before"))
    child = os.fork()
    if not child:
        for _ in range(100):
            recorder.record(record(user=f"child {number}"))
        os._exit(0)
    children.append(child)
codes = [os.waitpid(child, 0)[1] for child in children]
going = False
sys.exit(max(codes))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forked_children_of_a_recording_process_write_files_of_their_own(ledger: Home) -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKS], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    drained = drain(ledger)
    assert drained.bad == 0
    users = Counter(row["user"] for row in rows(ledger))
    assert {user: count for user, count in users.items() if user.startswith("child")} == {
        f"child {number}": 100 for number in range(6)
    }
    assert users["before"] == 6
    assert len({spool.name.split("-")[-2] for spool in list_spools(ledger)}) == 7


LIGHT = """
import sys
from llm_core import Workspace
from tests.usage.rows import record
Workspace.open().usage.record(record())
heavy = {"duckdb", "pandas", "numpy", "sqlalchemy", "filelock", "genai_prices", "openai", "streamlit"}
print(sorted(heavy & set(sys.modules)))
"""


def test_recording_loads_no_database_and_no_prices(ledger: Home) -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_line_too_long_for_duckdb_loses_what_the_provider_said_not_the_record(ledger: Home) -> None:
    made = record(raw_usage={"text": "x" * MAX_LINE}, tags={"a": "b"}, usage=Usage(input_tokens=7), user="u" * 20_000)
    Recorder(ledger).record(made)
    assert drain(ledger).bad == 0
    (row,) = rows(ledger)
    assert (row["id"], row["input_tokens"], row["raw_usage"]) == (made.id, 7, None)
    assert row["user"] == "u" * 10_000


class Foreign:
    """An SDK's own object, which cannot even say what it is."""

    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({1: {2.5: "x"}}, {"1": {"2.5": "x"}}),
        ({"big": 2**70}, {"big": str(2**70)}),
        ({"set": {1}}, {"set": [1]}),
        ({"money": Decimal("0.1")}, {"money": "0.1"}),
        ({"foreign": Foreign()}, {"foreign": "Foreign"}),
        ({"nan": float("nan")}, {"nan": None}),
        ({"\ud800": "\udfff"}, {"\\ud800": "\\udfff"}),
    ],
    ids=["numbers as names", "large", "set", "decimal", "foreign", "nan", "half a character"],
)
def test_what_json_cannot_hold_is_kept_as_text(ledger: Home, value: Any, kept: Any) -> None:
    Recorder(ledger).record(record(raw_usage=value))
    assert drain(ledger).bad == 0
    assert orjson.loads(rows(ledger)[0]["raw_usage"]) == kept


def test_endless_nesting_is_cut_not_refused(ledger: Home) -> None:
    nested: dict[str, Any] = {}
    inner = nested
    for _ in range(2000):
        inner["a"] = {}
        inner = inner["a"]
    Recorder(ledger).record(record(raw_usage=nested))
    assert drain(ledger).rows == 1


TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30)), timezone(timedelta(hours=14))])
COUNTS = st.integers(0, 2**62)


@st.composite
def records(draw: st.DrawFn) -> UsageRecord:
    whole_in, whole_out = draw(COUNTS), draw(COUNTS)
    usage = Usage(
        input_tokens=whole_in,
        cache_read_tokens=draw(st.integers(0, whole_in)),
        output_tokens=whole_out,
        reasoning_tokens=draw(st.integers(0, whole_out)),
        audio_seconds=draw(st.floats(0, 1e9)),
        requests=draw(COUNTS),
    )
    optional_text = st.none() | TEXT
    return UsageRecord(
        provider=draw(TEXT.filter(bool)),
        connection=draw(TEXT.filter(bool)),
        model=draw(TEXT.filter(bool)),
        started_at=draw(st.datetimes(timezones=ZONES)),
        user=draw(optional_text),
        preset_version=draw(st.none() | st.integers(0, 2**31 - 1)),
        usage=draw(st.none() | st.just(usage)),
        latency_ms=draw(st.none() | st.floats(0, 1e11)),
        cost_usd=draw(st.none() | st.decimals(0, 10**8 - 1, places=10)),
        price_source=draw(optional_text),
        price_from=draw(st.none() | st.dates()),
        tags=draw(st.none() | st.dictionaries(TEXT, TEXT, max_size=3)),
        raw_usage=draw(st.none() | st.dictionaries(TEXT, JSON, max_size=3)),
    )


def as_kept(value: Any) -> Any:
    """A value as the ledger gives it back: lone surrogates as their escapes."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", value)
    if isinstance(value, dict):
        return {as_kept(key): as_kept(inner) for key, inner in value.items()}
    return [as_kept(inner) for inner in value] if isinstance(value, list) else value


def in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return time.replace(tzinfo=None)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(records(), min_size=1, max_size=8))
def test_any_record_comes_back_as_it_was(made: list[UsageRecord]) -> None:
    with TemporaryDirectory() as folder:
        ledger = open_home(folder)
        recorder = Recorder(ledger)
        for each in made:
            recorder.record(each)
        drained = drain(ledger)
        assert (drained.rows, drained.bad) == (len(made), 0)
        found = {row["id"]: row for row in rows(ledger)}
    for each in made:
        row = found[each.id]
        for name in ("provider", "connection", "model", "user", "price_source", "tags"):
            assert row[name] == as_kept(getattr(each, name)), name
        for name in ("preset_version", "latency_ms", "cost_usd", "price_from"):
            assert row[name] == getattr(each, name), name
        for name in USAGE_FIELDS:
            assert row[name] == (getattr(each.usage, name) if each.usage else None), name
        assert row["started_at"] == in_utc(each.started_at)
        raw = None if row["raw_usage"] is None else orjson.loads(row["raw_usage"])
        assert raw == as_kept(each.raw_usage)
