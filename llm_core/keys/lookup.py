"""Finds a connection's key in the vault. It answers for its own connections alone, and never with another key."""

from __future__ import annotations

from ..errors import KeyBoundElsewhere, VaultError
from ..types import LLMProvider
from . import entries
from .document import DamagedEntry
from .environment import target_of
from .reads import ReadCounts
from .redaction import know
from .vault import Vault


def key_in_vault(vault: Vault, counts: ReadCounts, connection: LLMProvider) -> str | None:
    """The key in use, counted as read; None where the vault has none for this connection.

    Raises KeyBoundElsewhere where it belongs to another provider or host, KeyDamaged, and VaultError where the vault
    cannot be read or opened.
    """
    if not vault.look().of(connection.name):
        return None
    opened = vault.open()
    entry = entries.active(opened.document, connection.name)
    if entry is None:
        for one in opened.document.of(connection.name):
            entries.reveal(one, opened.data)  # one that cannot be read may have been the one in use
        return None
    key = entries.reveal(entry, opened.data)
    know(key)
    now = (connection.provider, target_of(connection))
    if now != (entry.provider, entry.target):
        raise KeyBoundElsewhere(
            f"The key kept for {connection.name} belongs to {entry.target or entry.provider}"
            f" and is not sent to {now[1] or now[0]}.",
            "Type the key for the new address.",
        )
    counts.count(entry.id)
    return key


def described_in_vault(vault: Vault, connection: LLMProvider) -> tuple[str, str | None] | None:
    """(`vault`, the last four letters) without opening it; None where the vault has no key for this connection."""
    try:
        document = vault.look()
    except VaultError:
        return "vault", None
    entry = entries.active(document, connection.name)
    if entry is not None:
        return "vault", entry.last4
    damaged = any(isinstance(one, DamagedEntry) for one in document.of(connection.name))
    return ("vault", None) if damaged else None
