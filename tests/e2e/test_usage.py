"""The Usage page over a million records: first load, a click that filters, an export, a record of another program."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from llm_core import Workspace
from llm_core.store.home import open_home
from tests.benchmarks import ledger_data
from tests.e2e.conftest import Serve, click, run_python, settled, words_of

pytestmark = pytest.mark.browser

ROWS = 1_000_000
RECORD = """
from decimal import Decimal
from llm_core import Usage, UsageRecord, Workspace
with Workspace.open() as ws:
    ws.usage.record(UsageRecord(provider="openai", connection="openai", model="model-04", user="user-0500",
                                usage=Usage(input_tokens=100, output_tokens=20), cost_usd=Decimal("0.25")))
"""


@pytest.fixture
def million(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of a million records up to now in the home of the test."""
    monkeypatch.setattr(ledger_data, "END", datetime.now(UTC).replace(minute=0, second=0, microsecond=0))
    ledger_data._make_ledger(open_home(home), ROWS)
    return home


def test_a_million_records_are_shown_filtered_by_a_click_exported_and_followed(
    page: Page, serve: Serve, million: Path, environment: dict[str, str]
) -> None:
    with Workspace.open() as ws:
        start = ws.usage.span("last 30 days", "Europe/Berlin").start
        everything = ws.usage.summary(start).iloc[0]
        largest = ws.usage.groups("model", start, limit=1).iloc[0]
        rare = ws.usage.summary(start, user="user-0500").iloc[0]
    url = serve()
    page.goto(url + "/usage")
    expect(tile(page, "Calls")).to_have_text(f"{everything.calls:,}")
    expect(page.locator(".st-key-usage-time-0 .bars path").first).to_be_visible()
    settled(page)

    page.locator(".st-key-usage-what-0 .bars path").first.click(force=True)  # below the layer that takes clicks
    expect(page).to_have_url(re.compile(f"model={largest.model}"))
    expect(tile(page, "Calls")).to_have_text(f"{largest.calls:,}")
    click(page, page.get_by_role("button", name=f"Model: {largest.model}").first)
    expect(tile(page, "Calls")).to_have_text(f"{everything.calls:,}")

    page.goto(url + "/usage?user=user-0500&view=Export")
    expect(tile(page, "Calls")).to_have_text(f"{rare.calls:,}")
    click(page, page.get_by_role("radio", name="JSON lines"))
    click(page, page.get_by_role("button", name="Prepare the file"))
    expect(page.get_by_text(f"{rare.records:,} records,")).to_be_visible()
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    rows = [json.loads(line) for line in download.value.path().read_text(encoding="utf-8").splitlines()]
    assert len(rows) == rare.records
    assert {row["user"] for row in rows} == {"user-0500"}

    run_python(RECORD, environment)
    expect(tile(page, "Calls")).to_have_text(f"{rare.calls + 1:,}")


@pytest.mark.parametrize("query", ["span=30+d", "span=7+d&measure=Calls", "span=24+h&measure=Tokens", "span=90+d"])
def test_the_first_screen_has_pictures_until_the_charts_that_look_the_same_take_their_place(
    page: Page, serve: Serve, sample_cache: Path, query: str
) -> None:
    held: list[Route] = []
    page.route("**/PlotlyChart*", lambda request: held.append(request))
    url = serve(LLM_MANAGER_CACHE=str(sample_cache), LLM_MANAGER_SAMPLE="1")
    with page.expect_request("**/PlotlyChart*"):  # the browser asks for the charts by itself
        page.goto(f"{url}/usage?{query}")
    names = ("time", "what", "who")
    pictures = [page.locator(f".st-key-usage-chart-{name} .chart-picture [role=img]") for name in names]
    expect(pictures[-1]).to_be_visible()
    expect(page.locator("[data-testid=stMain] [data-testid=stSkeleton]")).to_have_count(0)
    expect(page.get_by_role("tab")).to_have_count(0)
    seen = [words_of(page, picture) for picture in pictures]
    high = page.evaluate(_HEIGHTS)
    for request in held:
        request.continue_()
    settled(page)
    expect(page.get_by_role("tab").first).to_be_visible()
    for name, picture, words in zip(names, pictures, seen, strict=True):
        chart = page.locator(f".st-key-usage-chart-{name} .js-plotly-plot")
        expect(chart.locator(".bars path").first).to_be_visible()
        expect(picture).to_be_hidden()
        drawn = words_of(page, chart)
        assert words
        assert sorted(words) == sorted(drawn)
        for word, at in words.items():
            assert at == pytest.approx(drawn[word], abs=4), word
    assert page.evaluate(_HEIGHTS) == high
    to_alerts = page.locator('[data-testid=stPageLink-NavLink][href*="?"]').first
    expect(to_alerts).to_have_css("background-color", "rgba(0, 0, 0, 0)")  # nothing of it is chosen


_HEIGHTS = """
() => ["time", "what", "who"].map((name) => document.querySelector(`.st-key-usage-chart-${name}`).clientHeight)
"""


def tile(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has_text=name).get_by_test_id("stMetricValue")
