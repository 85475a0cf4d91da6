"""What may be known of the vault and its keys: the words and frozen objects that pages and the command line show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

VAULT_STATES = ("absent", "locked", "wrong_key", "corrupt", "too_new", "ok", "session")
"""`session`: keys stay in this process's memory, because somebody chose that. `absent`: nothing was stored yet."""
STATES_OF_KEYS = ("active", "grace", "revoked")
"""active: in use. grace: replaced, kept until it is released. revoked: its ciphertext is gone, its history stays."""
SOURCES = ("keyring", "key_file", "environment", "passphrase")
"""What can give the vault's master key."""


SECRET_PREFIX = "secret/"
"""Before the name of a secret that is no connection's key. No connection's name has a slash, so the two never meet."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One version of one connection's key in the vault, without the key.

    `state` is one of STATES_OF_KEYS, or `damaged`: it cannot be decrypted, and only its own connection suffers; the
    fields that cannot be trusted are then None. `reads` counts how often it was handed out, over all processes.
    """

    id: str
    connection: str
    state: str
    provider: str | None = None
    host: str | None = None
    version: int | None = None
    created: datetime | None = None
    changed: datetime | None = None
    last4: str | None = None
    fingerprint: str | None = None
    reads: int = 0
    reads_today: int = 0
    last_used: datetime | None = None

    @property
    def age(self) -> timedelta | None:
        return None if self.created is None else datetime.now(UTC) - self.created


@dataclass(frozen=True, slots=True)
class VaultStatus:
    """How the vault stands. `message` says it in a sentence, `hint` what to do; `warnings` are what else to know.

    While the vault is locked the entries are shown as the file tells them, unchecked.
    """

    state: str
    message: str
    hint: str = ""
    source: str | None = None
    where: str | None = None
    """Which keyring or file, where there is more to say than `source`."""
    generation: int | None = None
    entries: tuple[KeyEntry, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """One way to keep the master key, and whether this machine has it now."""

    kind: str
    available: bool
    explanation: str


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key in the environment that could be imported. `problem` says what looks wrong with it.

    `domain` is set for an OpenAI-compatible vendor (`provider` is then `compatible`): where the key belongs to.
    """

    name: str
    provider: str
    hint: str | None
    domain: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of a deleted key. `text` says it for a person, with what cannot be promised."""

    connection: str
    keys: int
    erased: bool
    """True when the keys that could open old copies of its ciphertext were replaced too."""
    text: str
