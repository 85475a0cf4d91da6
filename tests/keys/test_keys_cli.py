"""`llm-manager keys ...` as a person uses it."""

from __future__ import annotations

import pytest
from click.testing import Result
from typer.testing import CliRunner

from llm_core.cli import app
from llm_core.keys import APIKeyManager, process

from .vaults import KEY, OTHER, PASSPHRASE, connection, key_file_of


@pytest.fixture(autouse=True)
def _this_process_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line closes its process's memory for good; the tests' own process must stay as it is."""
    monkeypatch.setattr(process, "harden", list)


def run(*arguments: object, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["keys", *map(str, arguments)], input=typed)


def test_without_a_vault_it_says_so(home) -> None:
    done = run("status")
    assert (done.exit_code, "No key was stored yet" in done.output) == (0, True)
    assert run("audit").exit_code == 0
    assert "Connect a provider" in run("rotate-master").output


def test_keys_are_listed_without_any_key(vault) -> None:
    vault.store(connection(), KEY)
    vault.rotate(connection(), OTHER)
    vault.key_for(connection())
    vault.close()
    done = run("status")
    assert done.exit_code == 0
    for words in ("ok: Keys are kept encrypted", "grace", "active", "v2", "…QRST", "0 days old", "used 1 times"):
        assert words in done.output
    assert KEY not in done.output + run("audit").output
    assert "for api.openai.com" in done.output


def test_a_damaged_key_ends_with_1(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    opened_home.vault.write_bytes(opened_home.vault.read_bytes().replace(b'"last4": "WXYZ"', b'"last4": "AAAA"'))
    done = run("status")
    assert (done.exit_code, "damaged" in done.output) == (1, True)


def test_the_audit_log_is_shown_and_a_change_in_it_ends_with_1(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    done = run("audit")
    assert done.exit_code == 0
    assert "stored  openai  v1  key " in done.output
    assert "2 lines. The log is whole." in done.output
    opened_home.audit.write_bytes(opened_home.audit.read_bytes().replace(b"openai", b"closed"))
    done = run("audit", "--last", 0)
    assert done.exit_code == 1
    assert "PROBLEM: " in done.output


def test_a_key_file_is_made_once(home, tmp_path) -> None:
    file = tmp_path / "new.key"
    assert run("new-key", file).exit_code == 0
    made = file.read_bytes()
    done = run("new-key", file)
    assert (done.exit_code, file.read_bytes()) == (1, made)
    assert len(run("new-key").output.strip()) == 44
    assert made.decode().strip() not in run("new-key").output


def test_sources_are_told_and_changed(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    assert "keyring      not here" in run("sources").output
    done = run("use", "passphrase", typed=f"{PASSPHRASE}\n")
    assert done.exit_code == 0, done.output
    assert PASSPHRASE not in done.output
    assert run("status").exit_code == 1
    assert run("rotate-data-key", typed="a wrong passphrase\n").exit_code == 1
    assert run("rotate-data-key", typed=f"{PASSPHRASE}\n").exit_code == 0
    assert run("rotate-master", typed=f"{PASSPHRASE}\nanother {PASSPHRASE}\n").exit_code == 0
    assert (
        run("use", "key_file", "--key-file", key_file_of(opened_home), typed=f"another {PASSPHRASE}\n").exit_code == 0
    )
    assert APIKeyManager(opened_home).key_for(connection()) == KEY
    assert run("rotate-master").exit_code == 0
    assert run("use", "nothing").exit_code == 1


def test_a_key_is_deleted_with_the_truth_about_it(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    assert "revoke it there too" in run("delete", "openai").output
    assert APIKeyManager(opened_home).key_for(connection()) is None


def test_a_damaged_vault_is_restored_or_set_aside(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    vault.store(connection("b"), OTHER)
    assert run("restore").exit_code == 1
    opened_home.vault.write_bytes(b"?")
    assert run("status").exit_code == 1
    assert run("restore").exit_code == 0
    assert APIKeyManager(opened_home).key_for(connection()) == KEY
    opened_home.vault.write_bytes(b"?")
    assert run("set-aside").exit_code == 0
    assert "absent" in run("status").output
