"""The vault's cryptography: a data key seals the provider keys, a master key wraps the data key.

AES-256-GCM with a fresh random nonce for each sealing. What is sealed is bound to where it stands: the associated data
are length-prefixed, so that no two places share them. Everything raised here is InvalidTag, without words; the vault
says what it means.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
_CANARY = b"llm-manager vault canary"

__all__ = ["KDF_BOUNDS", "DataKey", "InvalidTag", "Kdf", "MasterKey", "Sealed", "joined"]


@dataclass(frozen=True, slots=True)
class Sealed:
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Kdf:
    """Argon2id's cost. The default takes about a quarter of a second and 64 MiB."""

    salt: bytes
    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 4

    def is_bearable(self) -> bool:
        """Within what a file may ask of this machine. Checked before use: a changed file could ask for anything."""
        found = (len(self.salt), self.memory_kib, self.passes, self.lanes)
        return all(low <= value <= high for value, (low, high) in zip(found, KDF_BOUNDS, strict=True))


KDF_BOUNDS = ((16, 64), (19 * 1024, 1024 * 1024), (2, 16), (1, 16))
"""Salt bytes, KiB, passes, lanes: least and most."""


class MasterKey:
    """The key that wraps the data key. Only its id is ever shown."""

    __slots__ = ("_raw", "id")

    def __init__(self, raw: bytes, store: str) -> None:
        self._raw = raw
        self.id = _keyed(raw, b"llm-manager master key id", store.encode())[:16].hex()
        """Tells whether a key is the one that was used, apart from whether the file is whole."""

    @classmethod
    def random(cls, store: str) -> MasterKey:
        return cls(os.urandom(KEY_BYTES), store)

    @classmethod
    def from_passphrase(cls, passphrase: str, kdf: Kdf, store: str) -> MasterKey:
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        argon2 = Argon2id(
            salt=kdf.salt, length=KEY_BYTES, iterations=kdf.passes, lanes=kdf.lanes, memory_cost=kdf.memory_kib
        )
        return cls(argon2.derive(passphrase.encode()), store)

    def reveal(self) -> bytes:
        return self._raw

    def wrap(self, data_key: DataKey) -> Sealed:
        return _seal(AESGCM(self._raw), data_key.reveal(), self._place(data_key.store))

    def unwrap(self, wrapped: Sealed, store: str) -> DataKey:
        """Raises InvalidTag."""
        return DataKey(_open(AESGCM(self._raw), wrapped, self._place(store)), store)

    def _place(self, store: str) -> bytes:
        return joined(store, "data key", self.id)

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A master key cannot be copied or pickled.")


class DataKey:
    """The key that seals the provider keys of one vault and signs its head, and beside it the one for fingerprints."""

    __slots__ = ("_aead", "_here", "_marking", "_raw", "_signing", "store")

    def __init__(self, raw: bytes, store: str) -> None:
        if len(raw) != 2 * KEY_BYTES:
            raise InvalidTag
        self.store = store
        self._here = joined(store)
        self._raw = raw
        self._aead = AESGCM(raw[:KEY_BYTES])
        self._signing = _keyed(raw[:KEY_BYTES], b"llm-manager vault head")
        self._marking = raw[KEY_BYTES:]

    @classmethod
    def random(cls, store: str) -> DataKey:
        return cls(os.urandom(2 * KEY_BYTES), store)

    def renewed(self) -> DataKey:
        """Another key for sealing; fingerprints stay the same, so that the audit log can still be compared."""
        return DataKey(os.urandom(KEY_BYTES) + self._marking, self.store)

    def reveal(self) -> bytes:
        return self._raw

    def seal(self, secret: str, place: bytes) -> Sealed:
        """`place`: everything that stands beside it in the file, `joined`; it opens nowhere else."""
        return _seal(self._aead, secret.encode(), self._here + place)

    def open(self, sealed: Sealed, place: bytes) -> str:
        """Raises InvalidTag."""
        return _open(self._aead, sealed, self._here + place).decode()

    def canary(self) -> Sealed:
        return _seal(self._aead, _CANARY, self._here + joined("canary"))

    def knows(self, canary: Sealed) -> bool:
        """Whether this is the key that made it."""
        try:
            return _open(self._aead, canary, self._here + joined("canary")) == _CANARY
        except InvalidTag:
            return False

    def sign(self, head: bytes) -> bytes:
        return _keyed(self._signing, head)

    def signed(self, head: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.sign(head), signature)

    def fingerprint(self, secret: str) -> str:
        """Tells whether two keys are equal, to whoever holds the vault open; says nothing else of them."""
        return _keyed(self._marking, secret.encode())[:8].hex()

    def __repr__(self) -> str:
        return "DataKey(***)"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A data key cannot be copied or pickled.")


def _seal(aead: AESGCM, content: bytes, place: bytes) -> Sealed:
    nonce = os.urandom(NONCE_BYTES)
    return Sealed(nonce, aead.encrypt(nonce, content, place))


def _open(aead: AESGCM, sealed: Sealed, place: bytes) -> bytes:
    return aead.decrypt(sealed.nonce, sealed.ciphertext, place)


def _keyed(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA256 over the parts, each with its length before it."""
    return hmac.digest(key, b"".join(len(part).to_bytes(4, "big") + part for part in parts), hashlib.sha256)


def joined(*fields: str) -> bytes:
    """The fields with their lengths, so that ("ab", "c") and ("a", "bc") differ."""
    parts = [field.encode() for field in fields]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
