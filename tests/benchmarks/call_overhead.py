"""What `ws.llm.complete` costs over the vendor's bare SDK, both at the same replay server, turn by turn in one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llm_core import Workspace

from .figure import Figure

KEY = "sk-bench-0123456789abcdefghij"
SERIAL = 400
ROUNDS = 4
CONCURRENT = 32
CALLS_PER_THREAD = 12

_MEMORY = """
import os, psutil, sys
me = psutil.Process()
import openai
client = openai.OpenAI(api_key={key!r}, base_url={url!r}, max_retries=0)
client.responses.create(model="gpt-6-luna", input="Hello?")
before = me.memory_info().rss
from llm_core import Workspace
ws = Workspace.open({home!r})
ws.llm.complete("Hello?")
sys.stdout.write(str(me.memory_info().rss - before))
"""


def run(rows: int) -> list[Figure]:
    """`rows` is not used: the figures do not depend on how much is stored."""
    del rows
    with _server() as url, tempfile.TemporaryDirectory() as folder, Workspace.open(folder) as ws:
        ws.providers.connect("openai", KEY, base_url=url)
        ws.models.activate("chat", "openai:gpt-6-luna")
        from openai import OpenAI

        client = OpenAI(api_key=KEY, base_url=url, max_retries=0)

        def bare() -> None:
            client.responses.create(model="gpt-6-luna", input="Hello?")

        def ours() -> None:
            ws.llm.complete("Hello?")

        return [_serial(bare, ours), _concurrent(bare, ours), _memory(url, folder)]


def _serial(bare: Callable[[], None], ours: Callable[[], None]) -> Figure:
    times: dict[Callable[[], None], list[float]] = {bare: [], ours: []}
    for _ in range(20):
        bare()
        ours()
    for _ in range(SERIAL):
        for call, taken in times.items():
            start = time.perf_counter()
            call()
            taken.append((time.perf_counter() - start) * 1000)
    reference, value = statistics.median(times[bare]), statistics.median(times[ours])
    return Figure(
        name="complete(): p50 over the bare SDK",
        value=value - reference,
        unit="ms",
        reference=reference,
        ratio=value / reference,
        must="<= 2 ms",
        ok=value - reference <= 2,
    )


def _concurrent(bare: Callable[[], None], ours: Callable[[], None]) -> Figure:
    best = {bare: 0.0, ours: 0.0}
    for _ in range(ROUNDS):
        for call in best:
            best[call] = max(best[call], _calls_per_second(call))
    ratio = best[ours] / best[bare]
    return Figure(
        name=f"complete(): calls/s at {CONCURRENT} concurrent",
        value=best[ours],
        unit="calls/s",
        reference=best[bare],
        ratio=ratio,
        must=">= 0.8x",
        ok=ratio >= 0.8,
    )


def _calls_per_second(call: Callable[[], None]) -> float:
    def several() -> None:
        for _ in range(CALLS_PER_THREAD):
            call()

    threads = [threading.Thread(target=several) for _ in range(CONCURRENT)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return CONCURRENT * CALLS_PER_THREAD / (time.perf_counter() - start)


def _memory(url: str, home: str) -> Figure:
    """Growth of a fresh process by our first call, after one by the bare SDK; the key is in the environment."""
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY.format(key=KEY, url=url, home=home)],
        env={**os.environ, "OPENAI_API_KEY": KEY},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    megabytes = int(done.stdout) / 2**20
    return Figure(
        name="complete(): memory beyond the SDK",
        value=megabytes,
        unit="MB",
        reference=None,
        ratio=None,
        must="<= 60 MB",
        ok=megabytes <= 60,
    )


@contextmanager
def _server() -> Iterator[str]:
    """The replay server in a process of its own, so that it takes no share of ours."""
    process = subprocess.Popen([sys.executable, "-m", "tests.wire.server"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout:
            process.stdout.close()
