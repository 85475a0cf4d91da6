"""Keys of connections: kept encrypted in the vault, held in this process's memory, or found in the environment.

A held key comes before the vault, the vault before the environment. Nothing else of the program touches a key.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import InvalidInput, VaultAbsent, VaultError
from ..store.home import Home
from ..types import LLMProvider
from . import forms
from .environment import found_keys, target_of, variables_for
from .secret import Secret
from .status import Deletion, FoundKey, KeyEntry, SourceChoice, VaultStatus

if TYPE_CHECKING:
    from .audit import AuditEvent, AuditReport
    from .reads import ReadCounts
    from .vault import Vault

log = logging.getLogger(__name__)


class APIKeyManager:
    """Finds the key of a connection at the moment it is needed, and keeps those that it is given.

    The vault and its libraries are loaded only where there is a vault, or a key to store. Safe to share between
    threads; after a fork the child opens the vault anew.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._file, self._copy = home.vault, home.vault_copy
        self._held: dict[str, Secret] = {}
        self._bound: dict[str, tuple[str, str]] = {}
        self._session_only = False
        self._begin()

    # What calls use

    def key_for(self, connection: LLMProvider) -> str | None:
        """The key itself: give it to the client that needs it and keep no copy. None where there is none.

        A key belongs to the provider and host it was stored for, or, when held, first used with: it never reaches
        another host by an edit of the connection. Raises KeyBoundElsewhere for a stored key in that case, KeyDamaged,
        and VaultError where the vault cannot tell (it is locked, damaged ...): no other key is used in its place.
        """
        held = self._held_for(connection)
        if held is not None:
            return held.reveal()
        if self._may_be_kept(connection):
            from .lookup import key_in_vault

            kept = key_in_vault(self._vault(), self._counts(), connection)
            if kept is not None:
                return kept
        found = self._in_environment(connection)
        return found[1].reveal() if found else None

    def describe(self, connection: LLMProvider) -> tuple[str | None, str | None]:
        """Where the key comes from (`memory`, `vault` or `environment:NAME`) and its last four letters if long enough.

        Decrypts nothing and raises nothing: what cannot be read is `vault`, and `status` says why.
        """
        held = self._held_for(connection)
        if held is not None:
            return "memory", held.hint
        if self._may_be_kept(connection):
            from .lookup import described_in_vault

            kept = described_in_vault(self._vault(), connection)
            if kept is not None:
                return kept
        found = self._in_environment(connection)
        return (f"environment:{found[0]}", found[1].hint) if found else (None, None)

    def hold(self, connection_name: str, key: str) -> None:
        """Keep a key until this process ends, in place of any earlier one. Raises InvalidInput."""
        secret = Secret(key)
        with self._own_lock():
            self._held[connection_name] = secret
            self._bound.pop(connection_name, None)

    def forget(self, connection_name: str) -> None:
        """Drop a held key. One in the vault is removed by `delete`; one in the environment is not ours to remove."""
        with self._own_lock():
            self._held.pop(connection_name, None)
            self._bound.pop(connection_name, None)

    # What people do with keys

    def store(self, connection: LLMProvider, key: str) -> str:
        """Keep a key encrypted, for this connection's provider and host. An earlier one is revoked.

        The first key makes the vault, its master key from the source that was chosen, else the usual one. Returns where
        the key is: `vault`, or `memory` where session-only was chosen. Raises InvalidInput, NoKeySource, VaultError.
        """
        return self._keep(connection, key, "stored")

    def rotate(self, connection: LLMProvider, key: str) -> str:
        """Use another key from now on, in one step for every process. Test it first.

        The one before it stays in grace until `release`: calls that run have it already, and `undo_rotation` brings it
        back. Raises what `store` raises.
        """
        return self._keep(connection, key, "rotated", grace=True)

    def release(self, connection: LLMProvider | str) -> None:
        """Revoke the key in grace, if there is one: the calls that used it have ended."""
        if self._has_vault():
            from . import changes

            changes.release(self._vault(), _name(connection))

    def undo_rotation(self, connection: LLMProvider | str) -> None:
        """Back to the key in grace; the new one is revoked. Raises MissingKey where none is in grace, VaultError."""
        from . import changes

        changes.undo(self._vault(), _name(connection))

    def revoke(self, connection: LLMProvider | str) -> None:
        """Never hand out any kept key of this connection again: the keys go, when and which they were stays.

        The provider still takes it: revoke it there as well.
        """
        self.forget(_name(connection))
        if self._has_vault():
            from . import changes

            changes.revoke(self._vault(), _name(connection))

    def delete(self, connection: LLMProvider | str) -> Deletion:
        """Remove a connection's keys and their history. The answer says what that can promise. Raises VaultError."""
        name = _name(connection)
        self.forget(name)
        if not self._has_vault():
            return Deletion(name, 0, True, f"No key of {name} was kept.")
        from . import changes

        return changes.delete(self._vault(), self._counts(), name)

    def due_for_rotation(self, days: float) -> list[KeyEntry]:
        """The keys in use that are older than this, the oldest first."""
        due = [
            entry
            for entry in self.status().entries
            if entry.state == "active" and entry.age is not None and entry.age.total_seconds() > days * 86_400
        ]
        return sorted(due, key=lambda entry: str(entry.created))

    def form_problem(self, provider: str, key: str) -> str | None:
        """What is wrong with a key as typed, before anything is sent; None where nothing speaks against trying it."""
        return forms.form_problem(provider, key)

    def found_in_environment(self) -> list[FoundKey]:
        """Keys in the usual variables (OPENAI_API_KEY ...), for asking whether to import them. Nothing is stored."""
        return found_keys()

    def import_from_environment(self, name: str, connection: LLMProvider) -> str:
        """Store the key that a variable holds, on the person's word. Raises InvalidInput and what `store` raises."""
        if name not in variables_for(connection):
            raise InvalidInput(
                f"{name} is not meant for {connection.name}, which sends to {target_of(connection) or 'nobody'}.",
                "Import it into a connection of its own vendor.",
            )
        if not os.environ.get(name, "").strip():
            raise InvalidInput(f"{name} is not set.", "Set it and start again.")
        return self._keep(connection, os.environ[name], "imported", note=name)

    # The vault itself

    def status(self) -> VaultStatus:
        """How the vault stands and what is in it, without any key. Opens it where its source lets it."""
        if self._session_only:
            return VaultStatus(
                "session", "Keys stay in this program's memory and go when it ends.", "Nothing is written anywhere."
            )
        if not self._has_vault():
            return VaultStatus("absent", "No key was stored yet.", "The first one makes the vault.")
        from .report import status_of

        return status_of(self._vault(), self._counts().of_all())

    def sources(self) -> list[SourceChoice]:
        """What could keep the vault's master key here. Asks the keyring."""
        from .sources import choices

        return choices()

    def choose_source(
        self, kind: str, *, passphrase: str | None = None, key_file: str | os.PathLike[str] | None = None
    ) -> VaultStatus:
        """Say what keeps the master key: keyring, key_file, environment, passphrase; or `session` for memory only.

        A vault that exists is opened first and then wrapped anew. A key file that is not there is made.
        Raises InvalidInput, NoKeySource, VaultError.
        """
        self._session_only = kind == "session"
        if self._session_only:
            return self.status()
        from .sources import is_the_same
        from .vault import rewrapped

        vault = self._vault()
        how: dict[str, Any] = {"passphrase": passphrase, "key_file": key_file}
        try:
            source = vault.look().source
        except VaultAbsent:
            source = vault.create(kind, **how).document.source
        if not is_the_same(source, kind, key_file):
            vault.change_master(kind, rewrapped("source_changed", f"to {kind}"), **how)
        return self.status()

    def unlock(self, passphrase: str | None = None) -> None:
        """Open the vault for this process, with the passphrase where its source is one. Raises VaultError."""
        self._vault().open(passphrase)

    def lock(self) -> None:
        """Drop the opened vault from this process. A passphrase has to be given again; the other sources are asked."""
        if self._opened_vault is not None:
            self._opened_vault.lock()

    def rotate_master(self, *, passphrase: str | None = None, new_key: str | None = None) -> VaultStatus:
        """Replace the master key at its source. Provider keys are not touched. Raises InvalidInput, VaultError.

        `passphrase` is the new one, where that is the source. `new_key` is the new value of LLM_MANAGER_KEY, where that
        is: both values work until a program starts with the new one.
        """
        from .sources import key_file_at
        from .vault import rewrapped

        vault = self._vault()
        source = vault.look().source
        kind = source.kind
        if kind == "environment" and new_key is None:
            raise InvalidInput("The new key is missing.", "Make one with `llm-manager keys new-key` and give it here.")
        file = key_file_at(source.where) if kind == "key_file" else None
        how: dict[str, Any] = {"where": source.where, "passphrase": passphrase, "new_key": new_key, "key_file": file}
        vault.change_master(kind, rewrapped("master_rotated"), fresh=True, **how)
        return self.status()

    def rotate_data_key(self) -> VaultStatus:
        """Encrypt every key anew under a fresh data key, in one step. Raises InvalidInput for a damaged entry.

        After a suspected leak of the vault do this, `rotate_master`, and rotate the keys at their providers.
        """
        from .changes import with_new_data_key
        from .vault import Event

        self._vault().change(lambda opened: with_new_data_key(opened, opened.document, Event("data_key_rotated")))
        return self.status()

    def restore(self) -> VaultStatus:
        """Put the vault's copy in the place of a damaged one, which is kept. Raises VaultError, InvalidInput."""
        self._vault().restore()
        return self.status()

    def set_aside(self) -> VaultStatus:
        """Rename a vault that cannot be opened any more, so that a new one can be made. Nothing is deleted."""
        self._vault().set_aside()
        return self.status()

    def audit_log(self) -> list[AuditEvent]:
        """Every change, the oldest first."""
        return self._vault().audit.events()

    def verify_audit(self) -> AuditReport:
        """Check the audit log's chain, and against the vault where that can be read."""
        vault = self._vault()
        try:
            document = vault.look()
        except VaultError:
            return vault.audit.verify()
        return vault.audit.verify(document.anchor.line, document.anchor.hash, document.generation)

    def acting_as(self, name: str) -> AbstractContextManager[None]:
        """Changes made in a `with` block of this are written in the audit log as made by `name`."""
        from .audit import acting_as

        return acting_as(name)

    def close(self) -> None:
        """Write the counts of reads and drop the opened vault. The manager can be used again afterwards."""
        with self._own_lock():
            counts, vault = self._read_counts, self._opened_vault
        if counts is not None:
            counts.flush()
        if vault is not None:
            vault.lock()

    def __repr__(self) -> str:
        return f"APIKeyManager({str(self._home.path)!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Keys cannot be copied or pickled.")

    # Inside

    def _begin(self) -> None:
        """Fresh locks and no opened vault: at the start, and in the child after a fork."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._opened_vault: Vault | None = None
        self._read_counts: ReadCounts | None = None

    def _own_lock(self) -> threading.Lock:
        """This process's: one of the parent's may have been held, by a thread that is not here, at the fork."""
        if self._pid != os.getpid():
            self._begin()
        return self._lock

    def _vault(self) -> Vault:
        with self._own_lock():
            if self._opened_vault is None:
                from .vault import Vault

                self._opened_vault = Vault(self._home)
            return self._opened_vault

    def _counts(self) -> ReadCounts:
        with self._own_lock():
            if self._read_counts is None:
                from .reads import ReadCounts

                self._read_counts = ReadCounts(self._home)
                weakref.finalize(self, self._read_counts.flush)
            return self._read_counts

    def _has_vault(self) -> bool:
        """Whether there is one, or what is left of one."""
        return self._file.exists() or self._copy.exists()

    def _may_be_kept(self, connection: LLMProvider) -> bool:
        return connection.provider != "local" and self._has_vault()

    def _held_for(self, connection: LLMProvider) -> Secret | None:
        target = (connection.provider, target_of(connection))
        with self._own_lock():
            held = self._held.get(connection.name)
            return held if held is not None and self._bound.setdefault(connection.name, target) == target else None

    def _in_environment(self, connection: LLMProvider) -> tuple[str, Secret] | None:
        for name in variables_for(connection):
            if os.environ.get(name, "").strip():
                try:
                    return name, Secret(os.environ[name])
                except InvalidInput as error:
                    log.warning("%s is set but cannot be used. %s", name, error)
        return None

    def _keep(self, connection: LLMProvider, key: str, what: str, *, grace: bool = False, note: str = "") -> str:
        if isinstance(key, str) and forms.is_mask(key):
            raise InvalidInput("This is the hidden form of a key, not the key.", "Nothing was changed.")
        secret = Secret(key)
        if self._session_only:
            self.hold(connection.name, key)
            return "memory"
        from . import changes
        from .sources import usual

        vault = self._vault()
        if not self._has_vault():
            vault.create(usual())
        changes.keep(vault, connection, secret, what, grace=grace, note=note)
        self.forget(connection.name)
        return "vault"


def _name(connection: LLMProvider | str) -> str:
    return connection if isinstance(connection, str) else connection.name
