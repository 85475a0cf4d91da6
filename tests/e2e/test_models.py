"""Choosing a model in the browser: find it, compare it, make it active; another process sees it at once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ROOT, Serve, click, settled

pytestmark = pytest.mark.browser

WATCHER = """
import sys, time
from llm_core import Workspace
with Workspace.open() as ws:
    print("ready", flush=True)
    end = time.monotonic() + 120
    while ws.models.active("chat") != sys.argv[1] and time.monotonic() < end:
        time.sleep(0.01)
    print(ws.models.resolve(None, "chat")[1], flush=True)
"""
CONNECT = """
from datetime import UTC, datetime
from decimal import Decimal
from llm_core import LLMModel, Usage, UsageRecord, Workspace
from llm_core.store.listings import keep_listing
with Workspace.open() as ws:
    ws.providers.connect("openai", "sk-not-a-key-that-works-0001", test=False)
    with ws.state.write() as state:
        names = ("gpt-6-luna", "gpt-6.1-sol", "gpt-5.4-mini")
        keep_listing(state, "openai", [LLMModel("openai", "openai", name) for name in names], datetime.now(UTC))
    ws.models.activate("chat", "openai:gpt-6.1-sol")
    for name, seconds in (("gpt-6-luna", 1), ("gpt-6.1-sol", 4)):
        ws.usage.record(UsageRecord(provider="openai", connection="openai", model=name, latency_ms=seconds * 1000.0,
                                    usage=Usage(input_tokens=900, output_tokens=90), cost_usd=Decimal("0.01")))
"""


def test_a_model_is_found_compared_and_made_active_and_another_process_sees_it(
    page: Page, serve: Serve, environment: dict[str, str], sample_cache: Path
) -> None:
    subprocess.run([sys.executable, "-c", CONNECT], cwd=ROOT, env=environment, check=True, timeout=120)
    page.goto(serve() + "/models?search=gpt-6")
    expect(page.get_by_text("2 of 3 models")).to_be_visible()
    settled(page)
    _choose(page, 0)
    _choose(page, 1)
    expect(page.get_by_text("2 models side by side")).to_be_visible()
    expect(page.locator(".js-plotly-plot .scatterlayer .point")).to_have_count(2)
    expect(page.get_by_text("Context window")).to_be_visible()
    before = page.get_by_text(re.compile(r"^\$[\d,.]+$")).first.inner_text()
    page.get_by_label("Calls a month").fill("500000")
    page.get_by_label("Calls a month").press("Enter")
    expect(page.get_by_text(before, exact=True)).to_have_count(0)

    click(page, page.get_by_role("button", name="Close"))
    settled(page)
    page.get_by_role("searchbox").or_(page.get_by_label("Search")).first.fill("luna")
    expect(page.get_by_text("1 of 3 models")).to_be_visible()
    expect(page).to_have_url(re.compile("search=luna"))
    settled(page)
    _choose(page, 0)
    expect(page.get_by_text("How it did here")).to_be_visible()
    settled(page)
    with subprocess.Popen(
        [sys.executable, "-c", WATCHER, "openai:gpt-6-luna"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "ready"
        click(page, page.get_by_role("button", name="Chat", exact=True))
        expect(page.get_by_test_id("stSidebar").get_by_text("Luna")).to_be_visible()
        assert other.stdout.readline().strip() == "gpt-6-luna"


def _choose(page: Page, row: int) -> None:
    """Tick a row's box: the table is drawn on a canvas, so by its place."""
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 35 * (row + 1) + 17)
    settled(page)
