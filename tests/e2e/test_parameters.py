"""Parameters in the browser: a preset is edited, warned of, saved, found again, used in a call, named in its record."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Serve, click, connect_to, enter, settled
from tests.wire.replies import Say
from tests.wire.server import WireServer

pytestmark = pytest.mark.browser


def test_a_preset_is_edited_saved_kept_used_in_a_call_and_named_in_its_record(
    page: Page, serve: Serve, wire: WireServer, environment: dict[str, str]
) -> None:
    connect_to(wire.base_url, environment)
    wire.usual = Say(text="The Tide.")
    page.goto(serve() + "/parameters")
    settled(page)
    expect(page.locator(".js-plotly-plot .bars path").first).to_be_visible()
    free = page.get_by_text(re.compile("^As free as a draw from"))
    before = free.inner_text()
    page.get_by_role("spinbutton", name="Temperature").fill("1.8")
    page.get_by_role("spinbutton", name="Temperature").press("Enter")
    expect(page.get_by_text("Answers tend to fall apart this high")).to_be_visible()
    expect(free).not_to_have_text(before)
    expect(page.get_by_role("slider", name="Temperature")).to_have_value("1.8")

    click(page, page.get_by_role("button", name="Save as"))
    enter(page, page.get_by_role("textbox", name="Name", exact=True), "Wild ideas")
    click(page, page.get_by_role("dialog").get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("Your own, version 1")).to_be_visible()
    page.reload()
    settled(page)
    expect(page.get_by_role("spinbutton", name="Temperature")).to_have_value("1.80")
    expect(page.get_by_text("Your own, version 1")).to_be_visible()
    enter(page, page.get_by_role("spinbutton", name="Temperature"), "1.2")
    click(page, page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("Your own, version 2")).to_be_visible()

    click(page, page.get_by_test_id("stSidebarNav").get_by_role("link", name="Tester"))
    expect(page.get_by_role("heading", name="Tester", exact=True)).to_be_visible()
    click(page, page.get_by_role("button", name="Run", exact=True))
    expect(page.get_by_text("The Tide.")).to_be_visible()
    assert wire.asked("/chat/completions")[-1].body["temperature"] == 1.2

    page.goto(page.url.rsplit("/", 1)[0] + "/usage?preset=Wild+ideas")
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    settled(page)
    table.click(position={"x": 20, "y": 50})
    expect(page.get_by_text("Wild ideas, version 2")).to_be_visible()
