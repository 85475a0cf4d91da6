"""What the ledger consists of: numbered files, `manifest/000000123.json`, that are created once and never changed.

Creating the next number is the commit of a drain, a merge or a sweep: only one process can create it, lock or no lock.
The newest file that passes its checksum counts, so a damaged one costs nothing: the one before it is used, and what
was drained since is drained again from the spools, which outlive every manifest that is kept.

File format: the CRC-32 of the rest as eight hex digits, a newline, one JSON object.
"""

from __future__ import annotations

import logging
import os
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from .. import __version__
from ..errors import LedgerDamaged, LedgerTooNew
from ..store.home import Home
from .files import create_once
from .processes import this_process

FORMAT = 1
KEPT = 16
"""How many of the newest manifests are kept. A file that any of them names is not removed."""

_log = logging.getLogger(__name__)
_warned_about: set[Path] = set()


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """One immutable DuckDB file in `segments/`, holding one table `usage`. Times are UTC without a zone, as the column.

    `bytes` is the file's size and `blake2b` the hex digest (128 bits) of all its bytes. `name` is never used again.
    """

    name: str
    rows: int
    bytes: int
    min_started_at: datetime
    max_started_at: datetime
    columns_version: int
    blake2b: str

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "rows": self.rows,
            "bytes": self.bytes,
            "min_started_at": self.min_started_at.isoformat(),
            "max_started_at": self.max_started_at.isoformat(),
            "columns_version": self.columns_version,
            "blake2b": self.blake2b,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> SegmentInfo:
        """Raises KeyError, TypeError, ValueError."""
        times = {name: datetime.fromisoformat(document[name]) for name in ("min_started_at", "max_started_at")}
        return cls(**{**document, **times})


@dataclass(frozen=True, slots=True)
class SpoolMark:
    """How far a spool file is drained: all bytes before `offset`. `grown_at`: when that last moved, Unix seconds."""

    offset: int
    grown_at: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """One generation of the ledger.

    `trash` maps a replaced file to the time it was replaced (Unix seconds). A row is hidden from the view when, for any
    entry of `hidden`, each of its columns named there equals the value given: a deletion under way. `highest` is the
    highest number in the folder when this was loaded: above `generation` when newer files could not be read.
    """

    generation: int
    made_at: float
    made_by: str
    segments: tuple[SegmentInfo, ...] = ()
    spools: Mapping[str, SpoolMark] = field(default_factory=dict)
    trash: Mapping[str, float] = field(default_factory=dict)
    hidden: tuple[Mapping[str, str], ...] = ()
    highest: int = field(default=0, compare=False)

    @property
    def rows(self) -> int:
        """Rows in all segments, hidden ones too."""
        return sum(segment.rows for segment in self.segments)

    def offset(self, spool: str) -> int:
        """Bytes of a spool file that are drained."""
        mark = self.spools.get(spool)
        return mark.offset if mark else 0

    def next(
        self,
        *,
        segments: Iterable[SegmentInfo] | None = None,
        spools: Mapping[str, SpoolMark] | None = None,
        trash: Mapping[str, float] | None = None,
        hidden: Iterable[Mapping[str, str]] | None = None,
    ) -> Manifest:
        """The generation after this one, with what is given changed; `commit` makes it count."""
        return replace(
            self,
            generation=max(self.generation, self.highest) + 1,
            made_at=time.time(),
            made_by=f"{this_process()} {__version__}",
            segments=self.segments if segments is None else tuple(segments),
            spools=self.spools if spools is None else dict(spools),
            trash=self.trash if trash is None else dict(trash),
            hidden=self.hidden if hidden is None else tuple(hidden),
            highest=0,
        )


def numbers(home: Home) -> list[int]:
    """The numbers of the manifest files there are, newest first. Cheap: one listing."""
    found = (name[:-5] for name in _names(home.manifests) if name.endswith(".json"))
    return sorted((int(name) for name in found if name.isascii() and name.isdigit()), reverse=True)


def path_of(home: Home, number: int) -> Path:
    return home.manifests / f"{number:09d}.json"


def load_newest(home: Home) -> Manifest:
    """The newest manifest that passes its checksum; in a new home, an empty first one is made.

    Raises LedgerDamaged when there are segments or manifests and none of the manifests can be read, LedgerTooNew when
    the newest was written by a newer program.
    """
    while True:
        listed = numbers(home)
        for number in listed:
            try:
                manifest = load(home, number)
            except FileNotFoundError:
                break  # swept while we looked: newer ones exist
            except LedgerDamaged as error:
                _warn_once(path_of(home, number), error)
                continue
            return replace(manifest, highest=listed[0])
        else:
            _found_none(home, listed)


def load(home: Home, number: int) -> Manifest:
    """One manifest by its number. Raises FileNotFoundError, LedgerDamaged, LedgerTooNew."""
    path = path_of(home, number)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LedgerDamaged(f"{path.name} cannot be read: {error.strerror}.") from None
    checksum, _, body = content.partition(b"\n")
    if checksum != _checksum(body):
        raise LedgerDamaged(f"{path.name} does not match its checksum.")
    return _from_json(path, number, orjson.loads(body))


def commit(home: Home, manifest: Manifest) -> bool:
    """Make a manifest the newest generation, durably. False: another process committed this number first.

    After False nothing has happened: load the newest, do the work again on top of it, and try again. Raises OSError.
    """
    body = _to_json(manifest)
    return create_once(path_of(home, manifest.generation), _checksum(body) + b"\n" + body)


def _found_none(home: Home, listed: list[int]) -> None:
    """No manifest could be read: make the first one in a new ledger, refuse anything else rather than show it empty."""
    if not listed and not any(name.endswith(".duckdb") for name in _names(home.segments)):
        commit(home, Manifest(0, 0.0, "").next())
        return
    if not listed and numbers(home):
        return  # another process set the ledger up and drained while we looked
    raise LedgerDamaged(
        f"The ledger in {home.ledger} has segments but no readable manifest."
        if not listed
        else f"None of the {len(listed)} manifests in {home.manifests} can be read.",
        "No record is lost: run `llm-manager doctor --rebuild`.",
    )


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _checksum(body: bytes) -> bytes:
    return b"%08x" % zlib.crc32(body)


def _warn_once(path: Path, error: LedgerDamaged) -> None:
    if path not in _warned_about:
        _warned_about.add(path)
        _log.warning("%s The manifest before it is used.", error.message)


def _to_json(manifest: Manifest) -> bytes:
    return orjson.dumps(
        {
            "format": FORMAT,
            "generation": manifest.generation,
            "made_at": manifest.made_at,
            "made_by": manifest.made_by,
            "segments": [segment.to_json() for segment in manifest.segments],
            "spools": {name: [mark.offset, mark.grown_at] for name, mark in manifest.spools.items()},
            "trash": dict(manifest.trash),
            "hidden": [dict(entry) for entry in manifest.hidden],
        }
    )


def _from_json(path: Path, number: int, document: Any) -> Manifest:
    try:
        if document["format"] > FORMAT:
            raise LedgerTooNew(
                f"The ledger's {path.name} was written by a newer LLM Manager.", "Update this program to open it."
            )
        if document["generation"] != number:
            raise LedgerDamaged(f"{path.name} holds generation {document['generation']}.")
        return Manifest(
            generation=number,
            made_at=document["made_at"],
            made_by=document["made_by"],
            segments=tuple(SegmentInfo.from_json(segment) for segment in document["segments"]),
            spools={name: SpoolMark(*mark) for name, mark in document["spools"].items()},
            trash=document["trash"],
            hidden=tuple(document["hidden"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LedgerDamaged(f"{path.name} is not a manifest: {error!r}.") from None
