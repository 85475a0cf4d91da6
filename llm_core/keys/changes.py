"""Changes the entries of one connection in the vault, and writes down which key that was.

A deletion is as thorough as it can be, and says in words how thorough that was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, VaultLocked
from ..types import LLMProvider
from . import entries
from .document import Document, Entry
from .environment import target_of
from .secret import Secret
from .status import Deletion
from .vault import Draft, Event, Opened, Vault

if TYPE_CHECKING:
    from .reads import ReadCounts


def keep(vault: Vault, connection: LLMProvider, secret: Secret, what: str, *, grace: bool, note: str) -> None:
    """A new key in use. `grace`: the one before it is kept for now, else it is revoked."""

    def edit(opened: Opened) -> Draft:
        document, entry = entries.add(
            opened.document,
            opened.data,
            connection.name,
            connection.provider,
            target_of(connection),
            secret,
            grace=grace,
        )
        return Draft(document, _event(what, connection.name, entry, note))

    vault.change(edit)


def release(vault: Vault, name: str) -> None:
    """Revoke the key in grace, if there is one."""
    if any(isinstance(one, Entry) and one.state == "grace" for one in vault.look().of(name)):
        _change(vault, name, "released", lambda opened: entries.release(opened.document, opened.data, name))


def undo(vault: Vault, name: str) -> None:
    """Raises MissingKey where no key is in grace."""
    _change(vault, name, "undone", lambda opened: entries.undo(opened.document, opened.data, name)[0])


def revoke(vault: Vault, name: str) -> None:
    if vault.look().of(name):
        _change(vault, name, "revoked", lambda opened: entries.revoke(opened.document, opened.data, name))


def delete(vault: Vault, counts: ReadCounts, name: str) -> Deletion:
    """Remove all entries of a connection from the vault and its copy.

    Where the system's keyring keeps the master key, the data key and the master key are replaced in the same step:
    what old blocks of the disk still hold cannot be decrypted after that. Raises VaultError.
    """
    document = vault.look()
    gone = {one.id for one in document.of(name)}
    if not gone:
        return Deletion(name, 0, True, f"No key of {name} was kept.")
    event = _event("deleted", name, entries.active(document, name))
    erased = document.source.kind == "keyring" and _erase(vault, document.source.where, name, event)
    if vault.look().of(name):
        vault.change(lambda opened: Draft(entries.delete(opened.document, name), event, purge=True))
    counts.forget(gone)
    return Deletion(name, len(gone), erased, f"{_WHAT}{_ERASED if erased else _NOT_ERASED} {_WHAT_REMAINS}")


def with_new_data_key(opened: Opened, document: Document, event: Event) -> Draft:
    """The document sealed anew under a fresh data key. Raises InvalidInput for a damaged entry.

    Also while LLM_MANAGER_KEY is being changed: the new data key can be wrapped with the key at hand alone.
    """
    master = opened.master
    if master.id != document.master_key and document.source.kind == "environment":
        raise InvalidInput("LLM_MANAGER_KEY is being changed.", "Start this program with the new key first.")
    data = opened.data.renewed()
    document = entries.resealed(document, opened.data, data)
    document = dataclasses.replace(document, master_key=master.id, data_keys={master.id: master.wrap(data)})
    return Draft(document, event, data, purge=True)


def _change(vault: Vault, name: str, what: str, edit: Callable[[Opened], Document]) -> None:
    """No file keeps what is revoked by it. The event names the key in use after it, else the one before it."""

    def draft(opened: Opened) -> Draft:
        document = edit(opened)
        entry = entries.active(document, name) or entries.active(opened.document, name)
        return Draft(document, _event(what, name, entry), purge=True)

    vault.change(draft)


def _event(what: str, name: str, entry: Entry | None, note: str = "") -> Event:
    details: dict[str, Any] = {"connection": name, "note": note}
    if entry is not None:
        details |= {"entry": entry.id, "version": entry.version, "fingerprint": entry.fingerprint}
    return Event(what, details)


def _erase(vault: Vault, keyring: str, name: str, event: Event) -> bool:
    """False where the keyring cannot take a new key or give up the old one, or another entry is damaged."""
    try:
        vault.change_master(
            "keyring",
            lambda opened: with_new_data_key(opened, entries.delete(opened.document, name), event),
            where=keyring,
        )
    except (InvalidInput, VaultLocked):
        return False
    return not vault.home.vault_pending.exists()


_WHAT = "The key is gone from the vault and from its copy."
_ERASED = (
    " The keys that could decrypt older copies of it were replaced, so what the disk may still hold of it cannot be"
    " read, as long as the keyring really forgot the old key."
)
_NOT_ERASED = (
    " Disks, SSDs and backups may keep older copies; these stay encrypted, and the master key still opens them."
)
_WHAT_REMAINS = (
    "A running program may have it in memory until it ends. The provider still accepts it: revoke it there too."
)
