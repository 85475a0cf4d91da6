"""Budgets, alerts and advice on the pages; and the budget that stopped a call, said in the place of its answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import time
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

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
    next(button for button in app.button if button.label == "Raise it").click().run()
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


def test_the_sample_shows_budgets_in_several_states_and_a_limit_in_the_months_projection(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_MANAGER_SAMPLE", "1")
    app = open_app("usage", view="Budgets")
    assert not failures(app)
    assert said(app, "On track")
    assert said(app, "Over the limit")
    drawn = [chart.proto.spec for chart in app.get("plotly_chart")]
    assert sum("Everything: $200 a month" in spec for spec in drawn) == 1


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[HTTPServer]:
    """A webhook on loopback, with the `bodies` that it got."""
    with HTTPServer(("127.0.0.1", 0), _Hook) as server:
        server.bodies = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_open_alert_is_in_the_sidebar_until_it_is_acknowledged_and_then_in_the_history(
    open_app: Open, ws: Workspace
) -> None:
    ws.usage.budgets.add("all", 1, "total", name="Small", hard=False)
    record(ws, "2")
    (alert,) = ws.usage.alerts.evaluate()
    app = open_app("welcome")
    assert ":orange-badge[:material/warning: 1 open]" in [link.label for link in app.sidebar.page_link]
    app = open_app("usage", view="Alerts")
    assert said(app, "**The budget Small is used up**")
    app.button(key=f"alert.seen.{alert.id}").click().run()
    assert said(app, "acknowledged just now")
    assert not any("open]" in link.label for link in app.sidebar.page_link)
    app = open_app("usage", view="Alerts", alerts="History")
    assert app.dataframe[-1].value["What"].tolist()[0] == "The budget Small is used up"


def test_rules_are_switched_and_changed_and_quiet_hours_kept(open_app: Open, ws: Workspace) -> None:
    app = open_app("usage", view="Alerts", alerts="Rules")
    app.toggle(key="alert.on.spike").set_value(False).run()
    app.number_input(key="alert.rule.errors.share").set_value(0.1).run()
    app.toggle(key="alert.quiet").set_value(True).run()
    app.time_input(key="alert.quiet.last").set_value(time(6, 30)).run()
    rules = {rule.kind: rule for rule in ws.usage.alerts.rules()}
    assert not rules["spike"].enabled
    assert rules["errors"].options["share"] == 0.1
    assert ws.settings.get("alerts.quiet_hours") == "22:00-06:30"
    app.button(key="alert.usual.errors").click().run()
    assert {rule.kind: rule for rule in ws.usage.alerts.rules()}["errors"].options["share"] == 0.2


def test_a_channel_is_added_tested_and_removed_and_its_address_is_nowhere_on_the_page(
    open_app: Open, ws: Workspace, hook: HTTPServer
) -> None:
    secret = "a-token-that-nobody-may-see"
    app = open_app("usage", view="Alerts", alerts="Channels")
    assert said(app, "No channel yet")
    app.button(key="channel.add").click().run()
    app.segmented_control(key="channel.new.kind").set_value("webhook").run()
    app.button(key="channel.add").click().run()
    app.session_state["channel.new.kind"] = "webhook"
    app.session_state["channel.new.name"] = "Our hook"
    app.session_state["channel.new.address"] = f"http://127.0.0.1:{hook.server_port}/hook?token={secret}"
    app.button(key="channel.new.save").click().run().run()
    assert not failures(app)
    (channel,) = ws.usage.alerts.channels.list()
    assert (channel.name, channel.service) == ("Our hook", "JSON")
    assert said(app, "Not tested")
    app.button(key=f"channel.{channel.id}.test").click().run()
    assert said(app, "A message was sent")
    assert len(hook.bodies) == 1  # type: ignore[attr-defined]
    assert said(app, "Works")

    hook.shutdown()
    hook.server_close()
    app.button(key=f"channel.{channel.id}.test").click().run()
    assert said(app, "Failing")
    assert any("did not take the message" in error.value for error in app.error)
    assert not any(secret in text for text in texts(app))
    assert not any(secret in repr(value) for value in app.session_state.to_dict().values())
    app.button(key=f"channel.{channel.id}.remove").click().run()
    assert ws.usage.alerts.channels.list() == []


def test_advice_says_what_it_saves_and_can_be_kept_dismissed_and_brought_back(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_MANAGER_SAMPLE", "1")
    app = open_app("usage", view="Advice")
    assert not failures(app)
    assert said(app, "a month")
    key = next(str(button.key) for button in app.button if str(button.key).startswith("advice.keep.cheaper"))
    key = key.removeprefix("advice.keep.")
    app.button(key=f"advice.keep.{key}").click().run()
    assert said(app, "Do not keep")
    app.button(key=f"advice.dismiss.{key}").click().run()
    assert said(app, "Bring back")
    assert f"advice.keep.{key}" not in [button.key for button in app.button]
    app.button(key=f"advice.undo.{key}").click().run()
    assert f"advice.keep.{key}" in [button.key for button in app.button]


def test_a_link_to_the_tester_chooses_its_model_once(open_app: Open, wired: WireServer, ws: Workspace) -> None:
    app = open_app("tester", **{"try": "wire:gpt-6-luna-mini"})
    assert app.selectbox(key="tester.model").value == "wire:gpt-6-luna-mini"
    app.selectbox(key="tester.model").select("wire:gpt-6-luna").run()
    assert app.selectbox(key="tester.model").value == "wire:gpt-6-luna"
