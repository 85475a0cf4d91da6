"""The newcomer's story in the browser, with the real local model: from Welcome to two calls on Usage."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Serve, run_python, settled

pytestmark = [pytest.mark.browser, pytest.mark.model]

LONG = "List one hundred facts about the ocean, numbered from 1 to 100."


def test_from_welcome_to_an_answer_a_stop_in_the_middle_of_one_and_both_on_usage(
    page: Page, serve: Serve, local_model: Path
) -> None:
    page.goto(serve())
    page.get_by_role("button", name="Try it here").click()
    expect(page.get_by_text("Tokens out")).to_be_visible()
    expect(page.get_by_text("First token")).to_be_visible()
    expect(page.get_by_text("$0.00")).to_be_visible()
    expect(page.get_by_text("3 of 4")).to_be_visible()
    expect(page.get_by_test_id("stSidebar").get_by_text("free")).to_be_visible()

    page.get_by_role("link", name="Try more in the Tester").click()
    expect(page.get_by_role("heading", name="Tester")).to_be_visible()
    settled(page)
    page.get_by_label("Prompt").fill(LONG)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(re.compile(r"Answering · \d"))).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped")).to_be_visible()
    expect(page.get_by_text("Tokens out")).to_be_visible()

    page.get_by_role("link", name="See it on Usage").click()
    expect(page.get_by_role("heading", name="Usage")).to_be_visible()
    expect(_tile(page, "Calls")).to_have_text("2")


def test_the_model_is_fetched_with_a_progress_bar_that_a_stop_ends(
    page: Page, serve: Serve, environment: dict[str, str], tmp_path: Path
) -> None:
    """`pip` of this test sleeps while it writes, as a slow network would."""
    page.goto(serve(PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="8"))
    page.get_by_role("button", name="Try it here").click()
    expect(page.get_by_test_id("stProgress")).to_be_visible()
    expect(page.get_by_text("Fetching the model")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()


def test_a_program_beside_the_app_makes_a_call_and_the_open_usage_page_shows_it(
    page: Page, serve: Serve, local_model: Path, environment: dict[str, str]
) -> None:
    run_python("from llm_core import Workspace; Workspace.open().providers.connect('local')", environment)
    page.goto(serve() + "/usage")
    expect(page.get_by_text("No calls yet")).to_be_visible()
    said = run_python(
        "from llm_core import Workspace\n"
        "ws = Workspace.open()\n"
        "print(ws.llm.complete('Say hello.', model='local:smollm2-135m', parameters={'max_tokens': 5}).recorded)\n"
        "print(ws.usage.sql('select count(*) as n from usage').n[0])",
        environment,
    )
    assert said.split() == ["True", "1"]
    expect(_tile(page, "Calls")).to_have_text("1")


def _tile(page: Page, label: str) -> object:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")
