"""Keys of connections, from the environment or held in this process's memory. Nothing is written anywhere."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any, NoReturn

from ..errors import InvalidInput
from ..store.home import Home
from ..types import LLMProvider
from .environment import host_of, variables_for
from .secret import Secret

log = logging.getLogger(__name__)


class APIKeyManager:
    """Finds the key of a connection at the moment it is needed. A held key comes before the environment."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._held: dict[str, Secret] = {}
        self._bound: dict[str, tuple[str, str | None]] = {}

    def key_for(self, connection: LLMProvider) -> str | None:
        """The key itself: give it to the client that needs it and keep no copy. None where there is none.

        A held key belongs to the provider and host it was first used with. Once the connection points elsewhere the key
        has to be given again, so that it never reaches another host by an edit.
        """
        found = self._find(connection)
        return found[1].reveal() if found else None

    def describe(self, connection: LLMProvider) -> tuple[str | None, str | None]:
        """Where the key comes from (`memory` or `environment:NAME`) and its last four letters if it is long enough."""
        found = self._find(connection)
        return (found[0], found[1].hint) if found else (None, None)

    def hold(self, connection_name: str, key: str) -> None:
        """Keep a key until this process ends, in place of any earlier one. Raises InvalidInput."""
        secret = Secret(key)
        with self._lock:
            self._held[connection_name] = secret
            self._bound.pop(connection_name, None)

    def forget(self, connection_name: str) -> None:
        """Drop a held key. A key in the environment is not ours to remove."""
        with self._lock:
            self._held.pop(connection_name, None)
            self._bound.pop(connection_name, None)

    def __repr__(self) -> str:
        return f"APIKeyManager({str(self._home.path)!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Keys cannot be copied or pickled.")

    def _find(self, connection: LLMProvider) -> tuple[str, Secret] | None:
        target = (connection.provider, host_of(connection.base_url))
        with self._lock:
            held = self._held.get(connection.name)
            if held is not None and self._bound.setdefault(connection.name, target) == target:
                return "memory", held
        for name in variables_for(connection):
            if os.environ.get(name, "").strip():
                try:
                    return f"environment:{name}", Secret(os.environ[name])
                except InvalidInput as error:
                    log.warning("%s is set but cannot be used. %s", name, error)
        return None
