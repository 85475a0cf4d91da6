"""What the pages do: choices that stay, connections, presets, calls, filters, and errors in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from llm_core import LLMProvider, Usage, UsageRecord, Workspace
from llm_core.errors import StateBusy
from llm_core.providers import ProviderService
from llm_core.usage import UsageService
from tests.ui.conftest import failures, texts
from tests.wire.replies import Say
from tests.wire.server import WireServer

Open = Callable[..., AppTest]
KEY = "sk-a-key-that-nobody-may-see-0001"


@pytest.fixture
def wired(ws: Workspace, wire: WireServer) -> WireServer:
    """A workspace whose one connection is to the replay server."""
    ws.providers.connect("compatible", base_url=wire.base_url, name="wire")
    ws.models.refresh("wire")
    return wire


def record(ws: Workspace, model: str = "gpt-6-luna", **named: object) -> None:
    values = {"provider": "openai", "connection": "openai", "cost_usd": Decimal("0.25"), "latency_ms": 800.0}
    usage = Usage(input_tokens=100, output_tokens=20)
    ws.usage.record(UsageRecord(**{"usage": usage, **values, "model": model, **named}))


def session_holds(app: AppTest, secret: str) -> bool:
    return any(secret in repr(value) for value in app.session_state.to_dict().values())


def test_a_model_and_preset_chosen_on_one_page_are_there_on_the_next_and_for_a_new_visitor(
    open_app: Open, wired: WireServer
) -> None:
    app = open_app("tester")
    app.selectbox(key="tester.model").select("wire:gpt-6-luna-mini").run()
    app.selectbox(key="tester.preset").select("precise").run()
    app.switch_page("pages/parameters.py").run()
    assert app.selectbox(key="parameters.model").value == "wire:gpt-6-luna-mini"
    assert app.selectbox(key="parameters.preset").value == "precise"
    assert open_app("tester").selectbox(key="tester.model").value == "wire:gpt-6-luna-mini"


def test_the_tester_shows_the_answer_and_what_it_took(open_app: Open, wired: WireServer, ws: Workspace) -> None:
    wired.usual = Say(text="Rayleigh scattering.", usage=Usage(input_tokens=12, output_tokens=6))
    app = open_app("tester")
    app.text_area(key="tester.prompt").set_value("Why is the sky blue?")
    app.button(key="tester.start").click().run()
    assert "Rayleigh scattering." in texts(app)
    assert any("Tokens in" in text and "**12**" in text for text in texts(app))
    assert ws.usage.history()["app"].tolist() == ["LLM Manager"]


def test_an_answer_is_shown_as_text_and_never_as_markdown(open_app: Open, wired: WireServer) -> None:
    wired.usual = Say(text="![x](http://example.invalid/a.png) # Title")
    app = open_app("tester")
    app.button(key="tester.start").click().run()
    assert "![x](http://example.invalid/a.png) # Title" in [text.value for text in app.text]
    assert not any("example.invalid" in text.value for text in app.markdown)


def test_a_key_goes_to_the_key_manager_and_leaves_the_session(open_app: Open, wire: WireServer, ws: Workspace) -> None:
    wire.key = KEY
    app = open_app("providers")
    app.button(key="connect.compatible").click().run()
    app.text_input(key="connect.address").set_value(wire.base_url)
    app.text_input(key="connect.key").set_value(KEY)
    app.button(key="connect.save").click().run()
    assert not failures(app)
    assert [connection.name for connection in ws.providers.list()] == ["compatible"]
    assert not session_holds(app, KEY)
    assert not any(KEY in text for text in texts(app))
    app.button(key="card.compatible.test").click().run()
    assert any("Healthy" in text for text in texts(app))
    assert wire.requests[-1].headers["authorization"] == f"Bearer {KEY}"


def test_the_session_has_no_key_any_more_when_the_connection_is_made(
    open_app: Open, wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[object] = []
    connect = ProviderService.connect

    def watched(self: ProviderService, *given: Any, **named: Any) -> LLMProvider:
        kept.extend(st.session_state.to_dict().values())
        return connect(self, *given, **named)

    monkeypatch.setattr(ProviderService, "connect", watched)
    app = open_app("providers")
    app.button(key="connect.compatible").click().run()
    app.text_input(key="connect.address").set_value(wire.base_url)
    app.text_input(key="connect.key").set_value(KEY)
    app.button(key="connect.save").click().run()
    assert wire.base_url in kept
    assert KEY not in kept


def test_a_key_in_the_environment_is_said_and_not_asked_for(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    app = open_app("providers")
    app.button(key="connect.openai").click().run()
    assert any("Found one in OPENAI" in text.replace("\\", "") for text in texts(app))
    assert not any(KEY in text for text in texts(app))


def test_a_connection_whose_key_went_with_its_program_asks_for_it_again(
    open_app: Open, wire: WireServer, ws: Workspace
) -> None:
    wire.key = KEY
    ws.providers.connect("openai", KEY, base_url=wire.base_url, name="mine")
    app = open_app("providers")
    assert any("Needs key" in text for text in texts(app))
    assert any("Give it again" in text for text in texts(app))
    app.button(key="card.mine.key").click().run()
    app.text_input(key="connect.key").set_value(KEY)
    app.button(key="rotate.save").click().run()
    app.button(key="card.mine.test").click().run()
    assert any("Healthy" in text for text in texts(app))


def test_an_address_that_cannot_be_is_refused_in_words(open_app: Open, ws: Workspace) -> None:
    app = open_app("providers")
    app.button(key="connect.compatible").click().run()
    app.text_input(key="connect.address").set_value("ftp://example.invalid")
    app.button(key="connect.save").click().run()
    assert failures(app)
    assert ws.providers.list() == []


def test_disconnecting_asks_once_and_keeps_the_records(open_app: Open, wired: WireServer, ws: Workspace) -> None:
    record(ws, connection="wire")
    app = open_app("providers")
    app.button(key="card.wire.off").click().run()
    assert ws.providers.list() == []
    assert len(ws.usage.history()) == 1
    assert any("Nothing is connected yet" in text for text in texts(app))


def test_usage_shows_totals_their_coverage_and_every_call(open_app: Open, ws: Workspace) -> None:
    record(ws)
    record(ws, cost_usd=None)
    app = open_app("usage")
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Spend"] == "$0.25"
    assert shown["Calls"] == "2"
    assert shown["Tokens"] == "240"
    assert any("50 % of requests priced" in text for text in texts(app))
    assert "1 unpriced, not in the spend" in texts(app)
    assert len(app.dataframe[0].value) == 2


def test_a_link_with_filters_and_span_shows_just_those(open_app: Open, ws: Workspace) -> None:
    record(ws, "one")
    record(ws, "two", started_at=datetime.now(UTC) - timedelta(days=20))
    app = open_app("usage", model="two", span="90 d")
    assert {metric.label: metric.value for metric in app.metric}["Calls"] == "1"
    assert app.dataframe[0].value["Model"].tolist() == ["two"]


def test_filters_that_match_nothing_can_be_cleared(open_app: Open, ws: Workspace) -> None:
    record(ws, "one", project="web")
    record(ws, "two", started_at=datetime.now(UTC) - timedelta(days=200))
    app = open_app("usage", model="two")
    assert any("No calls match" in text for text in texts(app))
    next(button for button in app.button if button.label == "Clear the filters").click().run()
    assert {metric.label: metric.value for metric in app.metric}["Calls"] == "1"


def test_a_chosen_call_opens_in_full_and_stays_chosen_when_newer_ones_come(open_app: Open, ws: Workspace) -> None:
    record(ws, "old", request_id="req-77")
    app = open_app("usage")
    app.session_state["usage.open"] = app.session_state["usage.shown"][0]
    app.run()
    assert any("req-77" in text for text in texts(app))
    record(ws, "new")
    app.run()
    assert app.dataframe[0].value["Model"].tolist() == ["new", "old"]
    assert app.session_state["usage.calls"]["selection"]["rows"] == [1]


def test_our_errors_say_what_and_what_to_do(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: UsageService) -> None:
        raise StateBusy("The state is busy.", "Close the other program.")

    monkeypatch.setattr(UsageService, "token", refuse)
    app = open_app("usage")
    assert not app.exception
    assert failures(app) == ["The state is busy."]
    assert "Close the other program." in texts(app)


def test_a_fault_of_the_program_shows_no_traceback_and_nothing_that_was_typed(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: UsageService) -> None:
        raise RuntimeError(f"It broke over {KEY}")

    monkeypatch.setattr(UsageService, "token", fail)
    app = open_app("usage")
    assert not app.exception
    assert failures(app)
    assert not any(KEY in text for text in texts(app))
    assert any("RuntimeError in test_behaviour.py" in text for text in texts(app))
