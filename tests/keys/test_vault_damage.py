"""A vault that was damaged, changed by somebody, swapped, rolled back or taken away: each a named state, never a wrong
key, never a traceback, and nothing written over it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from llm_core.errors import (
    InvalidInput,
    KeyDamaged,
    VaultDamaged,
    VaultError,
    VaultKeyWrong,
    VaultLocked,
    VaultNotWritten,
    VaultTooNew,
)
from llm_core.keys import APIKeyManager
from llm_core.keys.document import decode, encode
from llm_core.store.home import Home, open_home
from tests import needs

from .vaults import KEY, OTHER, connection, key_file_of, with_key_file

STORED = {"openai": KEY, "b": OTHER}


@pytest.fixture
def filled(vault: APIKeyManager) -> APIKeyManager:
    for name, key in STORED.items():
        vault.store(connection(name), key)
    return vault


def edited(home: Home, change: Callable[[Any], None], *, with_checksum: bool = False) -> bytes:
    """The vault after `change` to its JSON; `with_checksum`: by somebody who knows how the checksum is made."""
    found = json.loads(home.vault.read_bytes())
    change(found)
    if with_checksum:
        from llm_core.keys import document

        head = {name: value for name, value in found.items() if name not in ("checksum", "mac", "entries")}
        found["checksum"] = document._checksum(document._canonical(head))
    return json.dumps(found).encode()


def answers(home: Home) -> dict[str, str]:
    """For each connection its key, or the kind of our error. Anything else that is raised is a failure."""
    keys, found = APIKeyManager(home), {}
    for name in STORED:
        try:
            found[name] = str(keys.key_for(connection(name)))
        except VaultError as error:
            found[name] = error.kind if error.hint else f"{error.kind} without a hint"
    keys.status()
    keys.describe(connection())
    return found


def test_every_byte_changed_in_turn_is_a_named_state_or_the_same_keys(filled, opened_home) -> None:
    """About a tenth of the drill, which changes every byte in eight ways."""
    from tests.drills.keys import flip_bytes

    outcome = flip_bytes(opened_home, STORED, every=7)
    assert outcome.ok, outcome


@pytest.mark.parametrize("length", [0, 1, 100, -200, -2])
def test_a_cut_vault_is_corrupt_and_left_as_it_is(length, filled, opened_home) -> None:
    content = opened_home.vault.read_bytes()[:length]
    opened_home.vault.write_bytes(content)
    keys = APIKeyManager(opened_home)
    assert keys.status().state == "corrupt"
    for attempt in (
        lambda: keys.key_for(connection()),
        lambda: keys.store(connection(), KEY),
        lambda: keys.rotate(connection(), KEY),
        lambda: keys.delete("b"),
        lambda: keys.revoke("b"),
        lambda: keys.choose_source("key_file", key_file=key_file_of(opened_home)),
        keys.rotate_master,
        keys.rotate_data_key,
    ):
        with pytest.raises(VaultDamaged):
            attempt()
    assert opened_home.vault.read_bytes() == content


def test_a_vault_that_is_gone_is_not_made_anew_while_its_copy_is_there(filled, opened_home) -> None:
    opened_home.vault.unlink()
    keys = APIKeyManager(opened_home)
    with pytest.raises(VaultDamaged) as caught:
        keys.store(connection(), KEY)
    assert "restore" in caught.value.hint
    assert not opened_home.vault.exists()
    assert keys.restore().state == "ok"
    assert keys.key_for(connection()) == KEY


def test_a_damaged_vault_is_restored_from_its_copy_and_kept(filled, opened_home) -> None:
    filled.rotate(connection(), "sk-third-0123456789abcdefMNOP")
    opened_home.vault.write_bytes(b"not a vault")
    keys = APIKeyManager(opened_home)
    status = keys.restore()
    assert status.state == "ok"
    assert keys.key_for(connection()) == KEY
    assert [path.read_bytes() for path in opened_home.path.glob("vault.damaged-*")] == [b"not a vault"]
    assert [event.what for event in keys.audit_log()][-1] == "restored"
    assert "older vault" in status.warnings[0]


def test_a_good_or_a_closed_vault_is_not_restored(filled, opened_home) -> None:
    with pytest.raises(InvalidInput):
        filled.restore()
    key_file_of(opened_home).rename(key_file_of(opened_home).with_name("moved"))
    with pytest.raises(InvalidInput):
        APIKeyManager(opened_home).restore()


def test_a_vault_nobody_can_open_is_set_aside_and_a_new_one_made(filled, opened_home, monkeypatch, tmp_path) -> None:
    lost = tmp_path / "lost.key"
    key_file_of(opened_home).rename(lost)
    keys = APIKeyManager(opened_home)
    assert keys.status().state == "locked"
    assert keys.set_aside().state == "absent"
    keys.choose_source("key_file", key_file=tmp_path / "new.key")
    keys.store(connection(), OTHER)
    assert keys.key_for(connection()) == OTHER
    kept = next(iter(opened_home.path.glob("vault.aside-*")))
    shutil.copy(kept, opened_home.vault)
    monkeypatch.setenv("LLM_MANAGER_KEY_FILE", str(lost))
    assert APIKeyManager(opened_home).key_for(connection()) == KEY


def test_the_key_of_another_vault_is_told_from_damage_and_nothing_is_changed(filled, opened_home, tmp_path) -> None:
    with_key_file(open_home(tmp_path / "second" / "home"))
    shutil.copy(tmp_path / "second" / "master.key", key_file_of(opened_home))
    before = opened_home.vault.read_bytes()
    keys = APIKeyManager(opened_home)
    status = keys.status()
    assert status.state == "wrong_key"
    assert {entry.connection for entry in status.entries} == {"openai", "b"}
    for attempt in (lambda: keys.key_for(connection()), lambda: keys.store(connection(), KEY), keys.rotate_master):
        with pytest.raises(VaultKeyWrong):
            attempt()
    assert keys.key_for(connection("none")) is None
    assert opened_home.vault.read_bytes() == before
    assert [event.what for event in keys.audit_log()].count("unlock_failed") == 1


def test_a_key_in_the_environment_never_stands_in_for_one_that_cannot_be_read(filled, opened_home, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", OTHER)
    monkeypatch.setenv("LLM_MANAGER_OPENAI_API_KEY", OTHER)

    def spoil(found: Any) -> None:
        found["entries"][0]["ciphertext"] = found["entries"][1]["ciphertext"]

    opened_home.vault.write_bytes(edited(opened_home, spoil))
    with pytest.raises(KeyDamaged):
        APIKeyManager(opened_home).key_for(connection())
    key_file_of(opened_home).unlink()
    with pytest.raises(VaultLocked):
        APIKeyManager(opened_home).key_for(connection())
    assert APIKeyManager(opened_home).describe(connection()) == ("vault", "WXYZ")
    opened_home.vault.write_bytes(b"?")
    with pytest.raises(VaultDamaged):
        APIKeyManager(opened_home).key_for(connection())
    assert APIKeyManager(opened_home).describe(connection()) == ("vault", None)


ENTRY_CHANGES: dict[str, Callable[[Any], None]] = {
    "provider": lambda one: one.update(provider="anthropic"),
    "host": lambda one: one.update(host="evil.example"),
    "version": lambda one: one.update(version=2),
    "state": lambda one: one.update(state="revoked"),
    "unknown state": lambda one: one.update(state="other"),
    "created": lambda one: one.update(created="2030-01-01T00:00:00+00:00"),
    "changed": lambda one: one.update(changed="2030-01-01T00:00:00+00:00"),
    "last4": lambda one: one.update(last4="AAAA"),
    "fingerprint": lambda one: one.update(fingerprint="0" * 16),
    "nonce": lambda one: one.update(nonce="AAAAAAAAAAAAAAAA"),
    "short nonce": lambda one: one.update(nonce="AAAA"),
    "ciphertext": lambda one: one.update(ciphertext="A" * 64),
    "no ciphertext": lambda one: one.pop("ciphertext"),
    "id": lambda one: one.update(id="0" * 16),
    "not an object": lambda one: one.clear(),
}


@pytest.mark.parametrize("name", ENTRY_CHANGES)
def test_a_changed_entry_is_bad_alone(name, filled, opened_home) -> None:
    opened_home.vault.write_bytes(edited(opened_home, lambda found: ENTRY_CHANGES[name](found["entries"][0])))
    assert answers(opened_home) == {"openai": "key_damaged", "b": OTHER}
    keys = APIKeyManager(opened_home)
    status = keys.status()
    assert status.state == "ok"
    assert [(entry.connection, entry.state) for entry in status.entries] == [("openai", "damaged"), ("b", "active")]
    assert "openai" in status.warnings[0]


def test_a_bad_entry_stays_as_it_is_until_its_key_is_typed_again(filled, opened_home) -> None:
    damaged = {"id": "?", "note": "damaged"}

    def spoil(found: Any) -> None:
        found["entries"][0] = damaged

    opened_home.vault.write_bytes(edited(opened_home, spoil))
    keys = APIKeyManager(opened_home)
    keys.rotate(connection("b"), KEY)
    keys.rotate_master()
    assert damaged in json.loads(opened_home.vault.read_bytes())["entries"]
    with pytest.raises(InvalidInput) as caught:
        keys.rotate_data_key()
    assert "openai" in caught.value.message
    keys.store(connection(), OTHER)
    assert answers(opened_home) == {"openai": OTHER, "b": KEY}
    keys.rotate_data_key()


def test_a_bad_entry_can_be_deleted(filled, opened_home) -> None:
    opened_home.vault.write_bytes(edited(opened_home, lambda found: found["entries"][0].clear()))
    assert APIKeyManager(opened_home).delete("openai").keys == 1
    assert [entry.connection for entry in APIKeyManager(opened_home).status().entries] == ["b"]


def test_swapped_ciphertexts_open_nowhere(filled, opened_home) -> None:
    def swap(found: Any) -> None:
        a, b = found["entries"]
        for name in ("nonce", "ciphertext"):
            a[name], b[name] = b[name], a[name]

    opened_home.vault.write_bytes(edited(opened_home, swap))
    assert answers(opened_home) == {"openai": "key_damaged", "b": "key_damaged"}


def test_swapped_entries_open_nowhere(filled, opened_home) -> None:
    opened_home.vault.write_bytes(edited(opened_home, lambda found: found["entries"].reverse()))
    assert answers(opened_home) == {"openai": "key_damaged", "b": "key_damaged"}


def test_an_entry_of_an_earlier_generation_does_not_fit_into_a_later_one(filled, opened_home) -> None:
    before = json.loads(opened_home.vault.read_bytes())["entries"][0]
    filled.rotate(connection(), "sk-third-0123456789abcdefMNOP")

    def put_back(found: Any) -> None:
        found["entries"] = [before if one["id"] == before["id"] else one for one in found["entries"]]

    opened_home.vault.write_bytes(edited(opened_home, put_back))
    states = {(entry.connection, entry.state) for entry in APIKeyManager(opened_home).status().entries}
    assert states == {("openai", "damaged"), ("openai", "active"), ("b", "active")}
    opened_home.vault.write_bytes(edited(opened_home, lambda found: found["entries"][-1].update(state="revoked")))
    assert answers(opened_home) == {"openai": "key_damaged", "b": OTHER}


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(store="0" * 32),
        lambda found: found.update(generation=99),
        lambda found: found["index"][0].update(connection="evil"),
        lambda found: found["index"].reverse(),
        lambda found: found.update(canary=found["data_keys"][found["master_key"]]),
        lambda found: found["audit"].update(line=0, hash=""),
        lambda found: found["source"].update(kind="other"),
        lambda found: found.update(extra=True),
    ],
)
def test_a_head_changed_by_somebody_without_the_key_is_not_trusted(change, filled, opened_home) -> None:
    for with_checksum in (False, True):
        before = opened_home.vault.read_bytes()
        opened_home.vault.write_bytes(edited(opened_home, change, with_checksum=with_checksum))
        assert set(answers(opened_home).values()) <= {"vault_damaged", "vault_key_wrong", "None"}
        assert APIKeyManager(opened_home).status().state in ("corrupt", "wrong_key")
        opened_home.vault.write_bytes(before)


def test_entries_taken_out_of_the_list_are_missed(filled, opened_home) -> None:
    opened_home.vault.write_bytes(edited(opened_home, lambda found: found["entries"].pop()))
    assert set(answers(opened_home).values()) == {"vault_damaged"}


def test_a_wrapped_key_that_was_changed_is_damage_not_a_wrong_key(filled, opened_home) -> None:
    def spoil(found: Any) -> None:
        found["data_keys"][found["master_key"]]["ciphertext"] = "A" * 108

    opened_home.vault.write_bytes(edited(opened_home, spoil, with_checksum=True))
    assert set(answers(opened_home).values()) == {"vault_damaged"}


def test_a_newer_vault_is_refused_and_left_alone(filled, opened_home) -> None:
    opened_home.vault.write_bytes(edited(opened_home, lambda found: found.update(format=2)))
    keys = APIKeyManager(opened_home)
    assert keys.status().state == "too_new"
    with pytest.raises(VaultTooNew):
        keys.store(connection(), KEY)


def test_an_older_vault_put_back_is_noticed_and_written_down(filled, opened_home) -> None:
    older = opened_home.vault.read_bytes()
    filled.rotate(connection(), "sk-third-0123456789abcdefMNOP")
    opened_home.vault.write_bytes(older)
    keys = APIKeyManager(opened_home)
    assert "older vault" in keys.status().warnings[0]
    assert keys.key_for(connection()) == KEY
    keys.store(connection("b"), KEY)
    event = next(event for event in keys.audit_log() if event.what == "rolled_back")
    assert "generation" in event.note
    assert keys.status().warnings == ()
    assert keys.status().generation == max(event.generation for event in keys.audit_log())
    assert keys.verify_audit().ok


def test_the_copy_opens_too(filled, opened_home) -> None:
    assert decode(opened_home.vault_copy.read_bytes()).document.generation + 1 == (
        decode(opened_home.vault.read_bytes()).document.generation
    )
    opened_home.vault_copy.replace(opened_home.vault)
    assert APIKeyManager(opened_home).key_for(connection()) == KEY


def test_leftovers_of_ended_processes_are_swept(filled, opened_home) -> None:
    for name in (".vault.json-77-abc.tmp", ".vault.previous.json-77-abc.tmp"):
        (opened_home.path / name).write_bytes(b"half")
    other = opened_home.path / ".other-1.tmp"
    other.write_bytes(b"not ours")
    filled.store(connection(), OTHER)
    assert [path.name for path in opened_home.path.glob(".*")] == [other.name]


def test_a_full_disk_leaves_the_vault_as_it_was(tmp_path) -> None:
    from tests.drills.keys import small_disk

    with small_disk(tmp_path) as disk:
        home = open_home(disk / "a b'c é")
        keys = APIKeyManager(home)
        keys.choose_source("key_file", key_file=tmp_path / "master.key")
        keys.store(connection(), KEY)
        before = home.vault.read_bytes()
        with (disk / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
            for attempt in (
                lambda: keys.store(connection("b"), OTHER * 200),
                lambda: keys.rotate(connection(), OTHER * 200),
                keys.rotate_data_key,
            ):
                with pytest.raises(VaultNotWritten) as caught:
                    attempt()
                assert "stands" in caught.value.message
            assert home.vault.read_bytes() == before
            assert keys.key_for(connection()) == KEY
            assert APIKeyManager(home).key_for(connection()) == KEY
        (disk / "filler").unlink()
        keys.store(connection("b"), OTHER)
        assert APIKeyManager(home).key_for(connection("b")) == OTHER
        assert not list(home.path.glob(".*.tmp"))


def test_what_does_not_read_back_is_taken_back(filled, opened_home, monkeypatch) -> None:
    """A disk that keeps something else than was written: the generation before it stands."""
    from llm_core.keys import disk

    before = opened_home.vault.read_bytes()
    real = disk.replace

    def forgetful(path: Path, content: bytes) -> None:
        real(path, content if path != opened_home.vault or content == before else content[:-40])

    monkeypatch.setattr(disk, "replace", forgetful)
    with pytest.raises(VaultNotWritten):
        filled.store(connection(), OTHER)
    monkeypatch.undo()
    assert opened_home.vault.read_bytes() == before
    assert filled.key_for(connection()) == KEY


def test_a_vault_locked_by_another_program_is_busy(filled, opened_home, monkeypatch) -> None:
    from llm_core.errors import VaultBusy
    from llm_core.keys import disk

    monkeypatch.setattr(disk, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(disk.locked.__wrapped__, "__defaults__", (0.05,))
    with disk.locked(opened_home.vault_lock), pytest.raises(VaultBusy):
        APIKeyManager(opened_home).store(connection(), OTHER)
    assert filled.key_for(connection()) == KEY


def test_a_vault_that_cannot_be_read_is_locked(filled, opened_home) -> None:
    if os.geteuid() == 0:
        opened_home.vault.unlink()
        opened_home.vault.mkdir()  # root reads everything, but not a folder as a file
    else:
        needs.program("chmod")
        opened_home.path.chmod(0o000)
    try:
        assert APIKeyManager(opened_home).status().state == "locked"
    finally:
        opened_home.path.chmod(0o700)


def test_what_is_written_is_read_back_equal(filled, opened_home) -> None:
    opened = filled._vault().open()
    again = decode(encode(opened.document, opened.data))
    assert again.document == opened.document
    assert again.is_signed_by(opened.data)
    changed = dataclasses.replace(opened.document, generation=opened.document.generation + 1)
    assert decode(encode(changed, opened.data)).mac != opened.signed.mac
    assert orjson.loads(encode(opened.document, opened.data))["format"] == 1
