"""What may keep the master key: a file, a variable, a passphrase; what is refused; and the way from one to another."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from llm_core.errors import (
    InvalidInput,
    NoKeySource,
    VaultDamaged,
    VaultKeyWrong,
    VaultLocked,
    VaultNotWritten,
)
from llm_core.keys import APIKeyManager, key_text
from llm_core.keys.document import encode
from llm_core.keys.envelope import KDF_BOUNDS, Kdf

from .vaults import KEY, OTHER, PASSPHRASE, connection, key_file_of

WEAK = {
    "zeros": bytes(32),
    "one byte": b"\xff" * 32,
    "counted up": bytes(range(32)),
    "counted by seven": bytes(n * 7 % 256 for n in range(32)),
    "typed": b"this is my secret key, 32 bytes!",
    "repeated": bytes([1, 2, 3, 4, 200, 99, 17, 240]) * 4,
    "hex text": b"0123456789abcdef0123456789abcdef",
}


@pytest.fixture
def master(monkeypatch: pytest.MonkeyPatch) -> str:
    """A key in LLM_MANAGER_KEY."""
    text = key_text.new_key()
    monkeypatch.setenv("LLM_MANAGER_KEY", text)
    return text


@pytest.mark.parametrize("name", WEAK)
def test_a_key_that_is_not_random_is_refused(name, keys, monkeypatch) -> None:
    monkeypatch.setenv("LLM_MANAGER_KEY", base64.b64encode(WEAK[name]).decode())
    with pytest.raises(VaultKeyWrong) as caught:
        keys.store(connection(), KEY)
    assert "not random" in caught.value.message
    assert keys.status().state == "absent"


@pytest.mark.parametrize("length", [0, 1, 16, 24, 31, 33, 64])
def test_a_key_of_another_length_is_refused_and_never_filled_up_or_cut(length, keys, monkeypatch) -> None:
    monkeypatch.setenv("LLM_MANAGER_KEY", base64.b64encode(os.urandom(length)).decode() or "=")
    with pytest.raises(VaultKeyWrong):
        keys.store(connection(), KEY)


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1], lambda t: t + "!", lambda t: t[:5] + " " + t[5:], lambda t: t[:-2] + "9="]
)
def test_what_is_not_base64_in_its_usual_form_is_refused_without_repeating_it(spoil, keys, monkeypatch) -> None:
    text = spoil(key_text.text_of(os.urandom(31) + b"\x00"))
    monkeypatch.setenv("LLM_MANAGER_KEY", text)
    with pytest.raises(VaultKeyWrong) as caught:
        keys.store(connection(), KEY)
    assert text not in str(caught.value)


def test_a_random_key_is_never_called_weak() -> None:
    assert not any(key_text._is_weak(os.urandom(32)) for _ in range(20_000))


def test_the_file_named_in_the_environment_is_the_usual_source_before_the_variable(keys, master, tmp_path, monkeypatch):
    file = tmp_path / "named.key"
    key_text.write_file(file, key_text.new_key())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setenv("LLM_MANAGER_KEY_FILE", str(file))
    keys.store(connection(), KEY)
    assert (keys.status().source, keys.status().where) == ("key_file", str(file))


def test_the_variable_opens_the_vault_and_without_it_the_vault_is_locked(
    keys, opened_home, master, monkeypatch
) -> None:
    keys.store(connection(), KEY)
    assert keys.status().source == "environment"
    assert master.encode() not in opened_home.vault.read_bytes()
    monkeypatch.delenv("LLM_MANAGER_KEY")
    again = APIKeyManager(opened_home)
    assert again.status().state == "locked"
    with pytest.raises(VaultLocked):
        again.store(connection(), OTHER)
    monkeypatch.setenv("LLM_MANAGER_KEY", key_text.new_key())
    assert again.status().state == "wrong_key"
    monkeypatch.setenv("LLM_MANAGER_KEY", f"  {master}\n")
    assert again.key_for(connection()) == KEY


def test_a_source_is_never_changed_by_what_the_environment_offers(vault, opened_home, master, tmp_path) -> None:
    vault.store(connection(), KEY)
    assert APIKeyManager(opened_home).status().source == "key_file"
    key_file_of(opened_home).unlink()
    assert APIKeyManager(opened_home).status().state == "locked"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660, 0o666, 0o777])
def test_a_key_file_that_others_may_touch_is_refused(mode, vault, opened_home) -> None:
    vault.store(connection(), KEY)
    key_file_of(opened_home).chmod(mode)
    with pytest.raises(VaultLocked) as caught:
        APIKeyManager(opened_home).key_for(connection())
    assert "chmod 600" in caught.value.hint
    assert APIKeyManager(opened_home).status().state == "locked"


def test_a_key_file_of_another_user_a_folder_or_a_pipe_is_refused(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    file = key_file_of(opened_home)
    content = file.read_bytes()
    file.unlink()
    file.mkdir()
    assert APIKeyManager(opened_home).status().state == "locked"
    file.rmdir()
    os.mkfifo(file, 0o600)
    assert APIKeyManager(opened_home).status().state == "locked"
    file.unlink()
    file.write_bytes(content * 200)
    file.chmod(0o600)
    assert APIKeyManager(opened_home).status().state == "wrong_key"
    if os.geteuid() == 0:
        file.write_bytes(content)
        os.chown(file, 65534, 65534)
        assert "another user" in APIKeyManager(opened_home).status().message


def test_a_key_beside_the_vault_is_refused(keys, opened_home) -> None:
    with pytest.raises(InvalidInput):
        keys.choose_source("key_file", key_file=opened_home.path / "backups" / "master.key")
    assert not opened_home.vault.exists()


def test_a_key_file_that_moved_is_named_in_the_environment(vault, opened_home, tmp_path, monkeypatch) -> None:
    vault.store(connection(), KEY)
    key_file_of(opened_home).rename(tmp_path / "moved.key")
    assert APIKeyManager(opened_home).status().state == "locked"
    monkeypatch.setenv("LLM_MANAGER_KEY_FILE", str(tmp_path / "moved.key"))
    assert APIKeyManager(opened_home).key_for(connection()) == KEY
    APIKeyManager(opened_home).rotate_master()
    assert APIKeyManager(opened_home).status().where == str(tmp_path / "moved.key")
    with pytest.raises(InvalidInput):
        APIKeyManager(opened_home).choose_source("key_file", key_file=tmp_path / "third.key")


def test_a_passphrase_opens_the_vault_and_a_wrong_one_does_not(keys, opened_home) -> None:
    keys.choose_source("passphrase", passphrase=PASSPHRASE)
    keys.store(connection(), KEY)
    kept = json.loads(opened_home.vault.read_bytes())["source"]["kdf"]
    assert (kept["name"], kept["memory_kib"], kept["passes"], kept["lanes"]) == ("argon2id", 65536, 3, 4)
    again = APIKeyManager(opened_home)
    assert again.status().state == "locked"
    assert [entry.connection for entry in again.status().entries] == ["openai"]
    for attempt in (lambda: again.key_for(connection()), lambda: again.store(connection(), OTHER), again.unlock):
        with pytest.raises(VaultLocked):
            attempt()
    with pytest.raises(VaultKeyWrong):
        again.unlock(PASSPHRASE + "r")
    assert again.status().state == "locked"
    again.unlock(PASSPHRASE)
    assert again.key_for(connection()) == KEY
    with pytest.raises(VaultKeyWrong):
        again.unlock("not the passphrase either")
    again.lock()
    with pytest.raises(VaultLocked):
        again.key_for(connection())
    assert [event.what for event in again.audit_log()].count("unlock_failed") == 1


@pytest.mark.parametrize("passphrase", [None, "", "short", "elevenchars"])
def test_a_short_passphrase_is_refused(passphrase, keys, opened_home) -> None:
    with pytest.raises(InvalidInput):
        keys.choose_source("passphrase", passphrase=passphrase)
    assert not opened_home.vault.exists()


def test_a_file_cannot_ask_for_more_memory_or_time_than_is_bearable(keys, opened_home) -> None:
    """The bounds are looked at before anything is derived, also where the file's checksum and MAC are right."""
    import dataclasses

    keys.choose_source("passphrase", passphrase=PASSPHRASE)
    opened = keys._vault().open()
    good = opened.document.source.kdf
    assert good is not None
    assert good.is_bearable()
    for name, value in (
        ("memory_kib", KDF_BOUNDS[1][1] + 1),
        ("memory_kib", 1),
        ("passes", KDF_BOUNDS[2][1] + 1),
        ("passes", 0),
        ("lanes", KDF_BOUNDS[3][1] + 1),
        ("salt", b"short"),
    ):
        source = dataclasses.replace(opened.document.source, kdf=dataclasses.replace(good, **{name: value}))
        changed = dataclasses.replace(opened.document, source=source)
        opened_home.vault.write_bytes(encode(changed, opened.data))
        with pytest.raises(VaultDamaged):
            APIKeyManager(opened_home).unlock(PASSPHRASE)
    assert Kdf(salt=bytes(16)).is_bearable()


def test_from_each_source_to_each_other_with_every_key_kept(opened_home, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LLM_MANAGER_KEY", key_text.new_key())
    ways = {
        "key_file": {"key_file": tmp_path / "master.key"},
        "environment": {},
        "passphrase": {"passphrase": PASSPHRASE},
    }
    keys = APIKeyManager(opened_home)
    keys.choose_source("environment")
    keys.store(connection(), KEY)
    for kind in ("key_file", "passphrase", "environment", "passphrase", "key_file", "environment"):
        assert keys.choose_source(kind, **ways[kind]).source == kind
        document = keys._vault().look()
        assert list(document.data_keys) == [document.master_key]
        again = APIKeyManager(opened_home)
        if kind == "passphrase":
            again.unlock(PASSPHRASE)
        assert again.key_for(connection()) == KEY
    assert next(event.note for event in keys.audit_log() if event.what == "source_changed") == "to key_file"


def test_choosing_the_source_that_is_there_changes_nothing(vault, opened_home) -> None:
    before = opened_home.vault.read_bytes()
    vault.choose_source("key_file")
    vault.choose_source("key_file", key_file=key_file_of(opened_home))
    assert opened_home.vault.read_bytes() == before


def test_an_unknown_source_is_refused(keys, vault) -> None:
    for manager in (keys, vault):
        with pytest.raises(InvalidInput):
            manager.choose_source("plaintext")
        with pytest.raises((NoKeySource, InvalidInput)):
            manager.choose_source("keyring")


def test_a_new_master_key_replaces_the_file_and_old_copies_do_not_open_any_more(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    old_file, old_vault = key_file_of(opened_home).read_bytes(), opened_home.vault.read_bytes()
    vault.rotate_master()
    assert key_file_of(opened_home).read_bytes() != old_file
    assert APIKeyManager(opened_home).key_for(connection()) == KEY
    for path in (opened_home.vault, opened_home.vault_copy):
        assert len(json.loads(path.read_bytes())["data_keys"]) == 1
    opened_home.vault.write_bytes(old_vault)
    assert APIKeyManager(opened_home).status().state == "wrong_key"


def test_a_key_file_that_cannot_be_replaced_leaves_a_vault_that_opens(vault, opened_home, monkeypatch) -> None:
    vault.store(connection(), KEY)

    def refuse(path: Path, text: str) -> None:
        raise VaultNotWritten("The folder is read-only.")

    monkeypatch.setattr(key_text, "write_file", refuse)
    with pytest.raises(VaultNotWritten):
        vault.rotate_master()
    for manager in (vault, APIKeyManager(opened_home)):
        assert manager.key_for(connection()) == KEY
        assert "not finished" in manager.status().warnings[0]
    monkeypatch.undo()
    vault.rotate_master()
    assert APIKeyManager(opened_home).status().warnings == ()
    assert len(json.loads(opened_home.vault.read_bytes())["data_keys"]) == 1


def test_a_variable_is_changed_with_both_keys_working_in_between(keys, opened_home, master, monkeypatch) -> None:
    keys.store(connection(), KEY)
    with pytest.raises(InvalidInput):
        keys.rotate_master()
    with pytest.raises(InvalidInput):
        keys.rotate_master(new_key="not a key")
    new = key_text.new_key()
    assert "LLM_MANAGER_KEY" in keys.rotate_master(new_key=new).warnings[0]
    old_process = APIKeyManager(opened_home)
    assert old_process.key_for(connection()) == KEY
    with pytest.raises(InvalidInput):
        old_process.rotate_data_key()
    old_process.store(connection("b"), OTHER)
    monkeypatch.setenv("LLM_MANAGER_KEY", new)
    assert APIKeyManager(opened_home).key_for(connection()) == KEY
    assert list(json.loads(opened_home.vault.read_bytes())["data_keys"]) == [keys._vault().look().master_key]
    monkeypatch.setenv("LLM_MANAGER_KEY", master)
    assert APIKeyManager(opened_home).status().state == "wrong_key"


def test_a_new_passphrase_replaces_the_old_one(keys, opened_home) -> None:
    keys.choose_source("passphrase", passphrase=PASSPHRASE)
    keys.store(connection(), KEY)
    running = APIKeyManager(opened_home)
    running.unlock(PASSPHRASE)
    keys.rotate_master(passphrase="another five words go here")
    with pytest.raises(VaultLocked):
        running.key_for(connection())
    with pytest.raises(VaultKeyWrong):
        running.unlock(PASSPHRASE)
    running.unlock("another five words go here")
    assert running.key_for(connection()) == KEY


def test_a_running_process_follows_new_master_and_data_keys(vault, opened_home) -> None:
    running = APIKeyManager(opened_home)
    vault.store(connection(), KEY)
    assert running.key_for(connection()) == KEY
    for change in (vault.rotate_data_key, vault.rotate_master, vault.rotate_data_key):
        change()
        assert running.key_for(connection()) == KEY
    running.store(connection("b"), OTHER)
    assert vault.key_for(connection("b")) == OTHER
