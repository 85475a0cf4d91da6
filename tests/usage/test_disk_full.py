"""A write that the system cuts short or refuses: the caller is told, and the next record is whole.

Run in processes of their own under a limit on the size of files, which refuses like a full disk does but needs no
rights. The drill `disk_full` does the same on a small disk.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from llm_core.store.home import Home, open_home
from llm_core.usage import quarantine
from llm_core.usage.drain import drain
from llm_core.usage.manifest import load_newest
from llm_core.usage.spool import list_spools

from .found import ids, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of files")

ROOT = Path(__file__).parents[2]
SCRIPT = """
import resource
from llm_core.errors import RecordNotKept
from llm_core.store.home import open_home
from llm_core.usage.drain import drain
from llm_core.usage.recorder import Recorder
from llm_core.usage.spool import list_spools
from tests.usage.rows import record

home = open_home()
recorder = Recorder(home)

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

def keep():
    made = record()
    recorder.record(made)
    print(made.id, flush=True)

def refused():
    try:
        recorder.record(record())
    except RecordNotKept as error:
        assert "spool" in error.message and error.hint, error
    else:
        raise SystemExit("it was not refused")
"""


@pytest.fixture
def ledger(home: Path) -> Home:
    return open_home(home)


def kept_by(script: str) -> list[str]:
    """Run a script and return the ids it was told are kept."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_after_a_short_write_the_record_is_refused_and_the_next_is_whole_in_a_new_file(ledger: Home) -> None:
    made = kept_by(
        """
keep()
keep()
limit(list_spools(home)[0].size + 100)
refused()
limit(-1)
keep()
assert len(list_spools(home)) == 2
"""
    )
    assert len(made) == 3
    assert ids(ledger) == Counter(made)
    for spool in list_spools(ledger):
        with spool.path.open("ab") as file:
            file.write(b"\n")  # the fragment ends, as it does with the next record of another thread
    assert drain(ledger).bad == 1
    assert [len(bad.content) for bad in quarantine.read(ledger)] == [99]
    assert ids(ledger) == Counter(made)


def test_a_program_that_goes_on_recording_on_a_full_disk_leaves_no_heap_of_empty_files(ledger: Home) -> None:
    made = kept_by(
        """
keep()
limit(0)
for _ in range(300):
    refused()
limit(-1)
keep()
"""
    )
    assert ids(ledger) == Counter(made)
    assert len([spool for spool in list_spools(ledger) if spool.size == 0]) <= 1


def test_no_space_for_a_segment_leaves_the_old_data_and_nothing_half_done(ledger: Home) -> None:
    made = write(ledger, 50)
    drain(ledger)
    before = load_newest(ledger)
    made += write(ledger, 50)
    kept_by(
        """
failed = 0
for size in (0, 100, 5_000, 20_000, 40_000):
    limit(size)
    try:
        drain(home)
    except Exception as error:
        failed += 1
limit(-1)
assert failed == 5, failed
assert [path for path in home.segments.iterdir() if path.suffix != ".duckdb"] == []
"""
    )
    assert load_newest(ledger) == before
    assert ids(ledger) == Counter(made)
    assert drain(ledger).rows == 50
    assert ids(ledger) == Counter(made)
