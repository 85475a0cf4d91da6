"""The operating system's keyring as a place for the master key.

Only keyrings that encrypt are used, by name: an installed package can put one in front that writes plain text, and one
environment variable one that keeps nothing. What is put in is read back. A keyring may ask the person for a password in
a window of its own, so each call has a limit in time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import NoKeySource, VaultLocked

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE = "llm-manager"
SECONDS = 15.0
TRUSTED = {
    "keyring.backends.SecretService.Keyring": "the desktop's Secret Service",
    "keyring.backends.libsecret.Keyring": "the desktop's Secret Service",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.kwallet.DBusKeyringKWallet4": "KWallet",
    "keyring.backends.macOS.Keyring": "the macOS Keychain",
    "keyring.backends.Windows.WinVaultKeyring": "the Windows Credential Manager",
}
"""Class of a backend -> what it is called. Each keeps its content encrypted for one person."""
_CHAINER = "keyring.backends.chainer.ChainerBackend"

_waiting: threading.Thread | None = None


class OSKeyring:
    """One trusted keyring, by the name of its class."""

    def __init__(self, where: str, backend: KeyringBackend) -> None:
        self.where = where
        self._backend = backend

    def get(self, name: str) -> str | None:
        """Raises VaultLocked."""
        return _in_time(lambda: self._backend.get_password(SERVICE, name))

    def put(self, name: str, secret: str) -> None:
        """Raises VaultLocked, also where the keyring gives back anything else than was put in."""
        _in_time(lambda: self._backend.set_password(SERVICE, name, secret))
        if self.get(name) != secret:
            raise VaultLocked(f"{in_words(self.where)} did not keep what was put in.", _OTHER_WAYS)

    def delete(self, name: str) -> None:
        """Nothing happens where it is not there. Raises VaultLocked."""
        if self.get(name) is not None:
            _in_time(lambda: self._backend.delete_password(SERVICE, name))


def in_words(where: str) -> str:
    """What a keyring is called, at the beginning of a sentence."""
    name = TRUSTED[where]
    return name[0].upper() + name[1:]


def chosen() -> OSKeyring:
    """The keyring that this machine and person have set up, when it is one of TRUSTED. Raises NoKeySource."""
    backend = _in_time(_current)
    for candidate in _with_chained(backend):
        if _name(candidate) in TRUSTED:
            return OSKeyring(_name(candidate), candidate)
    raise NoKeySource(f"There is no keyring here that encrypts (found: {_name(backend)}).", _OTHER_WAYS)


def named(where: str) -> OSKeyring:
    """The keyring that a vault was made with, even where another is preferred now. Raises VaultLocked."""
    for candidate in _in_time(_all) if where in TRUSTED else ():
        if _name(candidate) == where:
            return OSKeyring(where, candidate)
    raise VaultLocked(
        f"The vault's master key is in {TRUSTED.get(where, where)}, which cannot be reached here.",
        "Start it, or log in to the desktop that it belongs to.",
    )


def _current() -> KeyringBackend:
    import keyring

    return keyring.get_keyring()


def _all() -> list[KeyringBackend]:
    from keyring.backend import get_all_keyring

    return [*_with_chained(_current()), *get_all_keyring()]


def _with_chained(backend: KeyringBackend) -> list[KeyringBackend]:
    """A chainer asks several keyrings in turn; the one that would be used is looked for inside it."""
    return list(getattr(backend, "backends", ())) if _name(backend) == _CHAINER else [backend]


def _name(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _in_time(step: Callable[[], T]) -> T:
    """Run a call of the keyring in a thread and wait for SECONDS. Raises VaultLocked for whatever it raises.

    A call that still waits for the person is left alone; no second one is begun beside it.
    """
    global _waiting
    if _waiting is not None and _waiting.is_alive():
        raise VaultLocked("The keyring is still asking for its password.", "Answer its window, then try again.")
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(step())
        except BaseException as error:  # noqa: BLE001  # backends raise classes of their own libraries
            failed.append(error)

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(SECONDS)
    if thread.is_alive():
        _waiting = thread
        raise VaultLocked(
            f"The keyring did not answer within {SECONDS:.0f} seconds.",
            "It may be asking for its password in a window.",
        )
    if failed:
        raise _told(failed[0]) from None
    return done[0]


def _told(error: BaseException) -> VaultLocked:
    names = {kind.__name__ for kind in type(error).__mro__}
    if "KeyringLocked" in names:
        return VaultLocked("The keyring is locked.", "Unlock it with its own password, then try again.")
    return VaultLocked(
        f"The keyring cannot be used ({type(error).__name__}).", "Check that it runs and that this session may use it."
    )


_OTHER_WAYS = "Use a key file (LLM_MANAGER_KEY_FILE), a key in LLM_MANAGER_KEY, or a passphrase instead."
