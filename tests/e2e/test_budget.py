"""A budget in the browser: made, run into in the Tester, read, raised from there, and the call made after all."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from llm_core import Usage, Workspace
from tests.e2e.conftest import Serve, click, enter, settled
from tests.wire.replies import Say
from tests.wire.server import WireServer

pytestmark = pytest.mark.browser


@pytest.fixture
def priced(home: Path, wire: WireServer) -> WireServer:
    """The home's one connection is to the replay server, and the price of its model is known."""
    wire.usual = Say(text="Rayleigh scattering.", usage=Usage(input_tokens=12, output_tokens=6))
    with Workspace.open(home) as ws:
        ws.providers.connect("compatible", base_url=wire.base_url, name="wire")
        ws.models.refresh("wire")
        ws.models.prices.set_own("wire:gpt-6-luna", {"input_tokens": Decimal(10), "output_tokens": Decimal(100)})
        ws.models.activate("chat", "wire:gpt-6-luna")
    return wire


def test_a_budget_is_made_run_into_read_and_raised_and_the_call_goes_on(
    page: Page, serve: Serve, priced: WireServer, home: Path
) -> None:
    app = serve()
    page.goto(app + "/usage")
    settled(page)
    click(page, page.get_by_role("button", name="Add budget").first)
    dialog = page.get_by_role("dialog")
    enter(page, dialog.get_by_role("spinbutton", name="US dollars"), "0.001")
    click(page, dialog.get_by_role("button", name="Add budget"))
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("All calls: $0.001 a month")).to_be_visible()
    expect(page.get_by_text("On track")).to_be_visible()

    click(page, page.get_by_role("link", name="Tester"))
    expect(page.get_by_role("heading", name="Tester")).to_be_visible()
    click(page, page.get_by_role("button", name="Run", exact=True))
    expect(page.get_by_text("Stopped by the budget")).to_be_visible()
    expect(page.get_by_text("This call, at most")).to_be_visible()
    expect(page.get_by_text("Begins anew")).to_be_visible()
    expect(page.get_by_role("link", name="See budgets")).to_be_visible()
    assert priced.asked("/chat/completions") == []

    click(page, page.get_by_role("button", name="Raise it"))
    expect(dialog.get_by_text("the limit has to be at least")).to_be_visible()
    enter(page, dialog.get_by_role("spinbutton", name="US dollars"), "500")
    click(page, dialog.get_by_role("button", name="Save"))
    expect(page.get_by_text("was changed since it stopped this call")).to_be_visible()
    expect(dialog).to_have_count(0)
    click(page, page.get_by_role("button", name="Run", exact=True))
    expect(page.get_by_text("Rayleigh scattering.")).to_be_visible()
    assert len(priced.asked("/chat/completions")) == 1

    click(page, page.get_by_role("link", name="See it on Usage"))
    expect(page.get_by_text("of $500 a month")).to_be_visible()
    with Workspace.open(home) as ws:
        (status,) = ws.usage.budgets.status().itertuples()
        assert (status.limit, status.spent, status.held) == (500, Decimal("0.00072"), 0)
