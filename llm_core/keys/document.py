"""What stands in `vault.json`: read strictly, so that a changed byte is damage and never another key.

head       format, store id, generation, source of the master key, wrapped data keys, canary, anchor of the audit
           log, and the index: which entries there are, whose they are, and the nonce of their last sealing
checksum   SHA-256 of the head: tells damage from a wrong key even while the vault is locked
mac        HMAC of the head under the data key: tells a change made by somebody who does not hold it
entries    one key each; everything in an entry is bound to its ciphertext, so one bad entry stays one bad entry,
           and an older state of it, put back, does not fit the index
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson

from ..errors import VaultDamaged, VaultTooNew
from .envelope import NONCE_BYTES, DataKey, Kdf, Sealed, joined
from .status import STATES_OF_KEYS

FORMAT = 1
HOW_TO_RESTORE = "Put its previous copy back with `llm-manager keys restore`, or restore a backup."
_OUTSIDE_THE_HEAD = ("checksum", "mac", "entries")


@dataclass(frozen=True)
class Entry:
    """One version of one connection's key. A revoked one has lost its key: nothing is sealed in it."""

    id: str
    connection: str
    provider: str
    target: str
    """The only place it may be sent to, as `environment.target_of` writes it."""
    version: int
    state: str
    created: datetime
    changed: datetime
    last4: str | None
    fingerprint: str
    sealed: Sealed = field(repr=False)

    @cached_property
    def place(self) -> bytes:
        """All that stands beside the ciphertext, bound to it."""
        times = (self.created.isoformat(), self.changed.isoformat())
        names = (self.id, self.connection, self.provider, self.target)
        rest = (str(self.version), self.state, *times, self.last4 or "", self.fingerprint)
        return joined(str(FORMAT), *names, *rest)


@dataclass(frozen=True, slots=True)
class DamagedEntry:
    """An entry that cannot be read. It is written back as it is, until somebody deletes it."""

    id: str
    connection: str
    nonce: str
    raw: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the master key comes from: keyring, key_file, environment or passphrase; `where` names which of them."""

    kind: str
    where: str = ""
    kdf: Kdf | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far the audit log reached when the vault was last written: a log cut before this line is noticed."""

    line: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    store: str
    generation: int
    written: datetime
    source: Source
    master_key: str
    """The id of the master key in use."""
    data_keys: Mapping[str, Sealed]
    """The data key, wrapped, by the id of the master key that opens it. Two while a master key is being changed."""
    canary: Sealed
    anchor: Anchor = Anchor()
    entries: tuple[Entry | DamagedEntry, ...] = ()

    def of(self, connection: str) -> list[Entry | DamagedEntry]:
        return [entry for entry in self.entries if entry.connection == connection]


@dataclass(frozen=True, slots=True)
class Signed:
    """A document as it was read, with what its data key can check."""

    document: Document
    head: bytes = field(repr=False)
    mac: bytes = field(repr=False)

    def is_signed_by(self, key: DataKey) -> bool:
        return key.knows(self.document.canary) and key.signed(self.head, self.mac)


def encode(document: Document, key: DataKey) -> bytes:
    source = document.source
    head = {
        "format": FORMAT,
        "store": document.store,
        "generation": document.generation,
        "written": document.written.isoformat(),
        "source": {"kind": source.kind, "where": source.where, "kdf": _kdf_to_json(source.kdf)},
        "master_key": document.master_key,
        "data_keys": {name: _sealed_to_json(sealed) for name, sealed in document.data_keys.items()},
        "canary": _sealed_to_json(document.canary),
        "audit": {"line": document.anchor.line, "hash": document.anchor.hash},
        "index": [_place_to_json(entry) for entry in document.entries],
    }
    signed = _canonical(head)
    rest = {
        "checksum": _checksum(signed),
        "mac": key.sign(signed).hex(),
        "entries": [_entry_to_json(entry) for entry in document.entries],
    }
    return orjson.dumps(head | rest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def decode(content: bytes) -> Signed:
    """Raises VaultDamaged, VaultTooNew."""
    try:
        found = orjson.loads(content)
        if type(found["format"]) is int and found["format"] > FORMAT:
            raise VaultTooNew("The vault was written by a newer LLM Manager.", "Update this program to open it.")
        head = {name: value for name, value in found.items() if name not in _OUTSIDE_THE_HEAD}
        signed = _canonical(head)
        if found["checksum"] != _checksum(signed):
            raise VaultDamaged("The head of vault.json does not match its checksum.")
        document = _head_from_json(head, found["entries"])
        return Signed(document, signed, bytes.fromhex(found["mac"]))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise VaultDamaged("vault.json cannot be read as a vault.") from None


def _head_from_json(head: Mapping[str, Any], bodies: Any) -> Document:
    if head["format"] != FORMAT:
        raise ValueError
    source = head["source"]
    index = head["index"]
    if not isinstance(bodies, list) or len(bodies) != len(index):
        raise ValueError
    return Document(
        store=_text(head["store"]),
        generation=_number(head["generation"]),
        written=_time(head["written"]),
        source=Source(_text(source["kind"]), _text(source["where"]), _kdf_from_json(source["kdf"])),
        master_key=_text(head["master_key"]),
        data_keys={name: _sealed_from_json(value) for name, value in head["data_keys"].items()},
        canary=_sealed_from_json(head["canary"]),
        anchor=Anchor(_number(head["audit"]["line"]), _text(head["audit"]["hash"])),
        entries=tuple(
            _entry_from_json(_text(place["id"]), _text(place["connection"]), _text(place["nonce"]), body)
            for place, body in zip(index, bodies, strict=True)
        ),
    )


def _place_to_json(entry: Entry | DamagedEntry) -> dict[str, str]:
    nonce = entry.nonce if isinstance(entry, DamagedEntry) else _to_text(entry.sealed.nonce)
    return {"id": entry.id, "connection": entry.connection, "nonce": nonce}


def _entry_to_json(entry: Entry | DamagedEntry) -> Any:
    if isinstance(entry, DamagedEntry):
        return entry.raw
    return {
        "id": entry.id,
        "provider": entry.provider,
        "host": entry.target,
        "version": entry.version,
        "state": entry.state,
        "created": entry.created.isoformat(),
        "changed": entry.changed.isoformat(),
        "last4": entry.last4,
        "fingerprint": entry.fingerprint,
        **_sealed_to_json(entry.sealed),
    }


def _entry_from_json(entry_id: str, connection: str, nonce: str, body: Any) -> Entry | DamagedEntry:
    try:
        if (body["id"], body["nonce"]) != (entry_id, nonce) or body["state"] not in STATES_OF_KEYS:
            raise ValueError
        return Entry(
            id=entry_id,
            connection=connection,
            provider=_text(body["provider"]),
            target=_text(body["host"]),
            version=_number(body["version"]),
            state=body["state"],
            created=_time(body["created"]),
            changed=_time(body["changed"]),
            last4=None if body["last4"] is None else _text(body["last4"]),
            fingerprint=_text(body["fingerprint"]),
            sealed=_sealed_from_json(body),
        )
    except (KeyError, TypeError, ValueError):
        return DamagedEntry(entry_id, connection, nonce, body)


def _kdf_to_json(kdf: Kdf | None) -> Any:
    if kdf is None:
        return None
    return {
        "name": "argon2id",
        "salt": _to_text(kdf.salt),
        "memory_kib": kdf.memory_kib,
        "passes": kdf.passes,
        "lanes": kdf.lanes,
    }


def _kdf_from_json(found: Any) -> Kdf | None:
    if found is None:
        return None
    if found["name"] != "argon2id":
        raise ValueError
    return Kdf(
        _from_text(found["salt"]), _number(found["memory_kib"]), _number(found["passes"]), _number(found["lanes"])
    )


def _sealed_to_json(sealed: Sealed) -> dict[str, str]:
    return {"nonce": _to_text(sealed.nonce), "ciphertext": _to_text(sealed.ciphertext)}


def _sealed_from_json(found: Any) -> Sealed:
    sealed = Sealed(_from_text(found["nonce"]), _from_text(found["ciphertext"]))
    if len(sealed.nonce) != NONCE_BYTES:
        raise ValueError
    return sealed


def _to_text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _from_text(text: Any) -> bytes:
    try:
        return base64.b64decode(_text(text), validate=True)
    except binascii.Error:
        raise ValueError from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _time(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(_text(value)).astimezone(UTC)
    except OverflowError:
        raise ValueError from None


def _canonical(head: Mapping[str, Any]) -> bytes:
    return orjson.dumps(head, option=orjson.OPT_SORT_KEYS)


def _checksum(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()
