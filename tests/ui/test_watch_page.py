"""Budgets on the pages: made, changed, removed, and said in the place of an answer that one of them stopped."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from llm_core import Usage, UsageRecord, Workspace
from tests.ui.conftest import failures, texts
from tests.wire.server import WireServer

Open = Callable[..., AppTest]


@pytest.fixture
def wired(ws: Workspace, wire: WireServer) -> WireServer:
    """A workspace whose one connection is to the replay server, with a price for its model."""
    ws.providers.connect("compatible", base_url=wire.base_url, name="wire")
    ws.models.refresh("wire")
    ws.models.prices.set_own("wire:gpt-6-luna", {"input_tokens": Decimal(10), "output_tokens": Decimal(100)})
    ws.models.activate("chat", "wire:gpt-6-luna")
    return wire


def record(ws: Workspace, usd: str, **named: object) -> None:
    values = {"provider": "openai", "connection": "openai", "model": "gpt-6-luna", "cost_usd": Decimal(usd)}
    ws.usage.record(UsageRecord(usage=Usage(input_tokens=100, output_tokens=20), **{**values, **named}))


def said(app: AppTest, words: str) -> bool:
    return any(words in text.replace("\\", "") for text in texts(app))


def test_a_budget_is_made_changed_and_removed_in_dialogs(open_app: Open, ws: Workspace) -> None:
    record(ws, "9.50", user="ann")
    app = open_app("usage", view="Budgets")
    assert said(app, "No budget yet")
    app.button(key="budgets.add").click().run()
    app.button(key="budget.edit.save").click().run()
    assert failures(app) == ["The budget has no limit yet."]
    app.button(key="budgets.add").click().run()
    app.number_input(key="budget.edit.limit").set_value(10)
    app.selectbox(key="budget.edit.scope.user").select("ann")
    app.button(key="budget.edit.save").click().run()
    assert not failures(app)
    (budget,) = ws.usage.budgets.list()
    assert (budget.scope, budget.limit, budget.period, budget.tz, budget.thresholds) == (
        {"user": "ann"},
        Decimal(10),
        "month",
        "Europe/Berlin",
        (0.8,),
    )
    app.run()
    assert said(app, "**$9.50** of $10 a month · 95 %")
    assert said(app, "At 95 %")

    app.button(key=f"budget.change.{budget.id}").click().run()
    assert app.number_input(key="budget.edit.limit").value == 10
    app.number_input(key="budget.edit.limit").set_value(5)
    app.multiselect(key="budget.edit.shares").set_value(["50 %", "100 %"])
    app.toggle(key="budget.edit.hard").set_value(False)
    app.button(key="budget.edit.save").click().run().run()
    changed = ws.usage.budgets.get(budget.id)
    assert (changed.limit, changed.thresholds, changed.hard, changed.scope) == (5, (0.5, 1.0), False, {"user": "ann"})
    assert said(app, "Over the limit")
    assert said(app, "$4.50 over")

    app.button(key=f"budget.remove.{budget.id}").click().run()
    assert ws.usage.budgets.list() == []
    assert said(app, "No budget yet")


def test_the_share_of_requests_without_a_price_is_said_on_the_budget(open_app: Open, ws: Workspace) -> None:
    ws.usage.budgets.add("all", 10, "total")
    for usd in ("1", "1", "1"):
        record(ws, usd)
    ws.usage.record(UsageRecord(provider="openai", connection="openai", model="of-no-known-price"))
    app = open_app("usage", view="Budgets")
    assert said(app, "25 % of its requests have no known price")


def test_a_budget_in_the_way_is_said_in_place_and_raised_from_there(
    open_app: Open, wired: WireServer, ws: Workspace
) -> None:
    ws.usage.budgets.add("all", "0.001", "day", name="Tight")
    app = open_app("tester")
    app.button(key="tester.start").click().run()
    assert said(app, "Stopped by the budget “Tight”")
    assert said(app, "**$0.0010**")
    assert wired.asked("/chat/completions") == []
    budget = ws.usage.budgets.get("Tight")
    app.button(key=f"budget.stop.{budget.id}.raise").click().run()
    assert said(app, "the limit has to be at least")
    app.number_input(key="budget.edit.limit").set_value(500)
    app.button(key="budget.edit.save").click().run().run()
    assert said(app, "was changed since it stopped this call")
    app.button(key="tester.start").click().run()
    assert not said(app, "was changed since")
    assert len(wired.asked("/chat/completions")) == 1


def test_a_budget_can_be_set_before_the_first_call(open_app: Open) -> None:
    app = open_app("usage")
    assert said(app, "No calls yet")
    app.button(key="budgets.add").click().run()
    assert app.number_input(key="budget.edit.limit").value is None


def test_the_sample_shows_budgets_in_several_states(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MANAGER_SAMPLE", "1")
    app = open_app("usage", view="Budgets")
    assert not failures(app)
    assert said(app, "On track")
    assert said(app, "Over the limit")
