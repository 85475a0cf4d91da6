"""Reads the vault for people: its state in words, its entries with age and use, what else they should know."""

from __future__ import annotations

from ..errors import VaultError
from . import disk, entries
from .document import DamagedEntry, Document, Entry
from .reads import Reads
from .status import SECRET_PREFIX, KeyEntry, VaultStatus
from .vault import Opened, Vault

_SOURCE_IN_WORDS = {
    "keyring": "the system's keyring",
    "key_file": "a key file",
    "environment": "LLM_MANAGER_KEY",
    "passphrase": "your passphrase",
}


def status_of(vault: Vault, reads: dict[str, Reads]) -> VaultStatus:
    """Opens the vault where its source lets it, and raises nothing: what is wrong is the answer."""
    try:
        document = vault.look()
    except VaultError as error:
        return VaultStatus(error.state, error.message, error.hint)
    opened: Opened | None = None
    state, message, hint = "ok", f"Keys are kept encrypted; {_in_words(document)} opens them.", ""
    try:
        opened = vault.open()
        document = opened.document
    except VaultError as error:
        state, message, hint = error.state, error.message, error.hint
    keys = [entry for entry in document.entries if not entry.connection.startswith(SECRET_PREFIX)]
    listed = tuple(described(entry, opened, reads) for entry in keys)
    return VaultStatus(
        state=state,
        message=message,
        hint=hint,
        source=document.source.kind,
        where=document.source.where or None,
        generation=document.generation,
        entries=listed,
        warnings=tuple(_warnings(vault, document, opened, listed)),
    )


def described(entry: Entry | DamagedEntry, opened: Opened | None, reads: dict[str, Reads]) -> KeyEntry:
    """An entry without its key; `damaged` where it cannot be read, or, with the vault open, not be decrypted."""
    if isinstance(entry, DamagedEntry) or (opened is not None and entries.is_damaged(entry, opened.data)):
        return KeyEntry(entry.id, entry.connection, "damaged")
    used = reads.get(entry.id, Reads())
    return KeyEntry(
        id=entry.id,
        connection=entry.connection,
        state=entry.state,
        provider=entry.provider,
        host=entry.target,
        version=entry.version,
        created=entry.created,
        changed=entry.changed,
        last4=entry.last4,
        fingerprint=entry.fingerprint,
        reads=used.total,
        reads_today=used.today,
        last_used=used.last,
    )


def _in_words(document: Document) -> str:
    return _SOURCE_IN_WORDS.get(document.source.kind, document.source.kind)


def _warnings(vault: Vault, document: Document, opened: Opened | None, listed: tuple[KeyEntry, ...]) -> list[str]:
    found = []
    damaged = sorted({entry.connection for entry in listed if entry.state == "damaged"})
    if damaged:
        found.append(f"The keys of {', '.join(damaged)} cannot be decrypted. Type them again; the others are well.")
    if opened is not None and opened.master.id != document.master_key:
        found.append(_UNFINISHED.get(document.source.kind, "The change of the master key was not finished: repeat it."))
    if vault.audit.head().generation > document.generation:
        found.append("An older vault was put back: keys changed since then are the old ones.")
    if not vault.audit.holds(document.anchor.line, document.anchor.hash):
        found.append("The audit log was cut or changed: see `llm-manager keys audit`.")
    kind = disk.network_file_system(vault.home.path)
    if kind:
        found.append(f"The home lies on a network file system ({kind}), where file locks may not hold.")
    return found


_UNFINISHED = {"environment": "Set LLM_MANAGER_KEY to the new key; until every program has it, the old one works too."}
