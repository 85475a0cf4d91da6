"""Pages in the browser where no model is needed: sample data, deep links, live records, connecting with a key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Serve, click, connect_to, enter, run_python
from tests.waiting import until
from tests.wire.replies import Say
from tests.wire.server import WireServer

pytestmark = pytest.mark.browser

KEY = "sk-a-key-that-nobody-may-see-0001"
LABEL = ".st-key-sample_label"
RECORD = """
from decimal import Decimal
from llm_core import Usage, UsageRecord, Workspace
with Workspace.open() as ws:
    ws.usage.record(UsageRecord(provider="openai", connection="openai", model="gpt-6-luna", project={project!r},
                                usage=Usage(input_tokens=100, output_tokens=20), cost_usd=Decimal("0.25")))
"""


def calls(page: Page) -> Locator:
    return page.get_by_test_id("stMetric").filter(has_text="Calls").get_by_test_id("stMetricValue")


def test_the_sample_door_opens_labelled_data_on_every_page_and_leads_back(
    page: Page, serve: Serve, sample_cache: Path
) -> None:
    page.goto(serve(LLM_MANAGER_CACHE=str(sample_cache)))
    click(page, page.get_by_role("button", name="Open sample data"))
    expect(page.get_by_role("heading", name="Usage")).to_be_visible()
    expect(page.locator(".js-plotly-plot .bars path").first).to_be_visible()
    for name in ("Models", "Parameters", "Tester", "Providers", "Welcome"):
        click(page, page.get_by_test_id("stSidebarNav").get_by_role("link", name=name))
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        expect(page.locator(LABEL)).to_contain_text("Sample data")
    click(page, page.get_by_role("button", name="Leave sample data").first)
    expect(page.get_by_text("0 of 4")).to_be_visible()
    expect(page.locator(LABEL)).to_have_count(0)


def test_a_deep_link_opens_first_on_a_fresh_server_and_shows_records_of_others_as_they_come(
    page: Page, serve: Serve, environment: dict[str, str]
) -> None:
    for project in ("web", "web", "audio"):
        run_python(RECORD.format(project=project), environment)
    page.goto(serve() + "/usage?project=web&span=7+d")
    expect(calls(page)).to_have_text("2")
    expect(page.get_by_test_id("stSidebar").get_by_text("Active for chat")).to_be_visible()
    click(page, page.get_by_role("radio", name="90 d"))
    expect(page).to_have_url(re.compile(r"project=web.*span=90\+d|span=90\+d.*project=web"))
    page.reload()
    expect(calls(page)).to_have_text("2")
    run_python(RECORD.format(project="web"), environment)
    expect(calls(page)).to_have_text("3")


def test_connecting_with_a_key_tests_it_and_the_key_is_never_sent_back(
    page: Page, serve: Serve, wire: WireServer
) -> None:
    wire.key = KEY
    seen: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: seen.append(str(frame))))
    page.goto(serve() + "/providers")
    click(page, page.locator(".st-key-connect-compatible").get_by_role("button", name="Connect"))
    enter(page, page.get_by_role("textbox", name="Address"), wire.base_url)
    enter(page, page.get_by_role("textbox", name="API key"), "sk-typed-wrong-for-the-first-time")
    click(page, page.get_by_role("button", name="Test and save"))
    expect(page.get_by_text("refused the key").first).to_be_visible()
    enter(page, page.get_by_role("textbox", name="Address"), wire.base_url)
    enter(page, page.get_by_role("textbox", name="API key"), KEY)
    click(page, page.get_by_role("button", name="Test and save"))
    expect(page.get_by_text("Healthy").first).to_be_visible()
    expect(page.get_by_text("in memory until the app stops")).to_be_visible()
    assert seen
    assert not any(KEY in frame for frame in seen)


def test_a_stop_before_the_first_token_works_and_other_pages_do_not_end_a_call(
    page: Page, serve: Serve, wire: WireServer, environment: dict[str, str]
) -> None:
    connect_to(wire.base_url, environment)
    wire.script(Say(text="Never seen.", hold_after=0), Say(text="It came at last.", hold_after=4))
    page.goto(serve() + "/tester")
    click(page, page.get_by_role("button", name="Run", exact=True))
    expect(page.get_by_text("Waiting for the first token")).to_be_visible()
    until(lambda: bool(wire.asked("/chat/completions")))
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped")).to_be_visible()

    click(page, page.get_by_role("button", name="Run", exact=True))
    expect(page.get_by_text("Answering")).to_be_visible()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    wire.release()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Tester").click()
    expect(page.get_by_text("It came at last.")).to_be_visible()
