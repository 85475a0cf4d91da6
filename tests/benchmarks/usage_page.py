"""The Usage page: each run of it on the server, and in Chromium from an address on.

A load ends when the first screen is shown: figures, cards and pictures of the charts, with no placeholder among them. A
figure of its own says when plotly's charts have taken the place of the pictures and the table below them is drawn. The
first load is that of a browser which has started and has nothing of the app yet. The reference is a page of one title,
served and opened the same way in the same run: what Streamlit and the browser take by themselves.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .figure import Figure
from .ledger_data import bench_data

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
UNCHANGED_MS, CHANGED_MS, MEMORY_MB, FIRST_S, WARM_S = 500.0, 1000.0, 500.0, 2.5, 1.2
RELOADS = 3
BROWSERS = 7
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_TITLE = "h1"
_FIRST_SCREEN = "[data-testid=stMain]:not(:has([data-testid=stSkeleton])) .st-key-usage-chart-who .chart-picture"
_CHARTS, _TABLE = 4, "[data-testid=stDataFrame] canvas"

_WATCH = """
{
  const drawn = document.getElementsByClassName("main-svg")
  const watch = setInterval(() => {
    if (!window.shownAt) {
      if (document.querySelector("SHOWN")) window.shownAt = performance.now()
    } else if (drawn.length >= 3 * CHARTS && document.querySelector("TABLE")) {
      window.drawnAt = performance.now()
      clearInterval(watch)
    }
  }, 25)
}
""".replace("CHARTS", str(_CHARTS)).replace("TABLE", _TABLE)
"""Cheap, so that looking takes nothing from what is looked at: it measures nothing that the browser has to lay out."""

_ON_THE_SERVER = """
import json, statistics, sys, time
import psutil
from streamlit.testing.v1 import AppTest
from llm_core import UsageRecord, Workspace
app = AppTest.from_file("app.py", default_timeout=120)
app.context = {"timezone": "Europe/Berlin", "theme": "light"}
app.run()
app.switch_page("pages/usage.py")
def took():
    begin = time.perf_counter()
    app.run()
    assert not app.exception and len(app.metric) == 6, app.exception
    return (time.perf_counter() - begin) * 1e3
first = took()
unchanged = statistics.median(took() for _ in range(7))
changed = []
for _ in range(5):
    with Workspace.open() as other:
        other.usage.record(UsageRecord(provider="openai", connection="openai", model="gpt-6-luna"))
    changed.append(took())
print(json.dumps([first, unchanged, statistics.median(changed), psutil.Process().memory_info().rss / 2**20]))
"""


def run(rows: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        home = shutil.copytree(bench_data(rows).home.path, Path(folder, "home"))
        environment = os.environ | {"LLM_MANAGER_HOME": str(home), "LLM_MANAGER_CACHE": str(Path(folder, "cache"))}
        first, unchanged, changed, memory = _on_the_server(environment)
        found = [
            Figure("usage page: its first screen, first run on the server", first, "ms", None, None, "", True),
            _within("usage page: run again, nothing new", unchanged, "ms", UNCHANGED_MS),
            _within("usage page: run again after a record", changed, "ms", CHANGED_MS),
            _within("usage page: memory of the process", memory, "MB", MEMORY_MB),
        ]
        title = Path(folder, "title.py")
        title.write_text('import streamlit as st\nst.title("A title")\n', encoding="utf-8")
        with _serving([str(title)], environment) as url:
            bare = _in_the_browser(url, _TITLE)
        with _serving(["app.py"], environment) as url:
            started = _in_the_browser(f"{url}/usage", _FIRST_SCREEN, browsers=1)
            time.sleep(10)  # advice and forecast are worked out
            page = _in_the_browser(f"{url}/usage", _FIRST_SCREEN)
    return [
        *found,
        _beside("usage page: first load of a server just started", started.first, bare.first, None),
        _beside("usage page: first load of a browser", page.first, bare.first, FIRST_S),
        _beside("usage page: first load, with all that is below", page.first_whole, bare.first, None),
        _beside("usage page: loaded again", page.again, bare.again, WARM_S),
        _beside("usage page: loaded again, with all that is below", page.again_whole, bare.again, None),
    ]


class _Loads(NamedTuple):
    """Medians, in seconds."""

    first: float
    first_whole: float
    again: float
    again_whole: float


def _on_the_server(environment: dict[str, str]) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", _ON_THE_SERVER], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return [float(value) for value in json.loads(done.stdout.splitlines()[-1])]


@contextmanager
def _serving(script: list[str], environment: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", *script, "--server.port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/_stcore/health")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _in_the_browser(url: str, shown: str, browsers: int = BROWSERS) -> _Loads:
    """`browsers` times with nothing in the browser's cache, and each time loaded again."""
    from playwright.sync_api import sync_playwright

    first, again = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        time.sleep(5)  # it loads pages of its own as it starts
        for _ in range(browsers):
            context = browser.new_context(viewport={"width": 1440, "height": 1400}, timezone_id="Europe/Berlin")
            context.add_init_script(_WATCH.replace("SHOWN", shown))
            page = context.new_page()
            first.append(_load(page, url))
            _load(page, url)  # the browser keeps what it compiled from the second time on
            again += [_load(page, url) for _ in range(RELOADS)]
            context.close()
        browser.close()
    median = statistics.median
    return _Loads(
        median(load for load, _ in first),
        median(whole for _, whole in first),
        median(load for load, _ in again),
        median(whole for _, whole in again),
    )


def _load(page: Page, url: str) -> tuple[float, float]:
    """Seconds until what is asked for is shown, and until all is drawn, as the browser counts them; a title is all."""
    page.goto(url)
    page.wait_for_function("window.shownAt", timeout=60_000)
    page.wait_for_timeout(4000)
    shown, drawn = page.evaluate("[window.shownAt, window.drawnAt || 0]")
    return shown / 1e3, drawn / 1e3


def _within(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(name, value, unit, None, None, f"<= {limit:g} {unit}", value <= limit)


def _beside(name: str, value: float, bare: float, limit: float | None) -> Figure:
    """Beside a bare page; `limit` is in seconds."""
    must = "" if limit is None else f"<= {limit:g} s"
    return Figure(name, value, "s", bare, value / bare, must, limit is None or value <= limit)
