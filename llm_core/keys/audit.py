"""The audit log: who changed which key when, one JSON line each, every line holding the hash of the line before it.

Never a key: connection, version, fingerprint. The vault keeps an anchor (the last line it knew), so that a log cut
short is noticed; the log keeps the vault's generation, so that an older vault put back is noticed. Both put back
together cannot be told. A crash in the middle of a line leaves a torn one: the next writer says so in a recovery line
that names the torn bytes by their hash, which is how it differs from a changed line.
"""

from __future__ import annotations

import getpass
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from ..errors import VaultBusy, VaultNotWritten
from . import disk

log = logging.getLogger(__name__)

_actor: ContextVar[str | None] = ContextVar("actor", default=None)
_BLOCK = 64 * 1024
_TORN = b"\x1e"
"""Ends torn bytes before the repair line begins, so that a repair cut off right there is known for what it is."""


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Changes made in this block are written down as made by `name`; otherwise by the system's user."""
    token = _actor.set(name)
    try:
        yield
    finally:
        _actor.reset(token)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends: the number and hash of its last whole line, and the vault's generation by then."""

    line: int = 0
    hash: str = ""
    generation: int = 0


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line. `at` is in UTC; `generation` is that of the vault after the event."""

    line: int
    at: datetime
    who: str
    what: str
    connection: str | None
    version: int | None
    fingerprint: str | None
    generation: int
    note: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a check of the whole log found. `recovered` counts torn lines that are explained; `problems` are not."""

    lines: int
    recovered: int
    problems: tuple[str, ...]
    head: Head

    @property
    def ok(self) -> bool:
        return not self.problems


class AuditLog:
    """Appends and reads `path`; writers queue at the lock file beside it."""

    def __init__(self, path: Path, lock: Path) -> None:
        self._path = path
        self._lock = lock

    def head(self) -> Head:
        return _tail(self._content_end())[0]

    def append(
        self,
        what: str,
        *,
        connection: str | None = None,
        entry: str | None = None,
        version: int | None = None,
        fingerprint: str | None = None,
        generation: int = 0,
        note: str = "",
    ) -> None:
        """Write one event down, durably. A log that cannot be written is a warning: the change itself stands."""
        event = {
            "connection": connection,
            "entry": entry,
            "version": version,
            "fingerprint": fingerprint,
            "note": note,
        }
        try:
            with disk.locked(self._lock):
                content = self._content_end()
                head, torn = _tail(content)
                lines = b"\n" if content and not content.endswith(b"\n") else b""
                if torn:
                    lines = _TORN + lines if lines else b""
                    repair = {"note": _NOTE_OF_REPAIR, "torn": {"bytes": len(torn), "sha256": _sha256(torn)}}
                    line, head = _line(head, "recovered", 0, repair)
                    lines += line
                line, _ = _line(head, what, generation, event)
                disk.append(self._path, lines + line)
        except (OSError, VaultBusy, VaultNotWritten) as error:
            log.warning("The audit log could not be written: %s", error)

    def events(self) -> list[AuditEvent]:
        """The readable lines, oldest first; `verify` tells whether they can be trusted."""
        found = (_parsed(line) for line in self._content().split(b"\n"))
        return [_event(line) for line in found if line is not None]

    def verify(self, anchor_line: int = 0, anchor_hash: str = "", generation: int = 0) -> AuditReport:
        """Follow the chain from its first line. With the vault's anchor and generation, also whether its end is there.

        One generation may be missing: a crash can come between the vault and its line, which the next change adds.
        """
        problems: list[str] = []
        lines = recovered = 0
        head = Head()
        torn: list[bytes] = []
        content = self._content()
        for number, raw in enumerate(content.split(b"\n"), 1):
            line = _parsed(raw)
            if line is None:
                torn.append(raw)
                continue
            if torn:
                if line["what"] == "recovered" and _explains(line, b"\n".join(torn)):
                    recovered += 1
                else:
                    problems.append(f"Line {number - 1} was changed, and no crash explains it.")
                torn = []
            if line["previous"] != head.hash or line["line"] != head.line + 1:
                problems.append(f"Line {number} does not follow from the line before it.")
            if line["what"] == "log_damaged":
                problems.append(f"Line {number}: {line['note']}")
            head = Head(line["line"], line["hash"], line["generation"])
            lines += 1
            if head.line == anchor_line and head.hash != anchor_hash:
                problems.append(f"Line {number} is not the line that the vault remembers.")
        if torn and not _torn(b"\n".join(torn)) and torn != [b""]:
            problems.append("The last line was changed, and no crash explains it.")
        if head.line < anchor_line:
            problems.append(f"The log ends at line {head.line}; the vault remembers line {anchor_line}.")
        if head.generation < generation - 1:
            problems.append(f"The log ends at generation {head.generation} of the vault, which is at {generation}.")
        return AuditReport(lines, recovered, tuple(problems), head)

    def holds(self, line: int, its_hash: str) -> bool:
        """Whether a line with that number and hash is in the log; line 0 always is."""
        if line == 0:
            return True
        for content in (self._content_end(), self._content()):
            for raw in reversed(content.split(b"\n")):
                found = _parsed(raw)
                if found is not None and found["line"] <= line:
                    return bool(found["line"] == line and found["hash"] == its_hash)
        return False

    def _content(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError:
            return b""

    def _content_end(self) -> bytes:
        """Enough of the file's end to hold its last whole line."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                length = _BLOCK
                while True:
                    file.seek(max(0, size - length))
                    content = file.read()
                    if length >= size or _tail(content)[0].line:
                        return content
                    length *= 4
        except OSError:
            return b""


def _tail(content: bytes) -> tuple[Head, bytes]:
    """The last whole line, and the torn bytes after it: those that a crash left, since no line end follows them, or
    the mark of a repair that a further crash cut off.
    """
    lines = content.split(b"\n")
    for at in range(len(lines) - 1, -1, -1):
        line = _parsed(lines[at])
        if line is not None:
            head = Head(line["line"], line["hash"], line["generation"])
            return head, _torn(b"\n".join(lines[at + 1 :]))
    return Head(), _torn(content)


def _torn(rest: bytes) -> bytes:
    return rest.removesuffix(_TORN + b"\n") if not rest.endswith(b"\n") or rest.endswith(_TORN + b"\n") else b""


def _line(head: Head, what: str, generation: int, event: dict[str, Any]) -> tuple[bytes, Head]:
    fields = {
        "line": head.line + 1,
        "at": datetime.now(UTC).isoformat(),
        "who": _actor.get() or _system_user(),
        "what": what,
        "generation": max(generation, head.generation),
        **{name: value for name, value in event.items() if value not in (None, "")},
        "previous": head.hash,
    }
    its_hash = _hash(fields)
    line = orjson.dumps({**fields, "hash": its_hash}) + b"\n"
    return line, Head(head.line + 1, its_hash, int(fields["generation"]))


def _parsed(raw: bytes) -> dict[str, Any] | None:
    """A line whose own hash is right; None for anything else."""
    try:
        line = orjson.loads(raw)
        claimed = line.pop("hash")
        if claimed != _hash(line) or type(line["line"]) is not int or type(line["generation"]) is not int:
            return None
        _ = line["what"], line["who"], datetime.fromisoformat(line["at"]), line["previous"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return {**line, "hash": claimed}


def _event(line: dict[str, Any]) -> AuditEvent:
    return AuditEvent(
        line=line["line"],
        at=datetime.fromisoformat(line["at"]),
        who=line["who"],
        what=line["what"],
        connection=line.get("connection"),
        version=line.get("version"),
        fingerprint=line.get("fingerprint"),
        generation=line["generation"],
        note=line.get("note", ""),
    )


def _explains(line: dict[str, Any], torn: bytes) -> bool:
    named = line.get("torn")
    return isinstance(named, dict) and named.get("sha256") == _sha256(torn.removesuffix(_TORN))


def _hash(fields: dict[str, Any]) -> str:
    return _sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


_NOTE_OF_REPAIR = "A crash left a torn line before this one."
