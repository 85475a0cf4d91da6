"""Connections: made, tested at no cost, changed, removed; and the adapter of each, kept until something changes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from llm_core import LLMProvider, Workspace
from llm_core.errors import (
    InvalidConnection,
    InvalidInput,
    KeyRefused,
    MissingKey,
    UnknownConnection,
    UnknownProvider,
)
from llm_core.providers import service
from llm_core.providers.protocol import Answer
from llm_core.store.tables import connections, listed_models
from tests.wire.calls import KEY, call, request
from tests.wire.replies import Raw, Say, failing
from tests.wire.server import WireServer

from .test_http import tls_server

OTHER_KEY = "sk-proj-SecondCanary4hTqZ2LmW9xR"


@pytest.fixture
def connected(ws: Workspace, wire: WireServer) -> Workspace:
    """A workspace with one connection, openai, to the replay server."""
    ws.providers.connect("openai", KEY, base_url=wire.base_url)
    return ws


def test_connecting_saves_and_sends_nothing(ws: Workspace, wire: WireServer) -> None:
    found = ws.providers.connect("openai", KEY, base_url=f"{wire.base_url}/", options={"api": "chat"})
    assert (found.name, found.provider, found.base_url) == ("openai", "openai", wire.base_url)
    assert (found.state, found.enabled, found.version) == ("untested", True, 1)
    assert (found.key_source, found.key_hint) == ("memory", KEY[-4:])
    assert found.options == {"api": "chat"}
    assert ws.providers.get("openai") == found
    assert ws.providers.list() == [found]
    assert wire.connections == 0


def test_connecting_with_a_test_saves_only_what_passed_it(ws: Workspace, wire: WireServer) -> None:
    wire.key = KEY
    with pytest.raises(KeyRefused):
        ws.providers.connect("openai", OTHER_KEY, base_url=wire.base_url, test=True)
    assert ws.providers.list() == []
    assert ws.keys.describe(LLMProvider(name="openai", provider="openai", base_url=wire.base_url)) == (None, None)
    found = ws.providers.connect("openai", KEY, base_url=wire.base_url, test=True)
    assert (found.state, found.models_found) == ("connected", 2)
    assert len(wire.requests) == 2


def test_connecting_with_a_test_and_no_key_sends_nothing_and_says_how_to_give_one(
    ws: Workspace, wire: WireServer
) -> None:
    with pytest.raises(MissingKey) as caught:
        ws.providers.connect("openai", base_url=wire.base_url, test=True)
    assert 'ws.providers.connect("openai", key)' in caught.value.hint
    assert (wire.connections, ws.providers.list()) == (0, [])


def test_the_vendors_own_address_is_not_repeated(ws: Workspace) -> None:
    assert ws.providers.connect("openai", KEY, base_url="https://API.openai.com/v1/").base_url is None


def test_connections_are_listed_the_oldest_first(ws: Workspace) -> None:
    for name in ("zebra", "ant", "middle"):
        ws.providers.connect("openai", KEY, name=name)
    ws.providers.connect("openai", KEY, name="zebra", options={"api": "chat"})
    assert [found.name for found in ws.providers.list()] == ["zebra", "ant", "middle"]


def test_a_key_of_the_environment_is_found(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    found = ws.providers.connect("openai")
    assert (found.state, found.key_source) == ("untested", "environment:OPENAI_API_KEY")


def test_a_key_of_the_environment_goes_to_no_other_host(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    found = ws.providers.connect("openai", base_url="https://elsewhere.example/v1")
    assert found.state == "needs_key"
    with pytest.raises(MissingKey):
        ws.providers.adapter("openai")


def test_a_typed_key_does_not_follow_a_changed_host(ws: Workspace, wire: WireServer) -> None:
    ws.providers.connect("openai", KEY, base_url=wire.base_url)
    ws.providers.adapter("openai")
    assert ws.providers.connect("openai", base_url="https://elsewhere.example/v1").state == "needs_key"


def test_a_connection_without_a_key_says_what_to_do(ws: Workspace) -> None:
    found = ws.providers.connect("openai")
    assert found.state == "needs_key"
    assert "OPENAI_API_KEY" in found.message
    with pytest.raises(MissingKey) as caught:
        ws.providers.adapter("openai")
    assert "rotate" in caught.value.hint
    assert ws.providers.test("openai").state == "needs_key"


def test_an_endpoint_that_wants_no_key_gets_none(ws: Workspace, wire: WireServer) -> None:
    ws.providers.connect("compatible", base_url=wire.base_url, name="ollama")
    assert ws.providers.test("ollama").state == "connected"
    assert "authorization" not in wire.requests[0].headers


@pytest.mark.parametrize("name", ["", " ", "a:b", "a b", "ü", "-a", ".a", "a" * 65, "a/b", "../a", "a\nb", "anthropic"])
def test_a_name_that_would_not_do_in_a_model_id_is_refused(ws: Workspace, name: str) -> None:
    if name == "":
        assert ws.providers.connect("openai", KEY, name=name).name == "openai"
        return
    with pytest.raises(InvalidConnection):
        ws.providers.connect("openai", KEY, name=name)
    assert ws.providers.list() == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"provider": "openrouter"}, UnknownProvider),
        ({"provider": "compatible"}, InvalidConnection),
        ({"provider": "compatible", "base_url": "http://169.254.169.254/v1"}, InvalidConnection),
        ({"provider": "openai", "base_url": "api.openai.com"}, InvalidConnection),
        ({"provider": "openai", "options": {"apis": "chat"}}, InvalidConnection),
        ({"provider": "openai", "options": {"headers": {"X-Api-Key": "x"}}}, InvalidConnection),
        ({"provider": "openai", "options": {"api": object()}}, InvalidConnection),
        ({"provider": "openai", "api_key": "two words"}, InvalidInput),
        ({"provider": "openai", "api_key": ""}, InvalidInput),
    ],
)
def test_what_cannot_be_connected_leaves_nothing_behind(
    ws: Workspace, arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ws.providers.connect(**{"api_key": KEY, **arguments})
    assert ws.providers.list() == []


def test_connecting_again_changes_the_connection(connected: Workspace, wire: WireServer) -> None:
    connected.providers.test("openai")
    again = connected.providers.connect("openai", base_url=wire.base_url, options={"api": "chat"})
    assert (again.version, again.state, again.options) == (2, "untested", {"api": "chat"})
    assert again.key_source == "memory"
    assert len(connected.providers.list()) == 1


def test_a_name_keeps_its_provider(connected: Workspace, wire: WireServer) -> None:
    connected.providers.connect("openai", KEY, name="mine")
    with pytest.raises(InvalidConnection):
        connected.providers.connect("compatible", base_url=wire.base_url, name="mine")


def test_a_test_lists_the_models_and_spends_nothing(connected: Workspace, wire: WireServer) -> None:
    found = connected.providers.test("openai")
    assert (found.state, found.message, found.models_found) == ("connected", "", 2)
    assert found.tested_at is not None
    assert found.test_latency_ms is not None
    assert [(asked.method, asked.path) for asked in wire.requests] == [("GET", "/v1/models")]
    assert [model.id for model in connected.models.list()] == ["openai:gpt-6-luna", "openai:gpt-6-luna-mini"]


FAILURES = [
    pytest.param(failing(401), "error", "refused the key", id="wrong key"),
    pytest.param(failing(402), "error", "out of credit", id="no credit"),
    pytest.param(failing(429, code="insufficient_quota"), "error", "out of credit", id="no quota"),
    pytest.param(failing(429, headers={"retry-after": "9"}), "error", "asks to wait 9 s", id="rate limited"),
    pytest.param(failing(500), "error", "failed (500)", id="provider failed"),
    pytest.param(failing(503), "error", "overloaded", id="overloaded"),
    pytest.param(failing(400), "error", "refused the request", id="refused"),
    pytest.param(Raw(status=302, headers={"location": "http://x.example"}), "error", "redirect", id="redirect"),
    pytest.param(Raw(body="<html>"), "error", "cannot be read", id="no api"),
    pytest.param(Raw(body={}, reset=True), "error", "broke before", id="broken wire"),
]


@pytest.mark.parametrize(("answer", "state", "said"), FAILURES)
def test_a_failing_test_says_what_is_wrong(
    connected: Workspace, wire: WireServer, answer: Any, state: str, said: str
) -> None:
    wire.script(answer)
    found = connected.providers.test("openai")
    assert found.state == state
    assert said in found.message
    assert found.test_latency_ms is None
    assert connected.providers.get("openai") == found


def test_a_test_tells_a_key_that_may_do_nothing(connected: Workspace, wire: WireServer) -> None:
    wire.check = False
    wire.script(failing(403), failing(403))
    found = connected.providers.test("openai")
    assert (found.state, "does not allow" in found.message) == ("error", True)


def test_a_test_tells_nobody_there(ws: Workspace) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ws.providers.connect("compatible", base_url=f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
        found = ws.providers.test("compatible")
    assert (found.state, "cannot be reached" in found.message) == ("error", True)


def test_a_test_tells_a_bad_certificate(ws: Workspace, tmp_path: Path) -> None:
    with tls_server(tmp_path) as (place, _):
        ws.providers.connect("compatible", base_url=place)
        found = ws.providers.test("compatible")
    assert (found.state, "No safe connection" in found.message) == ("error", True)


def test_a_test_gives_up_in_time(connected: Workspace, wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "TEST_SECONDS", 0.3)
    wire.script(Raw(body={"data": []}, delay=30))
    found = connected.providers.test("openai")
    assert (found.state, "in time" in found.message) == ("error", True)


def test_an_endpoint_without_a_list_works(connected: Workspace, wire: WireServer) -> None:
    wire.missing = {"/v1/models"}
    found = connected.providers.test("openai")
    assert (found.state, found.models_found) == ("connected", None)
    assert "lists no models" in found.message


def test_a_failing_test_keeps_the_models_that_were_listed(connected: Workspace, wire: WireServer) -> None:
    connected.providers.test("openai")
    wire.script(failing(500))
    assert connected.providers.test("openai").models_found == 2
    assert len(connected.models.list()) == 2


def test_a_model_that_is_gone_is_no_longer_offered(connected: Workspace, wire: WireServer) -> None:
    connected.providers.test("openai")
    wire.models = ["gpt-7"]
    connected.providers.test("openai")
    assert [model.name for model in connected.models.list(task="chat")] == ["gpt-7"]


def test_a_test_of_nothing_is_an_error(ws: Workspace) -> None:
    for act in (ws.providers.test, ws.providers.get, ws.providers.disconnect, ws.providers.adapter):
        with pytest.raises(UnknownConnection):
            act("openai")


def test_another_key_is_used_from_the_next_call_on(connected: Workspace, wire: WireServer) -> None:
    wire.usual = Say(text="One two three.", hold_after=5)
    answer = Answer()
    running = connected.providers.adapter("openai").stream(request(), answer)
    next(running)
    assert connected.providers.rotate("openai", OTHER_KEY).state == "connected"
    replaced = connected.providers.adapter("openai")
    wire.release()
    assert "".join(piece.text for piece in running)
    assert answer.finish == "stop"
    call(replaced, request())
    sent = [asked.headers["authorization"] for asked in wire.requests]
    assert sent == [f"Bearer {KEY}", *[f"Bearer {OTHER_KEY}"] * 2], "the second is the test of the new key"


def test_a_key_that_cannot_be_one_changes_nothing(connected: Workspace, wire: WireServer) -> None:
    with pytest.raises(InvalidInput):
        connected.providers.rotate("openai", "no key")
    call(connected.providers.adapter("openai"), request())
    assert wire.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_disconnecting_forgets_key_and_models(connected: Workspace, wire: WireServer) -> None:
    connected.providers.test("openai")
    connected.models.activate("chat", "openai:gpt-6-luna")
    connected.providers.disconnect("openai")
    assert connected.providers.list() == []
    assert connected.models.active("chat") is None
    with connected.state.read() as transaction:
        assert transaction.execute(select(listed_models)).all() == []
    assert connected.providers.connect("openai", base_url=wire.base_url).state == "needs_key"


def test_a_connection_can_be_switched_off_and_on(connected: Workspace) -> None:
    connected.providers.test("openai")
    assert connected.providers.enable("openai", False).state == "disabled"
    assert connected.providers.enable("openai", True).state == "connected"


def test_an_adapter_is_kept_until_something_changes(connected: Workspace, wire: WireServer) -> None:
    first = connected.providers.adapter("openai")
    connected.settings.set("call.attempts", 2)
    connected.providers.test("openai")
    assert connected.providers.adapter("openai") is first
    connected.providers.connect("openai", base_url=wire.base_url, options={"api": "chat"})
    assert connected.providers.adapter("openai") is not first


def test_a_change_in_another_process_changes_the_adapter(connected: Workspace, wire: WireServer, home: Path) -> None:
    first = connected.providers.adapter("openai")
    with Workspace.open(home) as other:
        other.providers.connect("openai", base_url=wire.base_url, options={"api": "chat"})
    assert connected.providers.adapter("openai") is not first
    call(connected.providers.adapter("openai"), request())
    assert wire.requests[-1].path == "/v1/chat/completions"


def test_a_connection_made_anew_elsewhere_is_not_served_by_the_old_adapter(
    connected: Workspace, wire: WireServer, home: Path
) -> None:
    with WireServer() as elsewhere, Workspace.open(home) as other:
        connected.providers.adapter("openai")
        other.providers.disconnect("openai")
        other.providers.connect("openai", base_url=elsewhere.base_url.replace("127.0.0.1", "localhost"))
        with pytest.raises(MissingKey):
            connected.providers.adapter("openai")
        assert elsewhere.connections == 0


def test_threads_get_one_adapter(connected: Workspace) -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(connected.providers.adapter("openai"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


def test_a_connection_of_a_later_version_breaks_nothing(connected: Workspace) -> None:
    row = {
        "name": "future",
        "provider": "telepathy",
        "options": {},
        "enabled": True,
        "state": "connected",
        "message": "",
        "version": 1,
        "created_at": connected.providers.test("openai").tested_at,
    }
    with connected.state.write() as transaction:
        transaction.execute(insert(connections).values(row))
    found = {each.name: each.state for each in connected.providers.list()}
    assert found == {"openai": "connected", "future": "error"}
    assert connected.providers.test("future").state == "error"


def test_no_key_is_written_or_shown(connected: Workspace, home: Path) -> None:
    connected.providers.test("openai")
    connected.providers.rotate("openai", OTHER_KEY)
    shown = [repr(connected.providers), repr(connected.providers.list()), repr(vars(connected.providers))]
    shown.append(repr(connected.providers.adapter("openai")))
    for key in (KEY, OTHER_KEY):
        assert all(key not in text for text in shown)
        assert all(key.encode() not in path.read_bytes() for path in files(home))


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
