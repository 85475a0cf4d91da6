"""The vault file: opened, changed and re-keyed, each change one whole new generation under one lock.

Whatever state the file is in, nothing here makes a new vault where one stands, or writes over one it could not open.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from ..errors import InvalidInput, VaultAbsent, VaultDamaged, VaultError, VaultKeyWrong, VaultLocked, VaultNotWritten
from ..store.home import Home
from . import disk, sources
from .audit import AuditLog
from .document import HOW_TO_RESTORE, Anchor, Document, Signed, decode, encode
from .envelope import DataKey, InvalidTag, MasterKey
from .redaction import know

log = logging.getLogger(__name__)

_OPENING_TRIES = 5


@dataclass(frozen=True, slots=True)
class Opened:
    """A generation of the vault that its keys were checked against."""

    signed: Signed
    master: MasterKey
    data: DataKey

    @property
    def document(self) -> Document:
        return self.signed.document


@dataclass(frozen=True, slots=True)
class Event:
    """What a change is written down as in the audit log."""

    what: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """The next generation. `purge`: the copy is of it too, since the generation before holds what was removed."""

    document: Document
    event: Event
    data: DataKey | None = None
    """Another data key, which the document's wraps and entries already use."""
    purge: bool = False


Edit = Callable[[Opened], Draft]


def rewrapped(what: str, note: str = "") -> Edit:
    """For `change_master`: nothing else changes."""
    return lambda opened: Draft(opened.document, Event(what, {"note": note}), purge=True)


class Vault:
    """One process's view of a home's vault. Keeps its keys once opened, until `lock`. Safe to share between threads."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._file = home.vault
        self.audit = AuditLog(home.audit, home.audit_lock)
        self._lock = threading.RLock()
        self._seen: tuple[disk.Signature, Signed] | None = None
        self._opened: Opened | None = None
        self._told: set[tuple[str, int]] = set()

    def look(self) -> Document:
        """What the file says, its head checked for damage, nothing decrypted. Asks no source.

        Raises VaultAbsent, VaultDamaged, VaultTooNew, VaultLocked where the file cannot be read.
        """
        return self._look().document

    def open(self, passphrase: str | None = None) -> Opened:
        """The vault with its keys, which are asked of their source when this process has not got them.

        Raises what `look` raises, VaultLocked, VaultKeyWrong.
        """
        opened = self._opened
        if opened is not None and passphrase is None and opened.signed is self._look():
            return opened
        opened = self._open(passphrase)
        self._settle(opened)
        return opened

    def lock(self) -> None:
        """Drop the keys from this object; a passphrase has to be given again, other sources are asked again."""
        with self._lock:
            self._opened = None

    def create(self, kind: str, **how: Any) -> Opened:
        """Make the vault with a master key from this source, unless another was quicker. `how`: see sources.prepare."""
        with disk.locked(self.home.vault_lock):
            try:
                self._look()
            except VaultAbsent:
                self._create(kind, **how)
            opened = self._open(how.get("passphrase"))
        self._settle(opened)
        return opened

    def change(self, edit: Edit) -> Opened:
        """Make the next generation. `edit` gets the newest one, reread under the lock.

        Raises what `open` raises and VaultNotWritten, VaultBusy; then the vault is as it was.
        """
        with disk.locked(self.home.vault_lock):
            opened = self._open()
            self._note_gaps(opened.document)
            draft = edit(opened)
            return self._write(draft, opened.master, draft.data or opened.data)

    def change_master(self, kind: str, edit: Edit, **how: Any) -> Opened:
        """Like `change`, and the data key is wrapped with a new master key from a source of this kind.

        `how`: see sources.prepare. The old key is retired where it is ours. Crash-safe at each step: the vault opens
        with the old key, then with both or with the new one, and a key left over in the keyring is named in a note that
        the next opening clears away.
        """
        with disk.locked(self.home.vault_lock):
            old = self._open()
            self._note_gaps(old.document)
            draft = edit(old)
            data = draft.data or old.data
            new = sources.prepare(kind, old.document.store, self.home, **how)
            self._remember_pending(old.document, old.master.id, new)
            if new.put is not None and not new.last:
                new.put()
            wraps = {new.key.id: new.key.wrap(data)}
            if new.last:
                wraps[old.master.id] = old.master.wrap(data)
            document = dataclasses.replace(draft.document, source=new.source, master_key=new.key.id, data_keys=wraps)
            self._write(dataclasses.replace(draft, document=document), new.key, data)
            if new.last:
                with self._lock:
                    self._opened = None  # until the new key has reached its source, only the old one is sure
                if new.put is not None:
                    new.put()
        self._settle(self._open())
        return self._open()

    def restore(self) -> Document:
        """Put the copy in the place of a vault that is damaged or gone; the damaged file is kept beside it.

        Raises VaultAbsent where there is no copy, VaultDamaged where that is no better, InvalidInput for a good vault.
        """
        with disk.locked(self.home.vault_lock):
            try:
                self._open()
            except VaultDamaged:
                pass
            except (VaultLocked, VaultKeyWrong):
                raise InvalidInput("The vault is not damaged, only closed.", "Unlock it instead.") from None
            else:
                raise InvalidInput("The vault is not damaged.", "There is nothing to restore.")
            copy = _read_copy(self.home)
            if copy is None:
                raise VaultAbsent("There is no copy of the vault to restore.", "Store the keys again.")
            document = decode(copy).document
            if self.home.vault.exists():
                aside = self.home.vault.with_name(f"vault.damaged-{_stamp()}.json")
                self.home.vault.replace(aside)
            disk.replace(self.home.vault, copy)
            self.audit.append("restored", generation=document.generation)
            return document

    def set_aside(self) -> None:
        """Rename the vault and its copy, so that a new one can be made; they are kept, in case their key turns up."""
        with disk.locked(self.home.vault_lock):
            stamp = _stamp()
            for path in (self.home.vault, self.home.vault_copy):
                if path.exists():
                    path.replace(path.with_name(f"{path.stem}.aside-{stamp}.json"))
            self.lock()
            self.audit.append("set_aside", note=f"vault.aside-{stamp}.json")

    def _look(self) -> Signed:
        signature = disk.signature(self._file)
        seen = self._seen
        if seen is not None and seen[0] == signature:
            return seen[1]
        try:
            signed = decode(disk.read_private(self.home.vault))
        except FileNotFoundError:
            if self.home.vault_copy.exists():
                raise VaultDamaged(
                    "vault.json is gone, but its copy is there.", "Put it back with `llm-manager keys restore`."
                ) from None
            raise VaultAbsent("No key was stored yet.", "Connect a provider, and its key is kept encrypted.") from None
        except VaultDamaged as error:
            raise VaultDamaged(f"{error.message} It was left as it is.", HOW_TO_RESTORE) from None
        if signature is not None:
            self._seen = (signature, signed)
        return signed

    def _open(self, passphrase: str | None = None) -> Opened:
        with self._lock:
            tries = 0
            while True:
                tries += 1
                signed = self._look()
                try:
                    self._opened = self._unlock(signed, passphrase)
                except VaultError as error:
                    if tries < _OPENING_TRIES and self._look() is not signed:
                        continue  # another process changed it, or its key, while we looked
                    self._note_failure(error, signed.document)
                    raise
                if passphrase is not None and signed.document.source.kind == "passphrase":
                    know(passphrase)
                return self._opened

    def _unlock(self, signed: Signed, passphrase: str | None) -> Opened:
        if passphrase is None and self._opened is not None and self._opened.signed is signed:
            return self._opened
        document = signed.document
        master = self._opened.master if self._opened is not None and passphrase is None else None
        if master is None or master.id not in document.data_keys:
            master = sources.recall(document, passphrase)
        wrapped = document.data_keys.get(master.id)
        if wrapped is None:
            raise VaultKeyWrong(*_WRONG_KEY[document.source.kind])
        try:
            data = master.unwrap(wrapped, document.store)
        except InvalidTag:
            raise VaultDamaged("The vault's wrapped key was changed. It was left as it is.", HOW_TO_RESTORE) from None
        if not signed.is_signed_by(data):
            raise VaultDamaged(
                "The head of vault.json was changed by something that does not hold its key. It was left as it is.",
                HOW_TO_RESTORE,
            )
        return Opened(signed, master, data)

    def _create(self, kind: str, **how: Any) -> None:
        store = os.urandom(16).hex()
        new = sources.prepare(kind, store, self.home, **how)
        data = DataKey.random(store)
        document = Document(
            store=store,
            generation=0,
            written=datetime.now(UTC),
            source=new.source,
            master_key=new.key.id,
            data_keys={new.key.id: new.key.wrap(data)},
            canary=data.canary(),
        )
        self._remember_pending(document, None, new)
        if new.put is not None:
            new.put()
        self._write(Draft(document, Event("created", {"note": f"source: {kind}"})), new.key, data)

    def _write(self, draft: Draft, master: MasterKey, data: DataKey) -> Opened:
        """Put the draft in place as the next generation, read it back, and write its event down."""
        known = self.audit.head()
        document = dataclasses.replace(
            draft.document,
            generation=max(draft.document.generation, known.generation) + 1,
            written=datetime.now(UTC),
            anchor=Anchor(known.line, known.hash) if known.line else draft.document.anchor,
        )
        content = encode(document, data)
        home = self.home
        disk.sweep(home.vault, home.vault_copy, home.vault_pending)
        before = disk.read_private(home.vault) if home.vault.exists() else None
        if draft.purge or before is not None:
            disk.replace(home.vault_copy, content if draft.purge else before or b"")
        disk.replace(home.vault, content)
        try:
            opened = Opened(self._look(), master, data)
            whole = opened.signed.is_signed_by(master.unwrap(opened.document.data_keys[master.id], document.store))
        except (VaultError, InvalidTag, KeyError):
            whole = False
        if not whole:
            for path in (home.vault, home.vault_copy) if before is not None else ():
                disk.replace(path, before or b"")
            raise VaultNotWritten("The vault did not read back as it was written.", "Check the disk.")
        with self._lock:
            self._opened = opened
        self.audit.append(draft.event.what, generation=document.generation, **draft.event.details)
        return opened

    def _settle(self, opened: Opened) -> None:
        """End what a change of the master key left to do: drop the old wrap, delete unused keys from the keyring."""
        document = opened.document
        unfinished = len(document.data_keys) > 1 and opened.master.id == document.master_key
        if not unfinished and not self.home.vault_pending.exists():
            return
        try:
            with disk.locked(self.home.vault_lock, seconds=0):
                opened = self._open()
                document = opened.document
                if len(document.data_keys) > 1 and opened.master.id == document.master_key:
                    only = {opened.master.id: document.data_keys[opened.master.id]}
                    draft = Draft(dataclasses.replace(document, data_keys=only), Event("old_key_dropped"), purge=True)
                    opened = self._write(draft, opened.master, opened.data)
                self._sweep_keyring(opened)
        except VaultError as error:
            log.debug("Old master keys are left for the next opening: %s", error)

    def _remember_pending(self, document: Document, old: str | None, new: sources.Prepared) -> None:
        """Name the keys that the keyring may hold in vain if this process ends before it is done."""
        known = _read_pending(self.home)
        if document.source.kind == "keyring" and old is not None:
            known.append([document.source.where, old])
        if new.source.kind == "keyring":
            known.append([new.source.where, new.key.id])
        if known:
            disk.replace(self.home.vault_pending, orjson.dumps(known))

    def _sweep_keyring(self, opened: Opened) -> None:
        """Only after the vault was opened with its own key, and its copy needs no other one."""
        pending = _read_pending(self.home)
        used = set(opened.document.data_keys)
        if pending and not used >= _keys_of_copy(self.home):
            disk.replace(self.home.vault_copy, disk.read_private(self.home.vault))
        for where, key_id in pending:
            if key_id not in used:
                sources.retire(where, key_id)
        disk.remove(self.home.vault_pending)

    def _note_gaps(self, document: Document) -> None:
        """Write down where vault and audit log do not fit: a change that a crash left unlogged, or one put back."""
        known = self.audit.head()
        if not self.audit.holds(document.anchor.line, document.anchor.hash):
            note = f"The log was cut or changed: the vault remembers line {document.anchor.line}."
            self.audit.append("log_damaged", generation=document.generation, note=note)
        if known.generation > document.generation:
            note = f"The vault is of generation {document.generation}; the log knows {known.generation}."
            self.audit.append("rolled_back", generation=document.generation, note=note)
        elif known.generation < document.generation:
            note = f"Generation {document.generation} was written and a crash kept its line from the log."
            self.audit.append("recovered", generation=document.generation, note=note)

    def _note_failure(self, error: VaultError, document: Document) -> None:
        """Each kind of failed opening once for each generation: a page asks every few seconds."""
        if isinstance(error, (VaultKeyWrong, VaultDamaged)) and (error.kind, document.generation) not in self._told:
            self._told.add((error.kind, document.generation))
            self.audit.append("unlock_failed", note=error.kind)


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"


def _read_copy(home: Home) -> bytes | None:
    try:
        return disk.read_private(home.vault_copy)
    except FileNotFoundError:
        return None


def _keys_of_copy(home: Home) -> set[str]:
    """The master keys that the copy opens with; none where it cannot be read."""
    copy = _read_copy(home)
    try:
        return set() if copy is None else set(decode(copy).document.data_keys)
    except VaultError:
        return set()


def _read_pending(home: Home) -> list[list[str]]:
    try:
        found = orjson.loads(home.vault_pending.read_bytes())
        return [[str(where), str(key_id)] for where, key_id in found]
    except (OSError, TypeError, ValueError):
        return []


_WRONG_KEY = {
    "keyring": ("The keyring's key is not the one of this vault.", "Restore the keyring that it was made with."),
    "key_file": ("The key file holds another key than the one of this vault.", "Put the right file back."),
    "environment": ("LLM_MANAGER_KEY is not the key of this vault.", "Set the key that the vault was made with."),
    "passphrase": ("The passphrase is wrong.", "Try again; nobody can recover a lost one."),
}
