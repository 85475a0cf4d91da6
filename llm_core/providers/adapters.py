"""The adapters of connections, each kept until its connection or key changes. A replaced one still ends its calls."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass

from ..keys.secret import Secret
from ..types import LLMProvider
from .key_states import missing_key
from .protocol import Adapter
from .registry import find


class Adapters:
    """Safe to use from many threads. `version` is that of the state, at which what is kept of a connection holds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._salt = os.urandom(16)

    def connection(self, name: str, version: int) -> LLMProvider | None:
        """The connection that the kept adapter was made for, where nothing has changed since."""
        kept = self._kept.get(name)
        return kept.connection if kept is not None and kept.seen == version else None

    def get(self, connection: LLMProvider, secret: Secret | None, version: int) -> Adapter:
        """Raises MissingKey, MissingPackage, InvalidConnection."""
        mark = self._mark(secret)
        kept = self._kept.get(connection.name)
        if kept is not None and kept.serves(connection, mark):
            kept.seen = version
            return kept.adapter
        row = find(connection.provider)
        if secret is None and row.capabilities.needs_key:
            raise missing_key(connection, row)
        with self._lock:
            kept = self._kept.get(connection.name)
            if kept is not None and kept.serves(connection, mark):
                return kept.adapter  # another thread was quicker
            adapter = row.factory()(connection, None if secret is None else secret.reveal())
            self._kept[connection.name] = _Kept(connection, mark, version, adapter)
        if kept is not None:
            kept.adapter.close()
        return adapter

    def retire(self, name: str) -> None:
        with self._lock:
            kept = self._kept.pop(name, None)
        if kept is not None:
            kept.adapter.close()

    def close(self) -> None:
        with self._lock:
            kept, self._kept = self._kept, {}
        for one in kept.values():
            one.adapter.close()

    def _mark(self, secret: Secret | None) -> bytes:
        """Tells two versions of a key apart without keeping them."""
        return b"" if secret is None else hashlib.blake2b(secret.reveal().encode(), key=self._salt).digest()


@dataclass(slots=True)
class _Kept:
    """An adapter and what it was made for. `seen` is the version of the state at which that still held."""

    connection: LLMProvider
    mark: bytes
    seen: int
    adapter: Adapter

    def serves(self, connection: LLMProvider, mark: bytes) -> bool:
        mine = self.connection
        same = (mine.version, mine.base_url, mine.provider) == (
            connection.version,
            connection.base_url,
            connection.provider,
        )
        return same and self.mark == mark
