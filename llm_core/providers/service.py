"""Keeps the connections: makes, tests, changes and removes them, and hands out the adapter that carries their calls.

Keys go through it to `llm_core.keys` and stay there. A key that comes in is wrapped at once, so that no traceback of an
error shows it.
"""

from __future__ import annotations

import builtins
import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from types import EllipsisType
from typing import TYPE_CHECKING, Any

from ..errors import (
    InvalidConnection,
    LLMManagerError,
    MissingKey,
    NoKeySource,
    NoModelList,
    StoreError,
    UnknownConnection,
    VaultError,
)
from ..keys.secret import Secret
from ..keys.status import Deletion
from ..types import LLMModel, LLMProvider
from .adapters import Adapters
from .checks import checked
from .key_states import KeyStates, missing_key
from .protocol import Adapter, Deadline
from .rate_limit import RATE_LIMITS, RateLimit
from .registry import REGISTRY, find

if TYPE_CHECKING:
    from ..keys import APIKeyManager
    from ..settings import SettingsService
    from ..store.state import State

TEST_SECONDS = 20.0
TESTS_AT_ONCE = 8
GRACE = timedelta(days=1)
"""A replaced key can be brought back for so long (`ws.keys.undo_rotation`); the next test after that revokes it."""
Progress = Callable[[int, int, LLMProvider], object]
"""Told (how many are done, of how many, the one just done)."""


class ProviderService:
    """Connections of one workspace, shared by every process that has it open. Safe to use from many threads."""

    def __init__(self, state: State, keys: APIKeyManager, settings: SettingsService) -> None:
        self._state = state
        self._keys = keys
        self._settings = settings
        self._key_states = KeyStates(keys)
        self._adapters = Adapters()
        self._lock = threading.Lock()
        self._limits: dict[str, RateLimit] = {}

    def connect(
        self,
        provider: str,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        name: str | None = None,
        options: Mapping[str, Any] | None = None,
        test: bool = False,
    ) -> LLMProvider:
        """Save a connection, or change the one of that name; nothing is sent. `name` is the provider's when None.

        With `test` it is tried first, as `rotate` does: what the test brings is raised, and then nothing is saved.
        Nothing is sent without a key where one is needed: that is MissingKey.

        The key is kept in the vault. Where nothing could keep the vault's master key, it is kept in this process's
        memory, and `key_source` says so. Without `api_key` the key comes from the environment, where there is one.
        Raises UnknownProvider, InvalidConnection, InvalidInput for what cannot be a key, VaultError.
        """
        secret, api_key = _wrapped(api_key), None
        wanted = checked(name or provider, provider, base_url, options)
        trial = self._passed(wanted, secret or _wrapped(self._keys.key_for(wanted))) if test else None
        self._save(wanted, secret)
        if trial is not None:
            self._keep_trial(wanted.name, trial)
        return self.test(wanted.name) if find(provider).lists_at_once else self.get(wanted.name)

    def edit(
        self,
        name: str,
        *,
        base_url: str | EllipsisType | None = ...,
        options: Mapping[str, Any] | EllipsisType | None = ...,
        enabled: bool | None = None,
        api_key: str | None = None,
    ) -> LLMProvider:
        """Change what is given; the rest stays. A key stays with its host: for another one, give it again.

        Raises UnknownConnection, and what `connect` raises.
        """
        secret, api_key = _wrapped(api_key), None
        old = self._row(name)
        if base_url is not ... or options is not ... or secret is not None:
            address = old.base_url if isinstance(base_url, EllipsisType) else base_url
            chosen = old.options if isinstance(options, EllipsisType) else options
            self._save(checked(name, old.provider, address, chosen), secret)
        if enabled is not None:
            self._change(name, enabled=enabled)
        return self.get(name)

    def get(self, name: str) -> LLMProvider:
        """Raises UnknownConnection."""
        return self._key_states.told([self._row(name)])[0]

    def list(self) -> builtins.list[LLMProvider]:
        """All of them, the oldest first. What is wrong with a key is told on its connection, and never raised."""
        from . import connections

        with self._state.read() as transaction:
            found = [*connections.read(transaction)]
        return self._key_states.told(found)

    def test(self, name: str) -> LLMProvider:
        """Ask for the list of models, which costs nothing, and keep what came of it: state, message, models, time.

        Raises UnknownConnection and nothing for a test that fails: `state` and `message` of the answer tell.
        """
        connection = self._row(name)
        self._key_states.ask_again()
        trial = _tried(connection, lambda: self.adapter(name))
        self._keep_trial(name, trial)
        if connection.key_kept and trial.state == "connected" and self._key_states.has_served_its_grace(name, GRACE):
            with contextlib.suppress(VaultError):
                self._keys.release(name)
        return self.get(name)

    def test_all(self, progress: Progress | None = None) -> builtins.list[LLMProvider]:
        """Test every connection that is switched on, several at once; `progress` is called on this thread.

        The answer is the list of all. Raises StoreError where the outcome cannot be kept.
        """
        names = [connection.name for connection in self.list() if connection.enabled]
        with ThreadPoolExecutor(TESTS_AT_ONCE, "llm-manager-test") as pool:
            running = [pool.submit(self.test, name) for name in names]
            for done, one in enumerate(as_completed(running), start=1):
                with contextlib.suppress(UnknownConnection):  # disconnected meanwhile
                    found = one.result()
                    if progress is not None:
                        progress(done, len(names), found)
        return self.list()

    def rotate(self, name: str, api_key: str, *, test: bool = True) -> LLMProvider:
        """Use another key from now on, once the provider took it for a list of models; running calls keep theirs.

        The switch is one step for every process, and the key before it can be brought back for GRACE. `test=False` is
        for a provider that cannot be reached now. Raises UnknownConnection, InvalidInput, VaultError, and what the test
        brought (KeyRefused, Unreachable ...): then nothing was changed.
        """
        secret, api_key = Secret(api_key), ""
        connection = self._row(name)
        trial = self._passed(connection, secret) if test else None
        kept = self._keep(connection, secret, self._keys.rotate)
        self._change(name, key_kept=kept == "vault", state="untested", message="")
        if trial is not None:
            self._keep_trial(name, trial)
        return self.get(name)

    def import_key(self, name: str, variable: str) -> LLMProvider:
        """Keep the key that an environment variable holds in the vault; see `ws.keys.found_in_environment`.

        Raises UnknownConnection, InvalidInput, NoKeySource, VaultError.
        """
        kept = self._keys.import_from_environment(variable, self._row(name))
        self._change(name, key_kept=kept == "vault", state="untested", message="")
        return self.get(name)

    def disconnect(self, name: str) -> Deletion:
        """Forget the connection, its key and its list of models. What stays is said in `text` of the answer.

        Raises UnknownConnection.
        """
        from . import connections

        connection = self._row(name)
        try:
            deletion = self._keys.delete(name)
        except VaultError as error:
            told = f"Its key could not be deleted and stays in the vault, encrypted. {error}"
            deletion = Deletion(name, 0, False, told)
        with self._state.write() as transaction:
            connections.remove(transaction, name)
        self._adapters.retire(name)
        with self._lock:
            self._limits.pop(name, None)
        source, _, variable = (self._keys.describe(connection)[0] or "").partition(":")
        ambient = f" The key in {variable} is not ours to remove." if source == "environment" else ""
        return dataclasses.replace(deletion, text=f"{deletion.text}{ambient} Usage records stay.")

    def enable(self, name: str, on: bool) -> LLMProvider:
        """Let calls use it, or refuse them. Raises UnknownConnection."""
        return self.edit(name, enabled=on)

    def adapter(self, name: str) -> Adapter:
        """The way to its provider, kept until the connection or its key changes. A replaced one still ends its calls.

        Raises UnknownConnection, MissingKey, VaultError, MissingPackage, InvalidConnection.
        """
        version = self._state.version()
        connection = self._adapters.connection(name, version) or self._row(name)
        return self._adapters.get(connection, _wrapped(self._keys.key_for(connection)), version)

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
        self._adapters.close()

    def _row(self, name: str) -> LLMProvider:
        """The connection as it is kept: nothing is known of its key, and its state is what the last test found."""
        from . import connections

        with self._state.read() as transaction:
            for connection in connections.read(transaction, name):
                return connection
            known = ", ".join(connection.name for connection in connections.read(transaction))
        raise UnknownConnection(
            f"There is no connection {name!r}.",
            f"There are {known}." if known else "Connect a provider first: ws.providers.connect.",
        )

    def _save(self, wanted: LLMProvider, secret: Secret | None) -> None:
        """The key first: what it cannot be kept for is not saved. One kept in vain is deleted again."""
        from . import connections

        with self._state.read() as transaction:
            there = next(connections.read(transaction, wanted.name), None)
        if there is not None and there.provider != wanted.provider:
            raise InvalidConnection(
                f"The connection {wanted.name} is to {there.provider}.", "Disconnect it first, or choose another name."
            )
        kept = None if secret is None else self._keep(wanted, secret, self._keys.store)
        try:
            with self._state.write() as transaction:
                connections.save(transaction, wanted)
                if kept is not None:
                    connections.change(transaction, wanted.name, key_kept=kept == "vault")
        except LLMManagerError:
            if there is None and kept is not None:
                with contextlib.suppress(VaultError):
                    self._keys.delete(wanted.name)
            raise

    def _keep(self, connection: LLMProvider, secret: Secret, keep: Callable[[LLMProvider, str], str]) -> str:
        """Where the key is now: `vault`, or `memory` where there is no place for the vault's own key."""
        if connection.provider == "local":
            raise InvalidConnection("A model on this machine takes no key.", "Leave it out.")
        self._key_states.ask_again()
        try:
            return keep(connection, secret.reveal())
        except NoKeySource:
            self._keys.hold(connection.name, secret.reveal())
            return "memory"
        except LLMManagerError as error:
            raise _bare(error) from None

    def _passed(self, connection: LLMProvider, secret: Secret | None) -> _Trial:
        """Try a connection with a key, keeping nothing. Raises what the test brought."""
        row = find(connection.provider)
        if secret is None and row.capabilities.needs_key:
            raise missing_key(connection, row, is_tried=True)
        key = None if secret is None else secret.reveal
        trial = _tried(connection, lambda: row.factory()(connection, key and key()), True)
        if trial.error is not None:
            raise _bare(trial.error)
        return trial

    def _keep_trial(self, name: str, trial: _Trial) -> None:
        from . import connections

        with self._state.write() as transaction:
            connections.save_test(transaction, name, trial.state, trial.message, trial.models, trial.taken_ms)

    def _change(self, name: str, **values: Any) -> None:
        from . import connections

        with self._state.write() as transaction:
            connections.change(transaction, name, **values)


@dataclasses.dataclass(frozen=True, slots=True)
class _Trial:
    """What came of a test. `models` is None where the endpoint lists none, `error` where it was passed."""

    state: str
    message: str = ""
    models: builtins.list[LLMModel] | None = None
    taken_ms: float | None = None
    error: LLMManagerError | None = None


def _tried(connection: LLMProvider, adapter: Callable[[], Adapter], close: bool = False) -> _Trial:
    """Ask for the list of models. Raises StoreError, but for a key that the vault does not give."""
    row = REGISTRY.get(connection.provider)
    made: Adapter | None = None
    try:
        made = adapter()
        if row is not None:
            row.load_sdk()
        started = time.perf_counter()  # the provider's time, not that of our imports
        try:
            models, message = made.list_models(Deadline(TEST_SECONDS)), ""
        except NoModelList as error:
            models, message = None, str(error)
        return _Trial("connected", message, models, (time.perf_counter() - started) * 1000)
    except VaultError as error:
        return _Trial("cannot_decrypt", str(error), error=error)
    except StoreError:
        raise
    except LLMManagerError as error:
        return _Trial("needs_key" if isinstance(error, MissingKey) else "error", str(error), error=error)
    finally:
        if close and made is not None:
            made.close()


def _wrapped(key: str | None) -> Secret | None:
    return None if key is None else Secret(key)


def _bare(error: LLMManagerError) -> LLMManagerError:
    """Without the frames it came through, which hold the key, and without what lies behind it."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
