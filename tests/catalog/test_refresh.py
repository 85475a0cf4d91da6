"""Asking connections for their models: what stays when that fails, all at once, and in the background."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from llm_core import Workspace
from llm_core.catalog import refresh
from llm_core.errors import InvalidSetting, KeyRefused, NoModelList, ProviderFailed, TimedOut, UnknownConnection
from llm_core.store import tables
from tests.ports import free_port
from tests.waiting import until
from tests.wire.replies import Raw, failing
from tests.wire.server import WireServer

KEY = "sk-test-0123456789abcdef"


def connected(ws: Workspace, wire: WireServer, name: str = "openai") -> None:
    ws.providers.connect("openai", KEY, base_url=wire.base_url, name=name)


def gone() -> WireServer:
    with WireServer(port=free_port()) as server:  # which no other server gets meanwhile
        return server


def list_is_old(ws: Workspace, age: timedelta) -> None:
    with ws.state.write() as transaction:
        transaction.execute(update(tables.listing_checks).values(checked_at=datetime.now(UTC) - age))


def states(ws: Workspace) -> dict[str, str]:
    return {model.name: model.state for model in ws.models.list()}


def test_a_failing_refresh_is_raised_keeps_what_was_known_and_says_why(ws: Workspace, wire: WireServer) -> None:
    connected(ws, wire)
    ws.models.refresh("openai")
    wire.script(failing(500))
    with pytest.raises(ProviderFailed) as caught:
        ws.models.refresh("openai")
    assert set(states(ws).values()) == {"unreachable"}
    assert ws.models.checks()["openai"].error == str(caught.value)
    assert ws.models.lacks("chat", "openai:gpt-6-luna")[0].need == "state"
    ws.models.refresh("openai")
    assert set(states(ws).values()) == {"available"}
    assert ws.models.checks()["openai"].error == ""


def test_a_test_of_the_connection_is_a_check_of_its_list_too(ws: Workspace, wire: WireServer) -> None:
    connected(ws, wire)
    ws.providers.test("openai")
    assert states(ws) == {"gpt-6-luna": "available", "gpt-6-luna-mini": "available"}
    wire.key = "another"
    assert ws.providers.test("openai").state == "error"
    assert set(states(ws).values()) == {"unreachable"}
    assert "Test it" in ws.models.lacks("chat", "openai:gpt-6-luna")[0].hint
    wire.key = None
    ws.providers.test("openai")
    assert set(states(ws).values()) == {"available"}


def test_an_endpoint_that_takes_calls_and_has_no_list_is_not_unreachable(ws: Workspace, wire: WireServer) -> None:
    connected(ws, wire)
    ws.models.add_own("openai", "deployment", capabilities=["chat"])
    wire.script(Raw(status=404, body={"error": {"message": "Not found."}}))
    with pytest.raises(NoModelList):
        ws.models.refresh("openai")
    assert states(ws) == {"deployment": "unknown"}


def test_all_are_asked_at_once_and_one_that_is_dead_or_slow_holds_up_none(
    ws: Workspace, wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "ALL_SECONDS", 5.0)
    told: list[tuple[int, int, str]] = []
    with WireServer(key="another") as refusing, WireServer() as slow:
        for name, server in (("good", wire), ("slow", slow), ("refusing", refusing), ("dead", gone()), ("off", wire)):
            connected(ws, server, name)
        ws.providers.enable("off", False)
        ws.models.refresh("slow")
        slow.script(Raw(body={"data": []}, delay=60))
        outcomes = ws.models.refresh_all(lambda *progress: told.append(progress))
    assert list(outcomes) == ["good", "slow", "refusing", "dead"]
    assert outcomes["good"] == 2
    assert isinstance(outcomes["slow"], TimedOut)
    assert isinstance(outcomes["refusing"], KeyRefused)
    assert outcomes["dead"].kind == "unreachable"
    assert [done for done, _, _ in told] == [1, 2, 3, 4]
    assert {of for _, of, _ in told} == {4}
    assert {name for _, _, name in told} == set(outcomes)
    by_connection = {model.connection: model.state for model in ws.models.list()}
    assert by_connection == {"good": "available", "slow": "unreachable"}
    assert ws.models.checks()["dead"].error == str(outcomes["dead"])


def test_a_connection_that_goes_while_it_is_asked_leaves_nothing_behind(
    ws: Workspace, wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected(ws, wire)
    real = ws.providers.adapter

    def adapter_of_one_that_goes(name: str):
        found = real(name)
        ws.providers.disconnect(name)
        return found

    monkeypatch.setattr(ws.providers, "adapter", adapter_of_one_that_goes)
    assert isinstance(ws.models.refresh_all()["openai"], int | Exception)
    assert ws.models.list() == []
    assert ws.models.checks() == {}
    with pytest.raises(UnknownConnection):
        ws.models.refresh("openai")
    assert ws.models.checks() == {}


def test_in_the_background_a_connection_is_asked_when_its_list_is_old(
    ws: Workspace, wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "FIRST_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(refresh, "LOOK_SECONDS", 0.01)
    connected(ws, wire)
    ws.models.keep_checking()
    ws.models.keep_checking()
    until(lambda: "openai" in ws.models.checks())
    first = ws.models.checks()["openai"].checked_at

    wire.models = ["gpt-7"]
    list_is_old(ws, timedelta(hours=25))
    until(lambda: states(ws).get("gpt-7") == "available")
    ws.models.close()
    assert ws.models.checks()["openai"].checked_at > first
    assert len(wire.requests) == 2


def test_closing_does_not_wait_for_a_connection_that_is_slow(
    ws: Workspace, wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "FIRST_LOOK_SECONDS", 0.01)
    connected(ws, wire)
    wire.script(Raw(body={"data": []}, delay=60))
    ws.models.keep_checking()
    until(lambda: len(wire.requests) == 1)
    ws.models.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("llm-manager-models")]
    assert ws.models.checks() == {}, "that it was stopped says nothing of the connection"


def test_one_process_of_a_home_asks_at_a_time_and_an_error_is_tried_again_within_the_hour(
    ws: Workspace, wire: WireServer
) -> None:
    from filelock import FileLock

    connected(ws, wire)
    wire.script(failing(500))
    refresher = ws.models._refresher
    with FileLock(ws.home.listing_lock):
        refresher._check_those_due()
    assert not wire.requests
    refresher._check_those_due()
    refresher._check_those_due()
    assert len(wire.requests) == 1
    assert ws.models.checks()["openai"].error
    list_is_old(ws, timedelta(minutes=61))
    refresher._check_those_due()
    assert ws.models.checks()["openai"].error == ""
    list_is_old(ws, timedelta(days=300))
    ws.settings.set("models.check_hours", 0.0)
    refresher._check_those_due()
    assert len(wire.requests) == 2


def test_the_background_says_nothing_of_keys_that_another_process_may_have(ws: Workspace, wire: WireServer) -> None:
    ws.providers.connect("openai", base_url=wire.base_url)
    ws.models._refresher._check_those_due()
    assert ws.models.checks() == {}
    assert ws.models._refresher._due() == [], "it does not ask for the key again at each look"
    assert ws.models.refresh_all()["openai"].kind == "missing_key"
    assert "openai" in ws.models.checks()


def test_hours_between_checks_are_bounded(ws: Workspace) -> None:
    assert ws.settings.get("models.check_hours") == 24
    with pytest.raises(InvalidSetting):
        ws.settings.set("models.check_hours", -1)
