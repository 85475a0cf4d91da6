"""Keys of connections: kept in the vault, told with their state, rotated after a test, moved with no host, deleted."""

from __future__ import annotations

import base64
import dataclasses
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from llm_core import LLMProvider, Workspace
from llm_core.errors import (
    InvalidConnection,
    InvalidInput,
    KeyBoundElsewhere,
    KeyRefused,
    MissingKey,
    NoKeySource,
    ProviderError,
    StateBusy,
    UnknownConnection,
    Unreachable,
    VaultError,
    VaultLocked,
)
from llm_core.providers import connections, service
from llm_core.providers.protocol import Answer
from tests.waiting import PATIENCE_S, until
from tests.wire.calls import KEY, call, request
from tests.wire.replies import Raw, Say, failing
from tests.wire.server import WireServer

OTHER_KEY = "sk-proj-SecondCanary4hTqZ2LmW9xR"
PASSPHRASE = "four words nobody picks"
MODEL = "openai:gpt-6-luna"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "master.key"


@pytest.fixture
def kept(ws: Workspace, wire: WireServer, key_file: Path) -> Workspace:
    """A workspace whose vault opens with a key file, and one connection, openai, whose key is in it."""
    ws.keys.choose_source("key_file", key_file=key_file)
    ws.providers.connect("openai", KEY, base_url=wire.base_url)
    return ws


@pytest.fixture
def again(kept: Workspace, home: Path) -> Iterator[Workspace]:
    """The same home as another program sees it."""
    with Workspace.open(home) as other:
        yield other


def used(ws: Workspace, wire: WireServer, name: str = "openai") -> str:
    """The key that the next call is sent with."""
    call(ws.providers.adapter(name), request())
    return str(wire.requests[-1].headers["authorization"]).removeprefix("Bearer ")


def versions(ws: Workspace) -> dict[int | None, str]:
    return {entry.version: entry.state for entry in ws.keys.status().entries}


# Kept


def test_a_key_is_kept_in_the_vault_and_used_by_every_program(
    kept: Workspace, again: Workspace, wire: WireServer
) -> None:
    for ws in (kept, again):
        found = ws.providers.get("openai")
        assert (found.key_source, found.key_hint, found.key_kept) == ("key_file", KEY[-4:], True)
        assert found.key_made_at is not None
        assert datetime.now(UTC) - found.key_made_at < timedelta(minutes=1)
        assert used(ws, wire) == KEY
        used_at = ws.providers.get("openai").key_used_at
        assert used_at is not None
        assert used_at >= found.key_made_at


def test_without_a_place_for_the_vaults_own_key_a_key_stays_in_memory_and_says_so(ws: Workspace, home: Path) -> None:
    found = ws.providers.connect("openai", KEY)
    assert (found.key_source, found.key_kept, found.state) == ("memory", False, "untested")
    with Workspace.open(home) as other:
        assert other.providers.get("openai").state == "needs_key"
    assert not (home / "vault.json").exists()


def test_memory_only_is_a_choice_too(ws: Workspace, key_file: Path) -> None:
    ws.keys.choose_source("session")
    assert ws.providers.connect("openai", KEY).key_source == "memory"


def test_a_passphrase_and_a_variable_are_told_apart_from_keys_of_the_environment(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llm_core.keys import key_text

    monkeypatch.setenv("OPENAI_API_KEY", OTHER_KEY)
    assert ws.providers.connect("openai").key_source == "environment:OPENAI_API_KEY"
    ws.keys.choose_source("passphrase", passphrase=PASSPHRASE)
    assert ws.providers.connect("openai", KEY).key_source == "passphrase"
    monkeypatch.setenv("LLM_MANAGER_KEY", key_text.new_key())
    ws.keys.choose_source("environment")
    assert ws.providers.get("openai").key_source == "variable"


def test_what_cannot_be_saved_leaves_no_key_behind(kept: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidConnection):
        kept.providers.connect("compatible", OTHER_KEY, base_url="http://127.0.0.1:1/v1", name="openai")

    def busy(*arguments: object) -> None:
        raise StateBusy("The state is busy.")

    monkeypatch.setattr(connections, "save", busy)
    with pytest.raises(StateBusy):
        kept.providers.connect("openai", OTHER_KEY, name="second")
    assert [entry.connection for entry in kept.keys.status().entries] == ["openai"]
    assert versions(kept) == {1: "active"}


@pytest.mark.parametrize("act", ["connect", "rotate", "edit"])
def test_a_mask_is_no_key(kept: Workspace, wire: WireServer, act: str) -> None:
    mask = f"sk-...{KEY[-4:]}"
    acts: dict[str, Callable[[], object]] = {
        "connect": lambda: kept.providers.connect("openai", mask, base_url=wire.base_url),
        "rotate": lambda: kept.providers.rotate("openai", mask, test=False),
        "edit": lambda: kept.providers.edit("openai", api_key=mask),
    }
    with pytest.raises(InvalidInput, match="hidden form"):
        acts[act]()
    assert used(kept, wire) == KEY


def test_a_local_model_takes_no_key(ws: Workspace) -> None:
    with pytest.raises(InvalidConnection):
        ws.providers.connect("local", KEY)
    assert ws.providers.list() == []


# Bad states: each told on its own connections, with nothing raised by a list


def lose(ws: Workspace, home: Path, key_file: Path) -> None:
    for left in home.glob("vault*"):
        left.unlink()


def lock(ws: Workspace, home: Path, key_file: Path) -> None:
    ws.keys.choose_source("passphrase", passphrase=PASSPHRASE)


def change_the_master_key(ws: Workspace, home: Path, key_file: Path) -> None:
    from llm_core.keys import key_text

    key_file.write_text(key_text.new_key())


def take_the_key_file_away(ws: Workspace, home: Path, key_file: Path) -> None:
    key_file.unlink()


def damage(ws: Workspace, home: Path, key_file: Path) -> None:
    (home / "vault.json").write_text("{")


BAD = [
    pytest.param(lose, "is gone", id="absent"),
    pytest.param(lock, "passphrase", id="locked"),
    pytest.param(take_the_key_file_away, "cannot be read", id="no key file"),
    pytest.param(change_the_master_key, "another key", id="wrong key"),
    pytest.param(damage, "restore", id="corrupt"),
]


@pytest.mark.parametrize(("spoil", "said"), BAD)
def test_a_vault_that_gives_no_key_is_told_on_the_connections_and_raises_nothing(
    kept: Workspace,
    home: Path,
    key_file: Path,
    wire: WireServer,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Workspace, Path, Path], None],
    said: str,
) -> None:
    kept.providers.connect("compatible", base_url=wire.base_url, name="ollama")
    kept.providers.connect("local")
    spoil(kept, home, key_file)
    with Workspace.open(home) as ws:
        ws.keys.hold("held", KEY)
        ws.providers.connect("openai", base_url=wire.base_url, name="held")
        found = {connection.name: connection for connection in ws.providers.list()}
        assert found["openai"].state == "cannot_decrypt"
        assert said in found["openai"].message
        assert "  " not in found["openai"].message
        assert found["held"].state == "untested"
        assert found["local"].state == "connected"
        assert ws.providers.test("openai").state == "cannot_decrypt"
        assert ws.providers.test("held").state == "connected"
        with pytest.raises((VaultError, MissingKey)):
            ws.llm.complete("Hello?", model=MODEL)
        assert not wire.asked("/responses")
        assert len(ws.usage.history()) == 0
        assert {each.name for each in ws.providers.test_all()} == set(found)


def test_a_locked_vault_opens_and_its_connections_are_well_again(kept: Workspace, home: Path, wire: WireServer) -> None:
    kept.providers.test("openai")
    lock(kept, home, Path())
    with Workspace.open(home) as ws:
        assert ws.providers.get("openai").state == "cannot_decrypt"
        assert ws.providers.get("openai").key_source == "passphrase"
        assert ws.providers.get("openai").key_hint == KEY[-4:]
        with pytest.raises(VaultLocked):
            ws.providers.connect("openai", OTHER_KEY, name="second")
        ws.keys.unlock(PASSPHRASE)
        assert [found.name for found in ws.providers.list()] == ["openai"]
        assert ws.providers.get("openai").state == "connected"
        ws.keys.lock()
        assert ws.providers.test("openai").state == "cannot_decrypt"
        ws.keys.unlock(PASSPHRASE)
        assert ws.providers.get("openai").state == "untested"
        assert used(ws, wire) == KEY


def spoil_entry(home: Path, number: int) -> None:
    """Change one bit of the ciphertext of one entry."""
    path = home / "vault.json"
    vault = json.loads(path.read_text())
    entry = vault["entries"][number]
    raw = bytearray(base64.b64decode(entry["ciphertext"]))
    raw[0] ^= 1
    entry["ciphertext"] = base64.b64encode(raw).decode()
    path.write_text(json.dumps(vault))


def test_one_bad_entry_makes_only_its_own_connection_red_and_a_new_key_mends_it(
    kept: Workspace, home: Path, wire: WireServer
) -> None:
    kept.providers.connect("openai", OTHER_KEY, base_url=wire.base_url, name="second")
    spoil_entry(home, 0)
    found = {each.name: each for each in kept.providers.list()}
    assert (found["openai"].state, found["second"].state) == ("cannot_decrypt", "untested")
    assert "Type the key of openai again" in found["openai"].message
    assert found["openai"].key_hint is None
    assert kept.providers.test("openai").state == "cannot_decrypt"
    assert used(kept, wire, "second") == OTHER_KEY
    assert kept.providers.rotate("openai", KEY).state == "connected"
    assert used(kept, wire) == KEY


def test_a_keyring_that_does_not_open_is_not_asked_at_every_look(
    kept: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keyring itself is tested elsewhere; here it is how often it is asked that counts."""
    asked: list[str] = []
    status = dataclasses.replace(kept.keys.status(), state="locked", source="keyring", message="It is locked.")
    monkeypatch.setattr(kept.keys, "status", lambda: asked.append("") or status)
    for _ in range(5):
        assert kept.providers.get("openai").state == "cannot_decrypt"
    assert len(asked) == 1
    kept.providers.test("openai")
    assert len(asked) == 2


# Rotation


def test_another_key_is_tested_then_used_and_the_old_one_kept_for_a_while(kept: Workspace, wire: WireServer) -> None:
    wire.key = OTHER_KEY
    found = kept.providers.rotate("openai", OTHER_KEY)
    assert [(asked.method, asked.path) for asked in wire.requests] == [("GET", "/v1/models")]
    assert (found.state, found.models_found, found.key_hint) == ("connected", 2, OTHER_KEY[-4:])
    assert versions(kept) == {1: "grace", 2: "active"}
    assert used(kept, wire) == OTHER_KEY
    kept.keys.undo_rotation("openai")
    assert used(kept, wire) == KEY
    assert kept.providers.get("openai").key_hint == KEY[-4:]


def test_a_key_that_the_provider_refuses_changes_nothing(kept: Workspace, wire: WireServer) -> None:
    wire.key = KEY
    assert kept.providers.test("openai").state == "connected"
    before = kept.providers.get("openai")
    with pytest.raises(KeyRefused) as caught:
        kept.providers.rotate("openai", OTHER_KEY)
    assert OTHER_KEY not in str(caught.value)
    after = kept.providers.get("openai")
    assert dataclasses.replace(after, key_used_at=None) == dataclasses.replace(before, key_used_at=None)
    assert versions(kept) == {1: "active"}
    assert [event.what for event in kept.keys.audit_log()] == ["created", "stored"]
    assert used(kept, wire) == KEY


@pytest.mark.parametrize("answer", [failing(500), failing(429), failing(402), Raw(body="<html>")])
def test_a_key_that_could_not_be_tested_changes_nothing(kept: Workspace, wire: WireServer, answer: Raw) -> None:
    wire.script(answer)
    with pytest.raises(ProviderError):
        kept.providers.rotate("openai", OTHER_KEY)
    assert versions(kept) == {1: "active"}


def test_a_key_can_be_changed_untested_where_nobody_answers(kept: Workspace) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        kept.providers.edit("openai", base_url=f"http://127.0.0.1:{unused.getsockname()[1]}/v1", api_key=KEY)
        with pytest.raises(Unreachable):
            kept.providers.rotate("openai", OTHER_KEY)
        assert kept.providers.get("openai").key_hint == KEY[-4:]
        found = kept.providers.rotate("openai", OTHER_KEY, test=False)
    assert (found.state, found.key_hint) == ("untested", OTHER_KEY[-4:])


def test_an_endpoint_without_a_list_of_models_takes_another_key(kept: Workspace, wire: WireServer) -> None:
    wire.missing = {"/v1/models"}
    found = kept.providers.rotate("openai", OTHER_KEY)
    assert (found.state, found.key_hint) == ("connected", OTHER_KEY[-4:])
    assert "lists no models" in found.message


def test_the_replaced_key_is_revoked_after_its_grace(kept: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.providers.rotate("openai", OTHER_KEY)
    kept.providers.test("openai")
    assert versions(kept) == {1: "grace", 2: "active"}
    monkeypatch.setattr(service, "GRACE", timedelta(0))
    kept.providers.test("openai")
    assert versions(kept) == {1: "revoked", 2: "active"}


def test_running_calls_end_on_the_old_key_while_new_ones_take_the_new_in_every_program(
    kept: Workspace, again: Workspace, wire: WireServer
) -> None:
    wire.usual = Say(text="One two three.", hold_after=5)
    running = [ws.providers.adapter("openai").stream(request(), Answer()) for ws in (kept, again)]
    for stream in running:
        next(stream)
    kept.providers.rotate("openai", OTHER_KEY)
    fresh = [ws.providers.adapter("openai") for ws in (kept, again)]
    wire.release()
    assert all("".join(piece.text for piece in stream).endswith("three.") for stream in running)
    assert [asked.headers["authorization"] for asked in wire.asked("/responses")] == [f"Bearer {KEY}"] * 2
    for adapter in fresh:
        call(adapter, request())
    assert [asked.headers["authorization"] for asked in wire.asked("/responses")[2:]] == [f"Bearer {OTHER_KEY}"] * 2


def test_threads_that_call_during_rotations_use_a_whole_key_each_time(kept: Workspace, wire: WireServer) -> None:
    over = threading.Event()
    failed: list[Exception] = []

    def work() -> None:
        while not over.is_set():
            try:
                kept.llm.complete("Hello?", model=MODEL)
            except Exception as error:  # noqa: BLE001  # told below
                failed.append(error)
                return

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(6):
        before = len(wire.requests)
        kept.providers.rotate("openai", (OTHER_KEY, KEY)[number % 2])
        until(lambda before=before: len(wire.requests) > before + 6)  # type: ignore[misc]
    over.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not failed
    assert {asked.headers["authorization"] for asked in wire.requests} == {f"Bearer {KEY}", f"Bearer {OTHER_KEY}"}


# Changes


def test_a_changed_host_needs_the_key_again(kept: Workspace, wire: WireServer) -> None:
    found = kept.providers.edit("openai", base_url="https://elsewhere.example/v1")
    assert found.state == "needs_key"
    assert "Type the key again" in found.message
    with pytest.raises(KeyBoundElsewhere):
        kept.providers.adapter("openai")
    with WireServer() as elsewhere:
        place = elsewhere.base_url.replace("127.0.0.1", "localhost")
        assert kept.providers.edit("openai", base_url=place).state == "needs_key"
        assert kept.providers.test("openai").state == "needs_key"
        assert elsewhere.connections == 0
        assert kept.providers.edit("openai", base_url=place, api_key=OTHER_KEY).state == "untested"
        assert used(kept, elsewhere) == OTHER_KEY
    assert kept.providers.edit("openai", base_url=None).state == "needs_key"


def test_an_edit_changes_what_is_given_and_keeps_the_rest(kept: Workspace, wire: WireServer) -> None:
    kept.providers.test("openai")
    first = kept.providers.edit("openai", options={"api": "chat"})
    assert (first.base_url, first.options, first.version) == (wire.base_url, {"api": "chat"}, 2)
    assert (first.key_source, first.state) == ("key_file", "untested")
    kept.providers.test("openai")
    off = kept.providers.edit("openai", enabled=False)
    assert (off.state, off.options, off.version) == ("disabled", {"api": "chat"}, 2)
    assert kept.providers.edit("openai", enabled=True).state == "connected"
    assert kept.providers.edit("openai", base_url=f"{wire.url}/v2").options == {"api": "chat"}
    assert used(kept, wire) == KEY, "another path on the same host"
    assert wire.requests[-1].path == "/v2/chat/completions"
    for bad in ({"base_url": "http://169.254.169.254/v1"}, {"options": {"nonsense": 1}}):
        with pytest.raises(InvalidConnection):
            kept.providers.edit("openai", **bad)
    assert kept.providers.get("openai").base_url == f"{wire.url}/v2"
    with pytest.raises(UnknownConnection):
        kept.providers.edit("nobody", enabled=True)


def test_a_key_of_the_environment_is_imported_on_request(
    kept: Workspace, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", OTHER_KEY)
    assert kept.providers.connect("anthropic").key_source == "environment:ANTHROPIC_API_KEY"
    with pytest.raises(InvalidInput):
        kept.providers.import_key("anthropic", "OPENAI_API_KEY")
    found = kept.providers.import_key("anthropic", "ANTHROPIC_API_KEY")
    assert (found.key_source, found.key_hint, found.key_kept) == ("key_file", OTHER_KEY[-4:], True)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with Workspace.open(home) as other:
        assert other.keys.key_for(other.providers.get("anthropic")) == OTHER_KEY


def test_an_import_with_no_place_to_keep_it_says_what_to_choose(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    ws.providers.connect("openai")
    with pytest.raises(NoKeySource):
        ws.providers.import_key("openai", "OPENAI_API_KEY")
    assert ws.providers.get("openai").key_source == "environment:OPENAI_API_KEY"


# Disconnecting


def test_disconnecting_deletes_the_key_and_says_what_stays(
    kept: Workspace, again: Workspace, wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", OTHER_KEY)
    kept.providers.rotate("openai", OTHER_KEY)
    told = kept.providers.disconnect("openai")
    assert told.keys == 2
    for said in ("gone from the vault", "revoke it there", "OPENAI_API_KEY is not ours", "Usage records stay"):
        assert said in told.text
    assert kept.keys.status().entries == ()
    monkeypatch.delenv("OPENAI_API_KEY")
    assert again.providers.list() == []
    assert again.providers.connect("openai", base_url=wire.base_url).state == "needs_key"


def test_a_vault_that_cannot_be_opened_does_not_keep_a_connection_from_going(kept: Workspace, home: Path) -> None:
    lock(kept, home, Path())
    with Workspace.open(home) as ws:
        told = ws.providers.disconnect("openai")
        assert "could not be deleted" in told.text
        assert not told.erased
        assert ws.providers.list() == []


# Testing all


def test_all_are_tested_a_few_at_once_with_progress_on_the_callers_thread(
    ws: Workspace, wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "TESTS_AT_ONCE", 3)
    for number in range(7):
        ws.providers.connect("openai", KEY, base_url=wire.base_url, name=f"c{number}")
    ws.providers.connect("openai", KEY, base_url=wire.base_url, name="off")
    ws.providers.enable("off", False)
    models = {"data": [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]}
    wire.script(*[Raw(body=models, hold_after=0)] * 7)
    told: list[tuple[int, int, str, str]] = []
    threads = set()

    def progress(done: int, total: int, connection: LLMProvider) -> None:
        threads.add(threading.current_thread())
        told.append((done, total, connection.name, connection.state))

    def let_go() -> None:
        until(lambda: len(wire.requests) == 3)
        wire.release()

    helper = threading.Thread(target=let_go)
    helper.start()
    found = ws.providers.test_all(progress)
    helper.join(PATIENCE_S)
    assert [each.name for each in found] == [f"c{number}" for number in range(7)] + ["off"]
    assert [each.state for each in found] == ["connected"] * 7 + ["disabled"]
    assert [one[:2] for one in told] == [(number, 7) for number in range(1, 8)]
    assert {one[2:] for one in told} == {(f"c{number}", "connected") for number in range(7)}
    assert threads == {threading.current_thread()}


def test_one_that_fails_keeps_no_other_from_its_test(kept: Workspace, wire: WireServer) -> None:
    wire.key = KEY
    kept.providers.connect("openai", OTHER_KEY, base_url=wire.base_url, name="refused")
    kept.providers.connect("compatible", base_url="http://127.0.0.1:9/v1", name="nobody")
    states = {each.name: each.state for each in kept.providers.test_all()}
    assert states == {"openai": "connected", "refused": "error", "nobody": "error"}


def test_the_tests_of_nothing_are_done_at_once(ws: Workspace) -> None:
    told: list[Any] = []
    assert ws.providers.test_all(lambda *progress: told.append(progress)) == []
    assert told == []
