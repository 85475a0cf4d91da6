"""A master key that a person or an administrator provides: in a file, or in an environment variable.

32 random bytes in base64, and nothing that was made short, typed by hand or copied from a manual: a malformed key must
never become a weak one.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from itertools import pairwise
from pathlib import Path

from ..errors import InvalidInput, VaultKeyWrong, VaultLocked
from . import disk
from .redaction import know

FILE_VARIABLE = "LLM_MANAGER_KEY_FILE"
VARIABLE = "LLM_MANAGER_KEY"
BYTES = 32
_LONGEST_FILE = 4096
_MAKE_ONE = "Make one with `llm-manager keys new-key`."


def new_key() -> str:
    return text_of(os.urandom(BYTES))


def text_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def parsed(text: str) -> bytes:
    """The key's 32 bytes. Raises InvalidInput, without repeating the text."""
    text = text.strip()
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("The master key is not base64.", _MAKE_ONE) from None
    if len(raw) != BYTES:
        raise InvalidInput(f"The master key has {len(raw)} bytes and must have {BYTES}.", _MAKE_ONE)
    if text_of(raw) != text:
        raise InvalidInput("The master key is not base64 in its usual form.", _MAKE_ONE)
    if _is_weak(raw):
        raise InvalidInput("The master key is not random: it was typed, repeated or counted up.", _MAKE_ONE)
    know(text)
    return raw


def from_environment() -> bytes:
    """Raises VaultLocked where the variable is not set, VaultKeyWrong for what cannot be a key."""
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        raise VaultLocked(f"The vault opens with the key in {VARIABLE}, which is not set.", "Set it and start again.")
    try:
        return parsed(text)
    except InvalidInput as error:
        raise VaultKeyWrong(f"{VARIABLE}: {error.message}", error.hint) from None


def from_file(path: Path) -> bytes:
    """Raises VaultLocked where the file is not there or others can read it, VaultKeyWrong for what cannot be a key."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise VaultLocked(f"The key file {path} is not a file.", _MAKE_ONE)
        with path.open("rb") as file:
            _require_private(path, os.fstat(file.fileno()))
            content = file.read(_LONGEST_FILE + 1)
    except OSError as error:
        raise VaultLocked(
            f"The key file {path} cannot be read: {error.strerror}.", f"Name it in {FILE_VARIABLE}, or put it back."
        ) from None
    try:
        if len(content) > _LONGEST_FILE:
            raise InvalidInput("It is too long to be a key.", _MAKE_ONE)
        return parsed(content.decode("ascii", "replace"))
    except InvalidInput as error:
        raise VaultKeyWrong(f"{path}: {error.message}", error.hint) from None


def write_file(path: Path, text: str) -> None:
    """Put a key into its file, 0600; what was there stands until the new one is on disk. Raises VaultNotWritten."""
    disk.sweep(path)
    disk.replace(path, text.encode() + b"\n")


def _require_private(path: Path, found: os.stat_result) -> None:
    if os.name == "nt":
        return
    if found.st_uid not in (os.geteuid(), 0):
        raise VaultLocked(f"The key file {path} belongs to another user.", "It must be your own.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise VaultLocked(f"Others can read the key file {path}.", f"Close it with: chmod 600 {path}")


def _is_weak(raw: bytes) -> bool:
    """Of 32 random bytes about 30 differ; fewer than 16, equal steps, or letters only do not happen by chance."""
    steps = {(after - before) % 256 for before, after in pairwise(raw)}
    return len(set(raw)) < 16 or len(steps) == 1 or all(32 <= byte < 127 for byte in raw)
