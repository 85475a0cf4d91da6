"""How a program ends that asked the ledger and did not close it: at once, and with nothing on stderr.

DuckDB complains at length about what is alive then, and threads that are left behind keep alive what they can reach.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

_START = """
import gc, threading
from llm_core import Usage, UsageRecord, Workspace

ws = Workspace.open()
ws.usage.record(UsageRecord(provider="openai", connection="openai", model="gpt-6-luna", usage=Usage(input_tokens=7)))
ws.usage.keep_draining()
assert ws.usage.series("model").calls[0] == 1
begun = threading.Semaphore(0)

def leave_behind(work):
    threading.Thread(target=work, daemon=True).start()
    begun.acquire()
"""

_ENDS = {
    "a thread that waits": """
def wait():
    ws.usage.summary()
    begun.release()
    threading.Event().wait()
leave_behind(wait)
""",
    "an open snapshot, and garbage left out of collection": """
def keep():
    with ws.usage.snapshot():
        ws.usage.summary()
        begun.release()
        threading.Event().wait()
leave_behind(keep)
gc.freeze()
""",
    "questions under way": """
def ask(sql):
    with ws.usage.snapshot_now() as snapshot:
        begun.release()
        snapshot.rows(sql)
def ask_again_and_again():
    begun.release()
    while True:
        ws.usage.summary()
for _ in range(2):
    leave_behind(lambda: ask("SELECT sum(hash(a.range * b.range)) FROM range(10000000) a, range(10000000) b"))
leave_behind(ask_again_and_again)
""",
}


@pytest.mark.parametrize("end", _ENDS.values(), ids=_ENDS)
def test_a_program_that_leaves_threads_behind_ends_without_a_word(end: str, tmp_path: Path) -> None:
    environment = {**os.environ, "LLM_MANAGER_HOME": str(tmp_path / "home")}
    found = subprocess.run(
        [sys.executable, "-c", _START + end], env=environment, capture_output=True, text=True, timeout=2 * PATIENCE_S
    )
    assert (found.stderr, found.returncode) == ("", 0)
