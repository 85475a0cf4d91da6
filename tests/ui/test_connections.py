"""Providers without a browser: what is tested before it is saved, what an edit keeps, and the vault's own states."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from llm_core import LLMProvider, Workspace
from pages.components.health import key_age
from tests.ui.conftest import failures, texts
from tests.wire.server import WireServer

Open = Callable[..., AppTest]
KEY, NEXT = "sk-a-key-that-nobody-may-see-0001", "sk-the-next-one-is-not-seen-either-0002"
PASSPHRASE = "four words nobody picks"


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A master key for the vault, as a server has it."""
    path = tmp_path / "master.key"
    path.write_text(base64.b64encode(os.urandom(32)).decode())
    path.chmod(0o600)
    monkeypatch.setenv("LLM_MANAGER_KEY_FILE", str(path))
    return path


def connect(app: AppTest, address: str, key: str) -> None:
    app.button(key="connect.compatible").click().run()
    app.text_input(key="connect.address").set_value(address)
    app.text_input(key="connect.key").set_value(key)
    app.button(key="connect.save").click().run()


def test_a_refused_key_is_not_saved(open_app: Open, wire: WireServer, ws: Workspace) -> None:
    wire.key = KEY
    app = open_app("providers")
    connect(app, wire.base_url, NEXT)
    assert any("refused the key" in title for title in failures(app))
    assert ws.providers.list() == []
    assert "connect.untested" not in app.session_state


def test_where_the_test_could_not_run_the_key_waits_wrapped_for_the_persons_word(
    open_app: Open, wire: WireServer, ws: Workspace
) -> None:
    app = open_app("providers")
    connect(app, "http://127.0.0.1:9", KEY)
    assert failures(app)
    assert ws.providers.list() == []
    assert not any(KEY in repr(value) for value in app.session_state.to_dict().values())
    assert "connect.untested" in app.session_state


def test_the_form_of_a_key_is_checked_as_it_is_typed(open_app: Open, ws: Workspace) -> None:
    app = open_app("providers")
    app.button(key="connect.openai").click().run()
    app.session_state["connect.key"] = "hf_this-is-a-key-of-somebody-else-0001"
    app.button(key="connect.openai").click().run()
    assert any("a key of Hugging Face, not of OpenAI" in text for text in texts(app))


def test_all_connections_that_are_on_are_tested(open_app: Open, wire: WireServer, ws: Workspace) -> None:
    for name in ("one", "two", "off"):
        ws.providers.connect("compatible", base_url=wire.base_url, name=name)
    ws.providers.enable("off", False)
    app = open_app("providers")
    app.button(key="providers.test_all").click().run()
    assert {one.name: one.state for one in ws.providers.list()} == {
        "one": "connected",
        "two": "connected",
        "off": "disabled",
    }


def test_an_edit_keeps_what_it_does_not_show_and_says_what_limits_count(
    open_app: Open, wire: WireServer, ws: Workspace
) -> None:
    ws.providers.connect("compatible", base_url=wire.base_url, name="mine", options={"usage_in_stream": False})
    app = open_app("providers")
    app.button(key="card.mine.edit").click().run()
    assert any("per process" in text for text in texts(app))
    app.number_input(key="edit.requests_per_minute").set_value(30)
    app.text_area(key="edit.headers").set_value("X-Title: My app")
    app.button(key="edit.save").click().run()
    assert not failures(app)
    assert ws.providers.get("mine").options == {
        "usage_in_stream": False,
        "requests_per_minute": 30,
        "headers": {"X-Title": "My app"},
    }


def test_only_the_fields_of_the_provider_are_asked_for(open_app: Open, ws: Workspace) -> None:
    ws.providers.connect("anthropic", name="claude")
    app = open_app("providers")
    app.button(key="card.claude.edit").click().run()
    labels = [field.label for field in app.text_input]
    assert "Address" in labels
    assert "Organisation" not in labels


def test_an_edit_to_another_host_asks_for_the_key_again(
    open_app: Open, wire: WireServer, ws: Workspace, key_file: Path
) -> None:
    ws.providers.connect("compatible", KEY, base_url=wire.base_url, name="mine")
    app = open_app("providers")
    app.button(key="card.mine.edit").click().run()
    app.text_input(key="edit.address").set_value("https://elsewhere.invalid/v1")
    app.button(key="edit.save").click().run()
    assert any("Type the key again" in text for text in texts(app))
    assert all(KEY not in str(request.headers) for request in wire.requests)


def test_a_locked_vault_is_opened_with_its_passphrase_which_leaves_the_session(
    open_app: Open, wire: WireServer, ws: Workspace
) -> None:
    ws.keys.choose_source("passphrase", passphrase=PASSPHRASE)
    ws.providers.connect("compatible", KEY, base_url=wire.base_url, name="mine")
    app = open_app("providers")
    assert any("Cannot decrypt" in text for text in texts(app))
    app.text_input(key="keys.passphrase").set_value(PASSPHRASE)
    next(button for button in app.button if button.label == "Unlock").click().run()
    assert not failures(app)
    assert not any("Cannot decrypt" in text for text in texts(app))
    assert not any(PASSPHRASE in repr(value) for value in app.session_state.to_dict().values())


def test_a_damaged_vault_says_so_and_its_copy_is_brought_back(
    open_app: Open, wire: WireServer, ws: Workspace, key_file: Path
) -> None:
    ws.providers.connect("compatible", KEY, base_url=wire.base_url, name="mine")
    ws.providers.connect("compatible", NEXT, base_url=wire.base_url, name="other")
    ws.home.vault.write_bytes(b"{}")
    app = open_app("providers")
    assert any("Damaged" in text for text in texts(app))
    app.button(key="keys.restore").click().run()
    assert not failures(app)
    assert ws.keys.status().state == "ok"


def test_a_key_in_the_environment_goes_to_the_vault_on_the_persons_word(
    open_app: Open, ws: Workspace, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    ws.providers.connect("openai")
    app = open_app("providers")
    assert ws.providers.get("openai").key_source == "environment:OPENAI_API_KEY"
    app.button(key="keys.import.openai").click().run()
    assert ws.providers.get("openai").key_source == "key_file"


def test_the_audit_log_says_whether_it_is_whole(
    open_app: Open, wire: WireServer, ws: Workspace, key_file: Path
) -> None:
    ws.providers.connect("compatible", KEY, base_url=wire.base_url, name="mine")
    app = open_app("providers")
    app.session_state["keys.audit"] = True
    app.run()
    assert any("Verified" in text for text in texts(app))
    log = ws.home.audit
    log.write_bytes(log.read_bytes().replace(b'"mine"', b'"ours"'))
    app.run()
    assert "The log is not whole" in failures(app)


def test_a_key_past_the_chosen_age_is_due() -> None:
    made = datetime.now(UTC) - timedelta(days=91)
    connection = LLMProvider(name="openai", provider="openai", key_made_at=made)
    assert key_age(connection, 90) == ("91 days old", True)
    assert key_age(connection, 120) == ("91 days old", False)
