"""Secrets that belong to no connection, as the address of a channel: kept in the vault beside the keys, by name."""

from __future__ import annotations

from ..errors import NoKeySource
from ..types import LLMProvider
from .manager import APIKeyManager
from .status import SECRET_PREFIX


class NamedSecrets:
    """Keeps, gives and forgets them. What it gives is known to redaction."""

    def __init__(self, keys: APIKeyManager) -> None:
        self._keys = keys

    def keep(self, name: str, text: str) -> str:
        """Returns `vault`, or `memory` where nothing could keep the vault's master key: then it goes with this process.

        Raises InvalidInput for what holds blanks or letters outside ASCII, VaultError.
        """
        try:
            return self._keys.store(_place(name), text)
        except NoKeySource:
            self._keys.hold(_place(name).name, text)
            return "memory"

    def get(self, name: str) -> str | None:
        """None where there is none. Raises VaultError."""
        return self._keys.key_for(_place(name))

    def forget(self, name: str) -> None:
        """Raises VaultError."""
        self._keys.delete(_place(name))


def _place(name: str) -> LLMProvider:
    return LLMProvider(name=f"{SECRET_PREFIX}{name}", provider="secret")
