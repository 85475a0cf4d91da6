"""Keeps the connections: makes, tests and removes them, and hands out the adapter that carries their calls.

It never writes a key anywhere: keys belong to `llm_core.keys`.
"""

from __future__ import annotations

import builtins
import dataclasses
import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import (
    InvalidConnection,
    LLMManagerError,
    MissingKey,
    NoModelList,
    StoreError,
    UnknownConnection,
)
from ..types import PROVIDERS, LLMProvider
from .base_url import checked_base_url
from .protocol import Adapter, Deadline
from .rate_limit import RATE_LIMITS, RateLimit
from .registry import REGISTRY, ProviderRow, find

if TYPE_CHECKING:
    from ..keys import APIKeyManager
    from ..settings import SettingsService
    from ..store.state import State

TEST_SECONDS = 20.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class ProviderService:
    """Connections of one workspace, shared by every process that has it open. Safe to use from many threads."""

    def __init__(self, state: State, keys: APIKeyManager, settings: SettingsService) -> None:
        self._state = state
        self._keys = keys
        self._settings = settings
        self._lock = threading.Lock()
        self._adapters: dict[str, _Kept] = {}
        self._limits: dict[str, RateLimit] = {}
        self._salt = os.urandom(16)

    def connect(
        self,
        provider: str,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        name: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> LLMProvider:
        """Save a connection, or change the one of that name; nothing is sent. `name` is the provider's when None.

        Without `api_key` the key comes from the environment, where there is one. Raises UnknownProvider,
        InvalidConnection, InvalidInput for what cannot be a key.
        """
        row = find(provider)
        wanted = LLMProvider(
            name=_checked_name(name or provider, provider),
            provider=provider,
            base_url=_checked_address(row, base_url),
            options=_checked_options(options),
        )
        row.factory()(wanted, None).close()
        if api_key is not None:
            self._keys.hold(wanted.name, api_key)
        from . import connections

        with self._state.write() as transaction:
            connections.save(transaction, wanted)
        return self.test(wanted.name) if row.lists_at_once else self.get(wanted.name)

    def get(self, name: str) -> LLMProvider:
        """Raises UnknownConnection."""
        from . import connections

        with self._state.read() as transaction:
            for connection in connections.read(transaction, name):
                return self._with_key(connection)
            known = ", ".join(connection.name for connection in connections.read(transaction))
        raise UnknownConnection(
            f"There is no connection {name!r}.",
            f"There are {known}." if known else "Connect a provider first: ws.providers.connect.",
        )

    def list(self) -> builtins.list[LLMProvider]:
        """All of them, the oldest first."""
        from . import connections

        with self._state.read() as transaction:
            return [self._with_key(connection) for connection in connections.read(transaction)]

    def test(self, name: str) -> LLMProvider:
        """Ask for the list of models, which costs nothing, and keep what came of it: state, message, models, time.

        Raises UnknownConnection and nothing for a test that fails: `state` and `message` of the answer tell.
        """
        from . import connections

        row = REGISTRY.get(self.get(name).provider)
        state, message, models = "connected", "", None
        started = time.perf_counter()
        try:
            adapter = self.adapter(name)
            if row is not None:
                row.load_sdk()
            started = time.perf_counter()  # the provider's time, not that of our imports
            models = adapter.list_models(Deadline(TEST_SECONDS))
        except NoModelList as error:
            message = str(error)
        except StoreError:
            raise
        except LLMManagerError as error:
            state = "needs_key" if isinstance(error, MissingKey) else "error"
            message = str(error)
        taken_ms = (time.perf_counter() - started) * 1000 if state == "connected" else None
        with self._state.write() as transaction:
            connections.save_test(transaction, name, state, message, models, taken_ms)
        return self.get(name)

    def rotate(self, name: str, api_key: str) -> LLMProvider:
        """Use another key from now on; running calls keep theirs. Raises UnknownConnection, InvalidInput."""
        self.get(name)
        self._keys.hold(name, api_key)
        self._change(name, state="untested", message="")
        return self.get(name)

    def disconnect(self, name: str) -> None:
        """Forget the connection, its key and its list of models. Usage records stay. Raises UnknownConnection."""
        from . import connections

        self.get(name)
        with self._state.write() as transaction:
            connections.remove(transaction, name)
        self._keys.forget(name)
        self._retire(name)

    def enable(self, name: str, on: bool) -> LLMProvider:
        """Let calls use it, or refuse them. Raises UnknownConnection."""
        self.get(name)
        self._change(name, enabled=on)
        return self.get(name)

    def adapter(self, name: str) -> Adapter:
        """The way to its provider, kept until the connection or its key changes. A replaced one still ends its calls.

        Raises UnknownConnection, MissingKey, MissingPackage, InvalidConnection.
        """
        version = self._state.version()
        kept = self._adapters.get(name)
        connection = kept.connection if kept is not None and kept.seen == version else self.get(name)
        key = self._keys.key_for(connection)
        fingerprint = self._fingerprint(key)
        if kept is not None and kept.serves(connection, fingerprint):
            kept.seen = version
            return kept.adapter
        return self._replace(connection, key, fingerprint, version)

    def rate_limit(self, connection: LLMProvider) -> RateLimit | None:
        """What this process has asked of a connection of late, where its options limit that."""
        if not RATE_LIMITS & connection.options.keys():
            return None
        with self._lock:
            limit = self._limits.get(connection.name)
            if limit is None:
                limit = self._limits[connection.name] = RateLimit(connection)
        limit.follow(connection)
        return limit

    def close(self) -> None:
        """Close the adapters once their running calls have ended."""
        with self._lock:
            kept, self._adapters = self._adapters, {}
        for one in kept.values():
            one.adapter.close()

    def _replace(self, connection: LLMProvider, key: str | None, fingerprint: bytes, version: int) -> Adapter:
        row = find(connection.provider)
        if key is None and row.capabilities.needs_key:
            raise _missing_key(connection, row)
        with self._lock:
            kept = self._adapters.get(connection.name)
            if kept is not None and kept.serves(connection, fingerprint):
                return kept.adapter  # another thread was quicker
            adapter = row.factory()(connection, key)
            self._adapters[connection.name] = _Kept(connection, fingerprint, version, adapter)
        if kept is not None:
            kept.adapter.close()
        return adapter

    def _change(self, name: str, **values: Any) -> None:
        from . import connections

        with self._state.write() as transaction:
            connections.change(transaction, name, **values)

    def _retire(self, name: str) -> None:
        with self._lock:
            kept = self._adapters.pop(name, None)
        if kept is not None:
            kept.adapter.close()

    def _with_key(self, connection: LLMProvider) -> LLMProvider:
        """Told where its key comes from, and in the state that follows from that."""
        source, hint = self._keys.describe(connection)
        state, message = connection.state, connection.message
        row = REGISTRY.get(connection.provider)
        if row is None:
            state, message = "error", f"This version knows no provider {connection.provider}."
        elif source is None and row.capabilities.needs_key:
            state, message = "needs_key", str(_missing_key(connection, row))
        elif state == "needs_key":
            state, message = "untested", ""
        if not connection.enabled:
            state = "disabled"
        return dataclasses.replace(connection, key_source=source, key_hint=hint, state=state, message=message)

    def _fingerprint(self, key: str | None) -> bytes:
        """Tells two keys apart without keeping them."""
        return b"" if key is None else hashlib.blake2b(key.encode(), key=self._salt).digest()


@dataclass(slots=True)
class _Kept:
    """An adapter and what it was made for. `seen` is the version of the state at which that still held."""

    connection: LLMProvider
    fingerprint: bytes
    seen: int
    adapter: Adapter

    def serves(self, connection: LLMProvider, fingerprint: bytes) -> bool:
        mine = self.connection
        same = (mine.version, mine.base_url, mine.provider) == (
            connection.version,
            connection.base_url,
            connection.provider,
        )
        return same and self.fingerprint == fingerprint


def _missing_key(connection: LLMProvider, row: ProviderRow) -> MissingKey:
    where = f" (made at {row.key_page})" if row.key_page else ""
    variable = f", or set {row.key_variable}" if row.key_variable and not connection.base_url else ""
    return MissingKey(
        f"The connection {connection.name} has no key.",
        f'Give it with ws.providers.rotate("{connection.name}", key){variable}{where}.',
    )


def _checked_name(name: str, provider: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidConnection(
            f"A connection cannot be named {name!r}.",
            "Use up to 64 letters of a-z, digits, dot, dash and underscore, beginning with a letter or digit.",
        )
    if name in PROVIDERS and name != provider:
        raise InvalidConnection(f"{name!r} is the name of another provider.", "Choose a name of your own.")
    return name


def _checked_address(row: ProviderRow, base_url: str | None) -> str | None:
    """None stands for the vendor's own address."""
    if base_url is None:
        if row.capabilities.needs_base_url:
            raise InvalidConnection(f"{row.label} needs a base URL.", "As http://127.0.0.1:11434/v1.")
        return None
    if row.base_url is None and not row.capabilities.needs_base_url:
        raise InvalidConnection(f"{row.label} has no base URL.", "Leave it out.")
    checked = checked_base_url(base_url)
    return None if checked == row.base_url else checked


def _checked_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    try:
        return dict(json.loads(json.dumps(dict(options or {}), allow_nan=False)))
    except (TypeError, ValueError):
        raise InvalidConnection("Options must be what JSON can hold.", 'As {"api": "chat"}.') from None
