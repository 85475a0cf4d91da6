"""What it costs to load this package and to record with it, each in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time

from .figure import Figure

PROCESSES = 9
IMPORT_MS = 30.0
HEAVY = (
    "anthropic",
    "cohere",
    "duckdb",
    "genai_prices",
    "google.genai",
    "httpx",
    "huggingface_hub",
    "numpy",
    "openai",
    "pandas",
    "plotly",
    "pyarrow",
    "pydantic",
    "sqlalchemy",
    "streamlit",
    "xllamacpp",
)
"""What neither `import llm_core` nor `record()` may load."""

_RECORD = """
import json, sys, time
import psutil
memory = psutil.Process().memory_info
before = memory().rss
started = time.perf_counter()
from llm_core import Usage, UsageRecord, Workspace
ws = Workspace.open(sys.argv[1])
opened = time.perf_counter()
usage = Usage(input_tokens=1200, cache_read_tokens=400, output_tokens=300)
ws.usage.record(UsageRecord(provider="openai", connection="openai", model="gpt-6-luna", usage=usage, latency_ms=840.0))
recorded = time.perf_counter()
heavy = [name for name in json.loads(sys.argv[2]) if name in sys.modules]
print(json.dumps([memory().rss - before, opened - started, recorded - opened, heavy]))
"""


def run(rows: int) -> list[Figure]:
    """`rows` is not used: the figures do not depend on how much is stored."""
    del rows
    bare, package, surface = _best_starts(
        "pass", "import llm_core", "from llm_core import Workspace, Usage, UsageRecord"
    )
    loaded = loaded_by("import llm_core")
    grown, opened, first, heavy = _record()
    over_ms, surface_ms = (package - bare) * 1000, (surface - bare) * 1000
    return [
        Figure(
            "import llm_core, over bare python",
            over_ms,
            "ms",
            bare * 1000,
            None,
            f"<= {IMPORT_MS:g} ms",
            over_ms <= IMPORT_MS,
        ),
        Figure("heavy modules it loads", len(loaded), "", None, None, "0", not loaded),
        _told("from llm_core import Workspace, Usage, UsageRecord, over bare python", surface_ms, "ms"),
        _told("Workspace.open(), with the import", opened * 1000, "ms"),
        _told("first record() of a process", first * 1000, "ms"),
        Figure("heavy modules it loads by then", len(heavy), "", None, None, "0", not heavy),
        _told("memory of all that over bare python", grown / 2**20, "MB"),
    ]


def _told(name: str, value: float, unit: str) -> Figure:
    """A figure that the design sets no limit for."""
    return Figure(name, value, unit, None, None, "", True)


def loaded_by(code: str) -> list[str]:
    """Which of HEAVY a fresh process has loaded after `code`."""
    end = f"\nimport json, sys; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code + end], check=True, capture_output=True, text=True)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def _best_starts(*codes: str) -> list[float]:
    """The best wall time in seconds of a process that runs each of `codes`, taken in turn."""
    best = dict.fromkeys(codes, float("inf"))
    for _ in range(PROCESSES):
        for code in codes:
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            best[code] = min(best[code], time.perf_counter() - started)
    return [best[code] for code in codes]


def _record() -> tuple[int, float, float, list[str]]:
    """Of one fresh process: bytes grown, seconds to import and open, seconds of the first record, heavy modules."""
    best: tuple[int, float, float, list[str]] | None = None
    with tempfile.TemporaryDirectory() as home:
        for _ in range(PROCESSES):
            command = [sys.executable, "-c", _RECORD, home, json.dumps(HEAVY)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            grown, opened, first, heavy = json.loads(done.stdout)
            if best is None or opened < best[1]:
                best = (grown, opened, first, heavy)
    assert best is not None
    return best
