"""What is tried inside a session with a real keyring: one function for each case, run in a process of its own.

python -m tests.keys.keyring_cases HOME CASE; with several cases, each has a home of its own inside HOME
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import secretstorage
from jeepney import DBusAddress, new_method_call

from llm_core.errors import KeyDamaged, NoKeySource, VaultKeyWrong, VaultLocked
from llm_core.keys import APIKeyManager
from llm_core.keys.document import decode
from llm_core.store.home import Home, open_home
from tests.drills.keys import _in_keyring

from .vaults import KEY, OTHER, PASSPHRASE, connection, every_file

FIRST = "sk-first-0123456789abcdefIJKL"


def first_store(home: Home) -> None:
    """The keyring is the usual source; what it holds opens the vault and is nowhere else."""
    before = _in_keyring("keyring")
    keys = APIKeyManager(home)
    assert next(choice.available for choice in keys.sources())
    keys.store(connection(), KEY)
    status = keys.status()
    assert (status.state, status.source) == ("ok", "keyring")
    assert status.where == "keyring.backends.SecretService.Keyring"
    assert len(_in_keyring("keyring") - before) == 1
    assert not home.vault_pending.exists()
    master = keys._vault().open().master.reveal()
    for path, content in every_file(home).items():
        assert KEY.encode() not in content, path
        assert master not in content, path
    assert APIKeyManager(home).key_for(connection()) == KEY


def read(home: Home) -> None:
    assert APIKeyManager(home).key_for(connection()) == KEY


def locked(home: Home) -> None:
    """The keyring is there and closed: the vault says locked, and neither file nor keyring changes."""
    before = home.vault.read_bytes()
    keys = APIKeyManager(home)
    assert keys.status().state == "locked", keys.status()
    assert re.search("keyring|Secret Service", keys.status().message), keys.status()
    for attempt in (
        lambda: keys.key_for(connection()),
        lambda: keys.store(connection(), OTHER),
        lambda: keys.rotate(connection(), OTHER),
        lambda: keys.delete("openai"),
        keys.rotate_master,
        keys.unlock,
    ):
        with pytest.raises(VaultLocked):
            attempt()
    assert home.vault.read_bytes() == before
    assert keys.key_for(connection("other")) is None


def locked_first_run(home: Home) -> None:
    with pytest.raises((NoKeySource, VaultLocked)):
        APIKeyManager(home).store(connection(), KEY)
    assert not home.vault.exists()


def absent(home: Home) -> None:
    """No message bus, or no keyring on it."""
    locked(home)
    elsewhere = open_home(home.path.parent / "elsewhere")
    with pytest.raises(NoKeySource):
        APIKeyManager(elsewhere).store(connection(), KEY)
    assert not elsewhere.vault.exists()


def emptied(home: Home) -> None:
    """The keyring opens and the key is not in it, as after a new login password was set by force."""
    before = home.vault.read_bytes()
    keys = APIKeyManager(home)
    assert keys.status().state == "wrong_key", keys.status()
    with pytest.raises(VaultKeyWrong):
        keys.store(connection(), OTHER)
    assert home.vault.read_bytes() == before


def lifecycle(home: Home) -> None:
    """Master keys come and go with what is done, and the keyring holds only the one in use."""
    before = _in_keyring("keyring")
    keys = APIKeyManager(home)
    for name, key in (("openai", FIRST), ("b", OTHER)):
        keys.store(connection(name), key)
    first = _in_keyring("keyring") - before
    keys.rotate_master()
    second = _in_keyring("keyring") - before
    assert len(second) == 1
    assert not first & second
    old_vault = home.vault.read_bytes()
    gone = keys.delete("openai")
    assert (gone.keys, gone.erased) == (1, True), gone
    third = _in_keyring("keyring") - before
    assert len(third) == 1
    assert not second & third
    assert decode(home.vault_copy.read_bytes()).document.master_key in third
    assert APIKeyManager(home).key_for(connection("b")) == OTHER
    now = home.vault.read_bytes()
    home.vault.write_bytes(old_vault)  # the deleted key's old bytes cannot be opened any more
    assert APIKeyManager(home).status().state == "wrong_key"
    home.vault.write_bytes(now)
    keys.choose_source("passphrase", passphrase=PASSPHRASE)
    assert _in_keyring("keyring") == before
    keys.choose_source("keyring")
    assert APIKeyManager(home).key_for(connection("b")) == OTHER


def damaged_neighbour(home: Home) -> None:
    """A deletion does not erase more than it can: another entry that is damaged keeps its bytes."""
    keys = APIKeyManager(home)
    for name, key in (("openai", FIRST), ("b", OTHER)):
        keys.store(connection(name), key)
    content = home.vault.read_bytes()
    home.vault.write_bytes(content.replace(b'"last4": "QRST"', b'"last4": "AAAA"'))
    keys = APIKeyManager(home)
    assert keys.delete("openai").erased is False
    with pytest.raises(KeyDamaged):
        keys.key_for(connection("b"))
    home.vault.write_bytes(home.vault.read_bytes().replace(b'"last4": "AAAA"', b'"last4": "QRST"'))
    assert APIKeyManager(home).key_for(connection("b")) == OTHER


def gone_while_running(home: Home) -> None:
    """The keyring's program dies: who has the vault open goes on, who opens it anew finds it locked."""
    keys = APIKeyManager(home)
    assert keys.key_for(connection()) == KEY
    os.kill(_keyring_program(), signal.SIGKILL)
    assert keys.key_for(connection()) == KEY
    keys.store(connection("b"), OTHER)
    assert keys.key_for(connection("b")) == OTHER


def chained(home: Home) -> None:
    """A chainer in front: the trusted keyring inside it is used by its own name."""
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.chainer.ChainerBackend"
    keys = APIKeyManager(home)
    keys.store(connection(), KEY)
    assert keys.status().where == "keyring.backends.SecretService.Keyring"


def _keyring_program() -> int:
    """The process that answers for the keyring on this session's bus."""
    address = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    asked = new_method_call(address, "GetConnectionUnixProcessID", "s", ("org.freedesktop.secrets",))
    bus = secretstorage.dbus_init()
    try:
        return int(bus.send_and_get_reply(asked).body[0])
    finally:
        bus.close()


CASES: dict[str, Callable[[Home], None]] = {
    name: case
    for name, case in list(globals().items())
    if callable(case) and getattr(case, "__module__", "") == __name__ and not name.startswith("_")
}

if __name__ == "__main__":
    for name in sys.argv[2:]:
        CASES[name](open_home(sys.argv[1]) if len(sys.argv) == 3 else open_home(Path(sys.argv[1], name)))
