"""The real app in Chromium: a server of the test's own on loopback, with its own home, cache and no keys.

Every page that a test opens is watched: a request to anywhere but the server is a failure of the test.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import needs
from tests.e2e.runs import runs_of, watch_runs
from tests.ports import free_port
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
REST = ".st-key-first-screen-rest"
"""Where a page waits for the browser to ask for what comes below its first screen."""
PATIENCE_MS = 1000 * PATIENCE_S
"""How long a test waits for what must come; it says nothing of how fast that is."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": str(needs.chromium()), "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1440, "height": 1400}, "timezone_id": "Europe/Berlin"}


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A tab that may only talk to loopback."""
    left: list[str] = []
    watch_runs(page)
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.on("request", lambda request: left.append(request.url) if not _stays_here(request.url) else None)
    yield page
    assert left == [], "a page asked something of the outside"


def _stays_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob") or parts.hostname == "127.0.0.1"


Serve = Callable[..., str]


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """Of the server, and of programs beside it: a home and a cache of the test's own."""
    return {**os.environ, "LLM_MANAGER_HOME": str(home), "PYTHONWARNINGS": "default"}


@pytest.fixture
def serve(environment: dict[str, str], tmp_path: Path) -> Iterator[Serve]:
    """`serve(NAME=value)` starts the app, or another script, with these variables too, and gives its address."""
    with ExitStack() as running:
        yield lambda script="app.py", **variables: running.enter_context(
            _server(script, environment | variables, tmp_path / "server.log")
        )


@contextmanager
def _server(script: str, environment: dict[str, str], log: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
    said = log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in said
    assert "leaked" not in said  # by DuckDB, of what is alive when the server ends


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"The app did not start:\n{log.read_text(errors='replace')}")


def settled(page: Page) -> None:
    """Wait until the server has run what the page asked for, and its last elements are drawn, those below its first
    screen too: they move what is there, and a click before that can be lost."""
    end = time.monotonic() + PATIENCE_S
    while True:
        page.locator(IDLE).wait_for()
        page.wait_for_timeout(200)
        if not runs_of(page).under_way and page.locator(IDLE).count() and not page.locator(REST).count():
            return
        assert time.monotonic() < end, "the page never came to rest"


def click(page: Page, target: Locator) -> None:
    """Click once the page is at rest."""
    settled(page)
    target.click()


def enter(page: Page, field: Locator, text: str) -> None:
    """Fill a field and leave it, and wait until the page has taken it: a click would do both at once."""
    settled(page)
    field.fill(text)
    field.blur()
    settled(page)


def run_python(code: str, environment: dict[str, str]) -> str:
    """Run a program beside the app, as a notebook would be; what it printed."""
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def connect_to(base_url: str, environment: dict[str, str]) -> None:
    """Connect a compatible endpoint and list its models, in a program of its own."""
    run_python(
        f"from llm_core import Workspace\nws = Workspace.open()\n"
        f"ws.providers.connect('compatible', base_url={base_url!r})\nws.models.refresh('compatible')",
        environment,
    )


_WORDS = """
(chart) => Object.fromEntries([...chart.querySelectorAll("div, .xtick text, .ytick text, .bartext")]
  .filter((each) => getComputedStyle(each).visibility !== "hidden" && !each.children.length && each.textContent.trim())
  .map((each) => {
    const range = document.createRange()
    range.selectNodeContents(each)
    const box = range.getBoundingClientRect()
    const whole = chart.getBoundingClientRect()
    return [each.textContent.trim(), [box.x + box.width / 2 - whole.x, box.y + box.height / 2 - whole.y]]
  }))
"""


def words_of(page: Page, chart: Locator) -> dict[str, list[float]]:
    """Each word in a chart or in its picture, and where its middle is from the upper left corner, in pixels."""
    found: dict[str, list[float]] = page.evaluate(_WORDS, chart.element_handle())
    return found
