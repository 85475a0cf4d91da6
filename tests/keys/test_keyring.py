"""The vault with its master key in a real gnome-keyring, and with keyrings that must not be used."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from keyring.backends import null

from llm_core.errors import NoKeySource, VaultLocked
from llm_core.keys import APIKeyManager, os_keyring
from llm_core.store.home import Home, open_home
from tests.drills.keys import keyring
from tests.waiting import PATIENCE_S

from .desktop import Desktop
from .vaults import KEY, connection


@dataclass(frozen=True, slots=True)
class Cases:
    """Runs what is in `keyring_cases` in a session."""

    desktop: Desktop
    home: Path

    def run(self, *cases: str, **session: Any) -> None:
        done = self.desktop.run("tests.keys.keyring_cases", self.home, *cases, **session)
        assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture
def cases(tmp_path: Path, home: Path) -> Cases:
    return Cases(Desktop.at(tmp_path / "person"), home)


@pytest.mark.keyring
def test_a_key_in_the_keyring_outlives_a_new_login_and_opens_for_nobody_else(cases) -> None:
    cases.run("first_store")
    cases.run("locked", password=None)
    cases.run("locked", password="a wrong password")
    cases.run("absent", bus=False)
    cases.run("gone_while_running")
    cases.run("read")
    for path in (cases.desktop.folder / ".local" / "share" / "keyrings").iterdir():
        path.unlink()
    cases.run("emptied")


@pytest.mark.keyring
def test_without_an_open_keyring_no_vault_is_begun(cases) -> None:
    cases.run("locked_first_run", password=None)


@pytest.mark.keyring
def test_master_keys_come_and_go_with_what_is_done(cases) -> None:
    cases.run("lifecycle", "damaged_neighbour", "chained")


@pytest.mark.keyring
@pytest.mark.drill
def test_kill_9_and_first_runs_with_a_real_keyring() -> None:
    outcome = keyring(2, 1)
    assert outcome.ok, outcome


@pytest.mark.parametrize("backend", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"])
def test_a_keyring_that_keeps_nothing_is_not_used(backend, home, monkeypatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    monkeypatch.setattr("keyring.core._keyring_backend", None)
    keys = APIKeyManager(open_home(home))
    with pytest.raises(NoKeySource) as caught:
        keys.choose_source("keyring")
    assert backend in str(caught.value)
    with pytest.raises(NoKeySource):
        keys.store(connection(), KEY)
    assert not keys.sources()[0].available
    assert keys.status().state == "absent"


def test_a_keyring_that_writes_plain_text_is_not_used(home, monkeypatch) -> None:
    """Named as an installed package would put it in front; not in the list, so not used, whatever it is worth."""

    class PlaintextKeyring(null.Keyring):
        priority = 100  # type: ignore[assignment]

    monkeypatch.setattr("keyring.core._keyring_backend", PlaintextKeyring())
    with pytest.raises(NoKeySource):
        os_keyring.chosen()


def test_what_is_put_into_a_keyring_is_read_back() -> None:
    forgetful = os_keyring.OSKeyring("keyring.backends.SecretService.Keyring", null.Keyring())
    with pytest.raises(VaultLocked) as caught:
        forgetful.put("name", "secret")
    assert "did not keep" in caught.value.message


def test_a_keyring_that_asks_and_waits_holds_nobody_up(monkeypatch) -> None:
    monkeypatch.setattr(os_keyring, "SECONDS", 0.05)
    answered = threading.Event()
    with pytest.raises(VaultLocked) as caught:
        os_keyring._in_time(answered.wait)
    assert "did not answer" in caught.value.message
    with pytest.raises(VaultLocked) as caught:
        os_keyring._in_time(lambda: "another")
    assert "still asking" in caught.value.message
    answered.set()
    assert os_keyring._waiting is not None
    os_keyring._waiting.join(PATIENCE_S)
    monkeypatch.setattr(os_keyring, "SECONDS", PATIENCE_S)
    assert os_keyring._in_time(lambda: "open") == "open"


def test_what_a_keyring_raises_becomes_our_error_without_its_text() -> None:
    def leaking() -> None:
        raise RuntimeError(f"cannot store {KEY}")

    with pytest.raises(VaultLocked) as caught:
        os_keyring._in_time(leaking)
    assert KEY not in str(caught.value)
    assert "RuntimeError" in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_vault_of_another_desktop_names_its_keyring(opened_home: Home) -> None:
    with pytest.raises(VaultLocked) as caught:
        os_keyring.named("keyring.backends.kwallet.DBusKeyring")
    assert "KWallet" in caught.value.message
    with pytest.raises(VaultLocked):
        os_keyring.named("keyrings.alt.file.PlaintextKeyring")
