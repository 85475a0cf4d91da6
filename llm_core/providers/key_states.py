"""What is known of connections' keys, told on the connections themselves: source, hint, age, and what is wrong.

A vault that is locked, damaged or gone, or one bad entry in it, makes red the connections that it concerns, and no
other. Nothing here raises: a page lists its connections whatever state their keys are in.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..errors import MissingKey
from ..types import LLMProvider
from .registry import REGISTRY, ProviderRow

if TYPE_CHECKING:
    from ..keys import APIKeyManager, KeyEntry, VaultStatus

KEYRING_PAUSE_SECONDS = 5.0
"""A keyring that did not open is left alone for so long: it may ask the person for a password each time."""
_CLOSED = ("locked", "wrong_key", "corrupt", "too_new")
_SOURCES = {"environment": "variable"}
"""Where the vault's word for what opens it could be taken for the source of a key."""
_FOUND_AT_READING = ("needs_key", "cannot_decrypt")


class KeyStates:
    """Looks at the keys of one workspace."""

    def __init__(self, keys: APIKeyManager) -> None:
        self._keys = keys
        self._refused: tuple[float, VaultStatus] | None = None

    def told(self, connections: Iterable[LLMProvider]) -> list[LLMProvider]:
        """Each with its key's source, hint and times, and in the state that follows from that."""
        found = [(connection, *self._keys.describe(connection)) for connection in connections]
        asks_vault = any(source == "vault" or connection.key_kept for connection, source, _ in found)
        status = self._status() if asks_vault else None
        return [_told(connection, source, hint, status) for connection, source, hint in found]

    def ask_again(self) -> None:
        """The person acts: a keyring that did not open before is asked at once."""
        self._refused = None

    def has_served_its_grace(self, name: str, grace: timedelta) -> bool:
        """Whether a key of this connection was replaced longer ago than `grace`, and is kept still."""
        return any(
            entry.connection == name
            and entry.state == "grace"
            and entry.changed is not None
            and datetime.now(UTC) - entry.changed >= grace
            for entry in self._status().entries
        )

    def _status(self) -> VaultStatus:
        if self._refused is not None and time.monotonic() < self._refused[0]:
            return self._refused[1]
        status = self._keys.status()
        refused = status.state == "locked" and status.source == "keyring"
        self._refused = (time.monotonic() + KEYRING_PAUSE_SECONDS, status) if refused else None
        return status


def missing_key(connection: LLMProvider, row: ProviderRow, *, is_tried: bool = False) -> MissingKey:
    """For a connection that is kept, or one that `connect` tries before it keeps it."""
    where = f" (made at {row.key_page})" if row.key_page else ""
    variable = f", or set {row.key_variable}" if row.key_variable and not connection.base_url else ""
    give = f'connect("{connection.provider}", key)' if is_tried else f'rotate("{connection.name}", key)'
    return MissingKey(
        f"The connection {connection.name} has no key.",
        f"Give it with ws.providers.{give}{variable}{where}.",
    )


def _told(connection: LLMProvider, source: str | None, hint: str | None, status: VaultStatus | None) -> LLMProvider:
    row = REGISTRY.get(connection.provider)
    known: dict[str, Any] = {"key_source": source, "key_hint": hint}
    trouble: tuple[str, str] | None = None
    if row is None:
        trouble = "error", f"This version knows no provider {connection.provider}."
    elif source == "vault" and status is not None:
        known, trouble = _in_vault(connection, status, known)
    elif source is None and connection.key_kept and status is not None and status.state == "absent":
        trouble = "cannot_decrypt", _GONE.format(name=connection.name)
    elif source is None and row.capabilities.needs_key:
        trouble = "needs_key", str(missing_key(connection, row))
    if trouble is None and connection.state in _FOUND_AT_READING:
        trouble = "untested", ""
    state, message = trouble or (connection.state, connection.message)
    if not connection.enabled:
        state = "disabled"
    return dataclasses.replace(connection, state=state, message=message, **known)


def _in_vault(
    connection: LLMProvider, status: VaultStatus, known: dict[str, Any]
) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """(what is known of its key, what is wrong with it) of a connection whose key is in the vault."""
    from ..keys.entries import damage_in_words
    from ..keys.environment import target_of

    if status.source is not None:
        known["key_source"] = _SOURCES.get(status.source, status.source)
    entry = _in_use(connection.name, status)
    if entry is not None and entry.state == "active":
        known |= {"key_made_at": entry.created, "key_used_at": entry.last_used}
    if status.state in _CLOSED:
        return known, ("cannot_decrypt", f"{status.message} {status.hint}".strip())
    if entry is None:
        return known, None
    if entry.state == "damaged":
        return known | {"key_hint": None}, ("cannot_decrypt", " ".join(damage_in_words(connection.name)))
    if (entry.provider, entry.host) != (connection.provider, target_of(connection)):
        told = f"Its key belongs to {entry.host or entry.provider} and is not sent elsewhere. Type the key again."
        return known, ("needs_key", told)
    return known, None


def _in_use(name: str, status: VaultStatus) -> KeyEntry | None:
    """The version in use; else a damaged one, which may have been it."""
    mine = [entry for entry in status.entries if entry.connection == name]
    active = [entry for entry in mine if entry.state == "active"]
    damaged = [entry for entry in mine if entry.state == "damaged"]
    return max(active, key=lambda entry: entry.version or 0) if active else next(iter(damaged), None)


_GONE = (
    "The vault that kept the key of {name} is gone. Put vault.json back from a backup into the home folder, or type the"
    " key again."
)
