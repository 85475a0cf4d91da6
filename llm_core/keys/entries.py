"""What may become of the entries of a vault: one function for each change, from one document to the next.

Every entry that is still readable is sealed anew when anything beside its ciphertext changes, since all of it is bound.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from datetime import UTC, datetime

from ..errors import InvalidInput, KeyDamaged, MissingKey
from .document import DamagedEntry, Document, Entry
from .envelope import DataKey, InvalidTag, Sealed
from .secret import Secret

REVOKED_KEPT = 10
"""So many revoked versions of a connection's key stay as history."""

_NOTHING = Sealed(b"", b"")


def reveal(entry: Entry | DamagedEntry, key: DataKey) -> str:
    """The key in an entry; empty for a revoked one. Raises KeyDamaged."""
    try:
        if isinstance(entry, Entry):
            return key.open(entry.sealed, entry.place)
    except InvalidTag:
        pass
    raise KeyDamaged(*damage_in_words(entry.connection))


def damage_in_words(connection: str) -> tuple[str, str]:
    return (
        f"The key of {connection} cannot be decrypted: its entry in the vault was changed or is damaged.",
        f"Type the key of {connection} again. The other keys are not touched by this.",
    )


def is_damaged(entry: Entry | DamagedEntry, key: DataKey) -> bool:
    try:
        reveal(entry, key)
    except KeyDamaged:
        return True
    return False


def active(document: Document, connection: str) -> Entry | None:
    """The version in use, as the file tells it."""
    found = [entry for entry in document.of(connection) if isinstance(entry, Entry) and entry.state == "active"]
    return max(found, key=lambda entry: entry.version, default=None)


def add(
    document: Document, key: DataKey, connection: str, provider: str, target: str, secret: Secret, *, grace: bool
) -> tuple[Document, Entry]:
    """A new active version. The one before it stays in grace where that is asked, else it is revoked; older ones are.

    Damaged entries of the connection go: the new key takes their place.
    """
    now = datetime.now(UTC)
    older = _readable(document, key, connection)
    entry = Entry(
        id=os.urandom(8).hex(),
        connection=connection,
        provider=provider,
        target=target,
        version=max((entry.version for entry in older), default=0) + 1,
        state="active",
        created=now,
        changed=now,
        last4=secret.hint,
        fingerprint=key.fingerprint(secret.reveal()),
        sealed=_NOTHING,
    )
    entry = dataclasses.replace(entry, sealed=key.seal(secret.reveal(), entry.place))
    states = {"active": "grace" if grace else "revoked", "grace": "revoked", "revoked": "revoked"}
    kept = [_restated(one, key, states[one.state]) for one in older]
    return _with(document, connection, [*kept, entry]), entry


def release(document: Document, key: DataKey, connection: str) -> Document:
    """Revoke what is in grace."""
    kept = [
        _restated(one, key, "revoked") if isinstance(one, Entry) and one.state == "grace" else one
        for one in document.of(connection)
    ]
    return _with(document, connection, kept)


def undo(document: Document, key: DataKey, connection: str) -> tuple[Document, Entry]:
    """Back to the version in grace; the one in use is revoked. Raises MissingKey where there is none in grace."""
    states = {"active": "revoked", "grace": "active", "revoked": "revoked"}
    readable = _readable(document, key, connection)
    if not any(one.state == "grace" for one in readable):
        raise MissingKey(f"No earlier key of {connection} is kept.", "It was released, or the key was never rotated.")
    kept = [_restated(one, key, states[one.state]) for one in readable]
    found = next(one for one in kept if one.state == "active")
    return _with(document, connection, kept), found


def revoke(document: Document, key: DataKey, connection: str) -> Document:
    """No version of it may be used again: the keys go, their history stays. Damaged entries go."""
    kept = [_restated(one, key, "revoked") for one in _readable(document, key, connection)]
    return _with(document, connection, kept)


def delete(document: Document, connection: str) -> Document:
    return _with(document, connection, [])


def resealed(document: Document, old: DataKey, new: DataKey) -> Document:
    """Every entry under another data key. Raises InvalidInput for a damaged one: its bytes would be lost for good."""
    damaged = sorted({one.connection for one in document.entries if is_damaged(one, old)})
    if damaged:
        raise InvalidInput(
            f"The keys of {', '.join(damaged)} cannot be decrypted, so they cannot be encrypted anew.",
            "Type them again or delete them first.",
        )
    entries = tuple(
        dataclasses.replace(one, sealed=new.seal(reveal(one, old), one.place))
        for one in document.entries
        if isinstance(one, Entry)
    )
    return dataclasses.replace(document, entries=entries, canary=new.canary())


def _readable(document: Document, key: DataKey, connection: str) -> list[Entry]:
    return [one for one in document.of(connection) if isinstance(one, Entry) and not is_damaged(one, key)]


def _restated(entry: Entry, key: DataKey, state: str) -> Entry:
    if entry.state == state:
        return entry
    secret = "" if state == "revoked" else reveal(entry, key)
    entry = dataclasses.replace(entry, state=state, changed=datetime.now(UTC))
    return dataclasses.replace(entry, sealed=key.seal(secret, entry.place))


def _with(document: Document, connection: str, kept: Sequence[Entry | DamagedEntry]) -> Document:
    """With these as all entries of the connection, its oldest revoked ones dropped."""
    revoked = sorted(
        (one for one in kept if isinstance(one, Entry) and one.state == "revoked"), key=lambda one: one.version
    )
    dropped = {one.id for one in revoked[:-REVOKED_KEPT]}
    others = [one for one in document.entries if one.connection != connection]
    return dataclasses.replace(document, entries=(*others, *(one for one in kept if one.id not in dropped)))
