"""What the vault does with keys: keeps, rotates, revokes, deletes, tells, and never writes one in clear."""

from __future__ import annotations

import copy
import json
import os
import pickle
import stat
import sys
from datetime import UTC, datetime, timedelta

import pytest

from llm_core import Workspace
from llm_core.errors import InvalidInput, KeyBoundElsewhere, MissingKey, NoKeySource, VaultAbsent
from llm_core.keys import APIKeyManager
from llm_core.keys.document import decode
from llm_core.store.home import open_home
from tests import needs

from .vaults import KEY, OTHER, connection, every_file, in_child, key_file_of, with_key_file

THIRD = "sk-third-0123456789abcdefMNOP"


def states(keys: APIKeyManager, name: str = "openai") -> list[tuple[int | None, str]]:
    return [(entry.version, entry.state) for entry in keys.status().entries if entry.connection == name]


def test_a_stored_key_is_there_in_another_process_and_in_none_of_the_files(vault, opened_home) -> None:
    assert vault.store(connection(), KEY) == "vault"
    assert vault.describe(connection()) == ("vault", "WXYZ")
    asked = """
import sys
from llm_core.keys import APIKeyManager
from llm_core import LLMProvider
from llm_core.store.home import open_home
print(APIKeyManager(open_home(sys.argv[1])).key_for(LLMProvider(name="openai", provider="openai")))
"""
    assert in_child(asked, opened_home.path).stdout.strip() == KEY
    for path, content in every_file(opened_home).items():
        for form in (KEY.encode(), KEY[3:].encode(), KEY[::-1].encode(), KEY.encode().hex().encode()):
            assert form not in content, path


def test_without_a_vault_nothing_of_cryptography_or_keyring_is_loaded(home) -> None:
    asked = """
import os, sys
os.environ["OPENAI_API_KEY"] = sys.argv[2]
from llm_core import LLMProvider, Workspace
with Workspace.open(sys.argv[1]) as ws:
    connection = LLMProvider(name="openai", provider="openai")
    assert ws.keys.key_for(connection) == sys.argv[2]
    ws.keys.describe(connection), ws.keys.status(), ws.keys.found_in_environment()
print([name for name in ("cryptography", "keyring", "filelock", "orjson") if name in sys.modules])
"""
    assert in_child(asked, home, KEY).stdout.strip() == "[]"


def test_a_held_key_comes_before_the_vault_and_the_vault_before_the_environment(vault, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", THIRD)
    vault.store(connection(), KEY)
    assert vault.key_for(connection()) == KEY
    vault.hold("openai", OTHER)
    assert vault.key_for(connection()) == OTHER
    vault.forget("openai")
    assert vault.key_for(connection()) == KEY
    vault.delete("openai")
    assert vault.key_for(connection()) == THIRD


def test_storing_takes_the_place_of_a_held_key(vault) -> None:
    vault.hold("openai", OTHER)
    vault.store(connection(), KEY)
    assert vault.key_for(connection()) == KEY


def test_without_any_source_the_three_choices_are_named_and_nothing_is_made(keys, opened_home) -> None:
    with pytest.raises(NoKeySource) as caught:
        keys.store(connection(), KEY)
    for choice in ("keyring", "LLM_MANAGER_KEY_FILE", "passphrase", "session"):
        assert choice in caught.value.hint
    assert keys.status().state == "absent"
    assert not opened_home.vault.exists()
    assert KEY.encode() not in b"".join(every_file(opened_home).values())


def test_session_only_keeps_keys_in_memory_and_says_so(keys, opened_home) -> None:
    assert keys.choose_source("session").state == "session"
    assert keys.store(connection(), KEY) == "memory"
    assert keys.describe(connection()) == ("memory", "WXYZ")
    assert "memory" in keys.status().message
    assert not opened_home.vault.exists()
    assert APIKeyManager(opened_home).key_for(connection()) is None


def test_rotation_keeps_the_old_key_until_it_is_released(vault) -> None:
    vault.store(connection(), KEY)
    vault.rotate(connection(), OTHER)
    assert vault.key_for(connection()) == OTHER
    assert states(vault) == [(1, "grace"), (2, "active")]
    vault.release("openai")
    assert states(vault) == [(1, "revoked"), (2, "active")]
    with pytest.raises(MissingKey):
        vault.undo_rotation("openai")
    assert vault.key_for(connection()) == OTHER


def test_a_rotation_can_be_undone_while_the_old_key_is_kept(vault) -> None:
    vault.store(connection(), KEY)
    vault.rotate(connection(), OTHER)
    vault.undo_rotation(connection())
    assert vault.key_for(connection()) == KEY
    assert states(vault) == [(1, "active"), (2, "revoked")]


def test_only_one_older_key_is_in_grace(vault) -> None:
    for key in (KEY, OTHER, THIRD):
        vault.rotate(connection(), key)
    assert states(vault) == [(1, "revoked"), (2, "grace"), (3, "active")]


def test_a_revoked_key_is_gone_from_the_file_and_its_history_stays(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    before = len(decode(opened_home.vault.read_bytes()).document.entries[0].sealed.ciphertext)
    vault.revoke("openai")
    assert vault.key_for(connection()) is None
    assert states(vault) == [(1, "revoked")]
    for path in (opened_home.vault, opened_home.vault_copy):
        sealed = decode(path.read_bytes()).document.entries[0].sealed
        assert len(sealed.ciphertext) == before - len(KEY) == 16


def test_a_deleted_key_is_in_neither_the_vault_nor_its_copy(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    vault.store(connection("b"), OTHER)
    gone = vault.delete(connection())
    assert (gone.keys, gone.erased) == (1, False)
    assert "backups may keep older copies" in gone.text
    assert "revoke it there" in gone.text
    for path in (opened_home.vault, opened_home.vault_copy):
        assert {entry.connection for entry in decode(path.read_bytes()).document.entries} == {"b"}
    assert vault.key_for(connection("b")) == OTHER
    assert vault.delete("openai").keys == 0


def test_only_some_of_the_history_of_revoked_keys_is_kept(vault) -> None:
    for number in range(14):
        vault.store(connection(), f"{KEY}{number}")
    assert states(vault)[-1] == (14, "active")
    assert len(states(vault)) == 11


def test_a_key_is_not_sent_to_another_host_or_provider_nor_in_clear(vault) -> None:
    vault.store(connection(base_url="https://eu.api.openai.com/v1"), KEY)
    for moved in (
        connection(),
        connection(base_url="https://evil.example/v1"),
        connection(base_url="http://eu.api.openai.com/v1"),
        connection(base_url="https://[broken/v1"),
        connection(provider="compatible", base_url="https://eu.api.openai.com/v1"),
    ):
        with pytest.raises(KeyBoundElsewhere) as caught:
            vault.key_for(moved)
        assert "eu.api.openai.com" in caught.value.message
        assert isinstance(caught.value, MissingKey)
    assert vault.key_for(connection(base_url="https://eu.api.openai.com:443/other")) == KEY


def test_the_vendors_own_address_is_one_place_whether_written_or_not(vault) -> None:
    vault.store(connection(), KEY)
    assert vault.key_for(connection(base_url="https://api.openai.com/v1")) == KEY


def test_a_local_model_needs_no_key_whatever_state_the_vault_is_in(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    opened_home.vault.write_bytes(b"{")
    assert vault.key_for(connection("local", "local")) is None
    assert vault.describe(connection("local", "local")) == (None, None)


@pytest.mark.parametrize("mask", ["sk-…9f2K", "********", "sk-proj-****WXYZ", "sk-...WXYZ", "••••WXYZ"])
def test_a_mask_is_never_saved_over_a_key(mask, vault) -> None:
    vault.store(connection(), KEY)
    for change in (vault.store, vault.rotate):
        with pytest.raises(InvalidInput):
            change(connection(), mask)
    assert vault.key_for(connection()) == KEY


def test_the_status_tells_age_use_versions_and_no_key(vault) -> None:
    vault.store(connection(), KEY)
    vault.store(connection("short"), "k" * 19)
    for _ in range(3):
        vault.key_for(connection())
    found = vault.status()
    assert (found.state, found.source, found.where) == ("ok", "key_file", str(key_file_of(vault._home)))
    assert found.generation == 3
    openai, short = found.entries
    assert (openai.version, openai.state, openai.last4, openai.reads, openai.reads_today) == (1, "active", "WXYZ", 3, 3)
    assert openai.host == "api.openai.com"
    assert openai.age is not None
    assert timedelta() <= openai.age < timedelta(minutes=5)
    assert openai.last_used is not None
    assert short.last4 is None
    assert short.last_used is None
    assert KEY not in repr(found)


def test_equal_keys_have_equal_fingerprints_also_after_the_data_key_changed(vault) -> None:
    vault.store(connection("a"), KEY)
    vault.store(connection("b"), OTHER)
    vault.rotate_data_key()
    vault.store(connection("c"), KEY)
    a, b, c = (entry.fingerprint for entry in vault.status().entries)
    assert a == c != b


def test_two_vaults_give_one_key_different_fingerprints(vault, tmp_path) -> None:
    other = with_key_file(open_home(tmp_path / "second" / "home"))
    for manager in (vault, other):
        manager.store(connection(), KEY)
    assert vault.status().entries[0].fingerprint != other.status().entries[0].fingerprint


def test_old_keys_are_due_for_rotation(vault, opened_home) -> None:
    vault.store(connection("old"), KEY)
    vault.store(connection("new"), OTHER)
    assert vault.due_for_rotation(1) == []
    assert [entry.connection for entry in vault.due_for_rotation(0)] == ["old", "new"]


def test_reads_of_all_processes_are_counted_and_last(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    other = APIKeyManager(opened_home)
    for manager in (vault, vault, other):
        manager.key_for(connection())
    other.close()
    vault.close()
    entry = APIKeyManager(opened_home).status().entries[0]
    assert (entry.reads, entry.reads_today) == (3, 3)
    assert entry.last_used is not None
    assert datetime.now(UTC) - entry.last_used < timedelta(minutes=5)


def test_counts_of_a_deleted_key_go_with_it(vault, opened_home) -> None:
    for name in ("openai", "b"):
        vault.store(connection(name), KEY)
        for _ in range(3):
            vault.key_for(connection(name))
    kept = vault.status().entries[1].id
    vault.delete("openai")
    vault.close()
    assert list(json.loads(opened_home.key_reads.read_bytes())) == [kept]


def test_damaged_counts_are_no_error(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    for content in (b"{", b"[]", b'{"x": 1}', b'{"x": {"days": {"never": 1}, "last": "?"}}'):
        opened_home.key_reads.write_bytes(content)
        assert vault.status().entries[0].connection == "openai"
        assert vault.key_for(connection()) == KEY


def test_every_file_is_readable_by_its_owner_alone(vault, opened_home) -> None:
    previous = os.umask(0)
    try:
        vault.store(connection(), KEY)
        vault.key_for(connection())
        vault.rotate_master()
    finally:
        os.umask(previous)
    files = [opened_home.vault, opened_home.vault_copy, opened_home.audit, opened_home.key_reads]
    for path in (*files, opened_home.vault_lock, opened_home.audit_lock, key_file_of(opened_home)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(opened_home.path.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604, 0o777])
def test_a_vault_that_others_could_read_is_closed_again(mode, vault, opened_home) -> None:
    vault.store(connection(), KEY)
    opened_home.vault.chmod(mode)
    assert APIKeyManager(opened_home).key_for(connection()) == KEY
    assert stat.S_IMODE(opened_home.vault.stat().st_mode) == 0o600


def test_another_user_can_read_none_of_the_files(vault, opened_home) -> None:
    if os.geteuid() != 0:
        needs.lacking("only root can act as another user")
    vault.store(connection(), KEY)
    vault.key_for(connection())
    files = [*every_file(opened_home), str(key_file_of(opened_home))]
    assert len(files) >= 6
    tried = """
import os, sys
os.setgid(65534), os.setgroups([]), os.setuid(65534)
for path in sys.argv[1:]:
    try:
        open(path, "rb").close()
        print("read", path)
    except PermissionError:
        pass
"""
    opened_home.path.chmod(0o755)  # were the folder open, each file must still be closed
    for parent in list(opened_home.path.parents)[:3]:
        parent.chmod(0o755)
    assert in_child(tried, *files).stdout == ""


def test_a_fork_starts_over_and_neither_process_disturbs_the_other(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    code = """
import os, signal, sys
from llm_core import LLMProvider
from llm_core.keys import APIKeyManager
from llm_core.store.home import open_home
home = open_home(sys.argv[1])
keys, here = APIKeyManager(home), LLMProvider(name="openai", provider="openai")
keys.hold("held", sys.argv[2])
first = keys.key_for(here)
keys.key_for(here)
vault = keys._opened_vault
keys._lock.acquire()  # as another thread may hold it
child = os.fork()
if child == 0:
    signal.alarm(20)
    assert keys.key_for(here) == first and keys._opened_vault is not vault
    assert keys.key_for(LLMProvider(name="held", provider="openai")) == sys.argv[2]
    keys.store(LLMProvider(name="child", provider="openai"), sys.argv[3])
    sys.exit(0)
keys._lock.release()
assert os.waitpid(child, 0)[1] == 0
assert keys.key_for(LLMProvider(name="child", provider="openai")) == sys.argv[3]
"""
    in_child(code, opened_home.path, OTHER, THIRD)
    reads = {entry.connection: entry.reads for entry in vault.status().entries}
    assert reads == {"openai": 3, "child": 1}


def test_nothing_of_it_can_be_copied_or_shown(vault) -> None:
    vault.store(connection(), KEY)
    opened = vault._vault().open()
    for thing in (vault, opened, opened.master, opened.data):
        assert KEY not in repr(thing)
        assert opened.master.reveal().hex() not in repr(thing)
        for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
            if attempt is copy.copy and thing is opened:
                continue  # a second name for the same two keys
            with pytest.raises(TypeError):
                attempt(thing)


def test_keys_in_the_environment_are_found_and_imported_only_when_asked(vault, opened_home, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("GROQ_API_KEY", "two words")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    found = {one.name: one for one in vault.found_in_environment()}
    assert set(found) == {"OPENAI_API_KEY", "GROQ_API_KEY"}
    assert (found["OPENAI_API_KEY"].provider, found["OPENAI_API_KEY"].hint) == ("openai", "WXYZ")
    assert found["GROQ_API_KEY"].provider == "compatible"
    assert found["GROQ_API_KEY"].domain == "groq.com"
    assert found["GROQ_API_KEY"].problem
    assert KEY not in repr(found)
    assert vault.status().entries == ()
    vault.import_from_environment("OPENAI_API_KEY", connection())
    monkeypatch.delenv("OPENAI_API_KEY")
    assert vault.key_for(connection()) == KEY
    assert vault.audit_log()[-1].what == "imported"


def test_a_variable_is_not_imported_for_another_host(vault, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(InvalidInput):
        vault.import_from_environment("OPENAI_API_KEY", connection(base_url="https://evil.example/v1"))
    with pytest.raises(InvalidInput):
        vault.import_from_environment("PATH", connection())
    with pytest.raises(InvalidInput):
        vault.import_from_environment("LLM_MANAGER_OPENAI_API_KEY", connection())


def test_the_workspace_writes_counts_when_it_closes(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    vault.close()
    with Workspace.open(opened_home.path) as ws:
        for _ in range(5):
            ws.keys.key_for(connection())
    kept = json.loads(opened_home.key_reads.read_bytes())
    assert [sum(one["days"].values()) for one in kept.values()] == [5]


def test_changing_what_does_not_exist_is_told(keys) -> None:
    for attempt in (keys.rotate_master, keys.rotate_data_key, keys.unlock, keys.restore):
        with pytest.raises(VaultAbsent):
            attempt()
    keys.revoke("openai")
    assert keys.delete("openai").keys == 0
    assert keys.due_for_rotation(0) == []
    assert keys.verify_audit().ok


def test_a_network_file_system_is_warned_of(vault, monkeypatch) -> None:
    from llm_core.keys import disk

    vault.store(connection(), KEY)
    assert vault.status().warnings == ()
    monkeypatch.setattr(disk, "network_file_system", lambda path: "nfs4")
    assert "nfs4" in vault.status().warnings[0]


def test_a_hardened_process_leaves_no_core_and_closes_its_memory() -> None:
    if not sys.platform.startswith("linux"):
        needs.lacking("only Linux can close a process's memory")
    code = """
import ctypes, resource
from llm_core.keys.process import harden
dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
before = dumpable()
harden()
print(before, dumpable(), resource.getrlimit(resource.RLIMIT_CORE)[0])
"""
    assert in_child(code).stdout == "1 0 0\n"
