"""Where the vault's master key comes from. The source is chosen once and written in the vault; none is tried in turn.

To add one: a kind in `status.SOURCES`, how it gives the key (`recall`) and how it takes a new one (`prepare`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidInput, NoKeySource, VaultDamaged, VaultError, VaultKeyWrong, VaultLocked
from ..store.home import Home
from . import key_text, os_keyring
from .document import HOW_TO_RESTORE, Document, Source
from .envelope import Kdf, MasterKey
from .redaction import know
from .status import SOURCES, SourceChoice

SHORTEST_PASSPHRASE = 12


def recall(document: Document, passphrase: str | None) -> MasterKey:
    """The key that the vault's source gives now; whether it is the vault's own is for the caller to see.

    Raises VaultLocked, VaultKeyWrong, VaultDamaged.
    """
    source = document.source
    match source.kind:
        case "keyring":
            return _from_keyring(source.where, document)
        case "key_file":
            return MasterKey(key_text.from_file(key_file_at(source.where)), document.store)
        case "environment":
            return MasterKey(key_text.from_environment(), document.store)
        case "passphrase":
            return _from_passphrase(source.kdf, passphrase, document.store)
    raise VaultDamaged(f"The vault names a source of its key that does not exist: {source.kind}.", HOW_TO_RESTORE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A master key for a vault, not yet in use. `put` brings it to its source, where it is not there already.

    A keyring holds many keys, so the new one goes there before the vault is written. `last`: the source holds one key
    alone, so the vault is first made to open with the old and the new one, and the source changes last.
    """

    key: MasterKey
    source: Source
    put: Callable[[], None] | None = None
    last: bool = False


def prepare(
    kind: str,
    store: str,
    home: Home,
    *,
    where: str = "",
    passphrase: str | None = None,
    key_file: str | os.PathLike[str] | None = None,
    new_key: str | None = None,
    fresh: bool = False,
) -> Prepared:
    """A master key from a source of this kind.

    `where`: the keyring that the vault is made with; else the one in use here. `key_file`: where the key file is, or is
    to be made; `fresh`: with another key than is in it. `new_key`: the text that LLM_MANAGER_KEY will hold.

    Raises InvalidInput, NoKeySource, VaultLocked, VaultKeyWrong.
    """
    match kind:
        case "keyring":
            keyring = os_keyring.named(where) if where else os_keyring.chosen()
            key = MasterKey.random(store)
            return Prepared(key, Source(kind, keyring.where), lambda: keyring.put(key.id, _text_of(key)))
        case "key_file":
            return _prepare_file(store, home, key_file, fresh)
        case "environment":
            raw = key_text.from_environment() if new_key is None else key_text.parsed(new_key)
            return Prepared(MasterKey(raw, store), Source(kind, key_text.VARIABLE), last=new_key is not None)
        case "passphrase":
            kdf = Kdf(salt=os.urandom(16))
            return Prepared(MasterKey.from_passphrase(_checked(passphrase), kdf, store), Source(kind, kdf=kdf))
    raise InvalidInput(f"There is no key source {kind!r}.", f"Choose one of {', '.join((*SOURCES, 'session'))}.")


def usual() -> str:
    """The kind of source a new vault gets when nobody chose: what the environment names, else the keyring.

    Raises NoKeySource, which names the choices.
    """
    if os.environ.get(key_text.FILE_VARIABLE):
        return "key_file"
    if os.environ.get(key_text.VARIABLE):
        return "environment"
    try:
        os_keyring.chosen()
    except (NoKeySource, VaultError) as error:
        raise NoKeySource(f"There is no safe place here for the key of the vault. {error.message}", CHOICES) from None
    return "keyring"


def choices() -> list[SourceChoice]:
    """Every source, and whether it is to be had here. Asks the keyring."""
    try:
        where = os_keyring.chosen().where
        keyring = SourceChoice("keyring", True, f"Kept in {os_keyring.TRUSTED[where]}, unlocked when you log in.")
    except (NoKeySource, VaultError) as error:
        keyring = SourceChoice("keyring", False, error.message)
    named = os.environ.get(key_text.FILE_VARIABLE, "")
    return [
        keyring,
        SourceChoice("key_file", True, f"Kept in {named}." if named else "Kept in a file that only you can read."),
        SourceChoice(
            "environment",
            bool(os.environ.get(key_text.VARIABLE)),
            f"Given in {key_text.VARIABLE} at each start, as servers and containers do.",
        ),
        SourceChoice("passphrase", True, "Made from a passphrase that you type at each start. Nobody can recover it."),
    ]


def is_the_same(source: Source, kind: str, key_file: str | os.PathLike[str] | None) -> bool:
    """Whether a vault's source is already the one that is asked for."""
    return source.kind == kind and (not key_file or _path(key_file) == key_file_at(source.where))


def key_file_at(named: str) -> Path:
    """What the environment names counts more than what the vault remembers: the file may have moved."""
    chosen = os.environ.get(key_text.FILE_VARIABLE) or named
    if not chosen:
        raise InvalidInput("There is no key file.", f"Name it in {key_text.FILE_VARIABLE}.")
    return _path(chosen)


def retire(where: str, key_id: str) -> None:
    """Take a master key that is no longer in use out of its keyring. Raises VaultLocked."""
    os_keyring.named(where).delete(key_id)


def _from_keyring(where: str, document: Document) -> MasterKey:
    text = os_keyring.named(where).get(document.master_key)
    if text is None:
        raise VaultKeyWrong(
            f"{os_keyring.in_words(where)} does not hold this vault's master key.",
            "It may have been made new, or the vault come from another machine: unlock that keyring, or restore it.",
        )
    try:
        return MasterKey(key_text.parsed(text), document.store)
    except InvalidInput as error:
        raise VaultKeyWrong(f"The keyring: {error.message}") from None


def _from_passphrase(kdf: Kdf | None, passphrase: str | None, store: str) -> MasterKey:
    if kdf is None or not kdf.is_bearable():
        raise VaultDamaged("The vault asks for a passphrase in a way that no LLM Manager writes.", HOW_TO_RESTORE)
    if passphrase is None:
        raise VaultLocked("The vault opens with your passphrase.", "Give it with ws.keys.unlock(passphrase).")
    return MasterKey.from_passphrase(passphrase, kdf, store)


def _prepare_file(store: str, home: Home, named: str | os.PathLike[str] | None, fresh: bool) -> Prepared:
    path = key_file_at(os.fspath(named) if named else "")
    if named and path != _path(named):
        raise InvalidInput(f"{key_text.FILE_VARIABLE} names another key file: {path}.", "Change it, or leave it out.")
    if path.resolve().is_relative_to(home.path.resolve()):
        raise InvalidInput(f"{path} lies beside the vault that it opens.", "Keep the key file somewhere else.")
    source = Source("key_file", str(path))
    there = path.exists()
    if there and not fresh:
        return Prepared(MasterKey(key_text.from_file(path), store), source)
    text = key_text.new_key()
    return Prepared(
        MasterKey(key_text.parsed(text), store), source, lambda: key_text.write_file(path, text), last=there
    )


def _path(named: str | os.PathLike[str]) -> Path:
    return Path(named).expanduser().absolute()


def _checked(passphrase: str | None) -> str:
    if not passphrase or len(passphrase) < SHORTEST_PASSPHRASE:
        raise InvalidInput(
            f"A passphrase needs {SHORTEST_PASSPHRASE} letters or more.",
            "Four or five words that nobody else would pick.",
        )
    know(passphrase)
    return passphrase


def _text_of(key: MasterKey) -> str:
    return key_text.text_of(key.reveal())


CHOICES = (
    "Choose one: a system keyring (log in to a desktop that has one); a key file or variable"
    f" ({key_text.FILE_VARIABLE} or {key_text.VARIABLE}); or a passphrase (ws.keys.choose_source)."
    ' Or keep keys in memory only: ws.keys.choose_source("session").'
)
