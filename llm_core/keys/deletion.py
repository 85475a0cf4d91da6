"""Deletes keys, as thoroughly as it can, and says in words how thorough that was."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ..errors import InvalidInput, VaultAbsent, VaultLocked
from . import entries
from .status import Deletion
from .vault import Draft, Event, Opened, Vault

if TYPE_CHECKING:
    from .document import Document
    from .reads import ReadCounts


def delete_from(vault: Vault | None, counts: ReadCounts, name: str) -> Deletion:
    """Remove all entries of a connection from the vault and its copy.

    Where the system's keyring keeps the master key, the data key and the master key are replaced in the same step:
    what old blocks of the disk still hold cannot be decrypted after that. Raises VaultError.
    """
    document = _document(vault)
    gone = {one.id for one in document.of(name)} if document is not None else set()
    if vault is None or document is None or not gone:
        return Deletion(name, 0, True, f"No key of {name} was kept.")
    last = entries.active(document, name)
    told = {"version": last.version, "fingerprint": last.fingerprint} if last is not None else {}
    event = Event("deleted", {"connection": name, **told})
    erased = document.source.kind == "keyring" and _erase(vault, name, event)
    if not erased:
        vault.change(lambda opened: Draft(entries.delete(opened.document, name), event, purge=True))
    counts.forget(gone)
    return Deletion(name, len(gone), erased, f"{_WHAT}{_ERASED if erased else _NOT_ERASED} {_WHAT_REMAINS}")


def with_new_data_key(opened: Opened, document: Document, event: Event) -> Draft:
    """The document sealed anew under a fresh data key. Raises InvalidInput for a damaged entry."""
    data = opened.data.renewed()
    document = entries.resealed(document, opened.data, data)
    return Draft(
        dataclasses.replace(document, data_keys={opened.master.id: opened.master.wrap(data)}), event, data, purge=True
    )


def _erase(vault: Vault, name: str, event: Event) -> bool:
    """False where the keyring cannot take a new key now, or another entry is damaged and would be lost."""
    try:
        vault.change_master(
            "keyring", event, lambda opened: with_new_data_key(opened, entries.delete(opened.document, name), event)
        )
    except (InvalidInput, VaultLocked):
        return False
    return True


def _document(vault: Vault | None) -> Document | None:
    try:
        return None if vault is None else vault.look()
    except VaultAbsent:
        return None


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
