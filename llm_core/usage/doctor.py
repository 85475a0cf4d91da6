"""Checks that the ledger is whole, and reports what is not. Changes nothing; `rebuild` does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import LedgerDamaged
from ..store.home import Home, network_warning
from . import quarantine
from .database import attach
from .manifest import Manifest, SegmentInfo, load, load_newest, numbers
from .quarantine import BadLine
from .segment_file import extent, is_intact
from .spool import list_spools, undrained_bytes
from .staging import private_connection

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. An `error` means records that cannot be shown; a `warning` does not."""

    severity: Literal["error", "warning"]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What the ledger holds and what is wrong with it. `rows` are in segments, `waiting` are bytes not drained yet."""

    generation: int
    segments: int
    rows: int
    waiting: int
    findings: tuple[Finding, ...]
    quarantined: tuple[BadLine, ...]

    @property
    def is_damaged(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)


def verify(home: Home) -> Report:
    """Check every byte of the ledger: manifests, each segment's checksum, rows and columns, spools against their marks.

    Reads about a GB a second. Raises LedgerTooNew.
    """
    bad = quarantine.read(home)
    findings = [*_check_place(home), *_check_manifests(home), *_check_quarantine(bad)]
    try:
        newest = load_newest(home)
    except LedgerDamaged as error:
        findings.insert(0, Finding("error", error.message, error.hint))
        return Report(0, 0, 0, 0, tuple(findings), tuple(bad))
    findings += _check_segments(home, newest)
    findings += _check_spools(home, newest)
    waiting = undrained_bytes(home, newest.spools)
    return Report(newest.generation, len(newest.segments), newest.rows, waiting, tuple(findings), tuple(bad))


def _check_place(home: Home) -> Iterator[Finding]:
    told = network_warning(home)
    if told is not None:
        yield Finding("warning", *told)


def _check_manifests(home: Home) -> Iterator[Finding]:
    for number in numbers(home):
        try:
            load(home, number)
        except LedgerDamaged as error:
            yield Finding("warning", error.message, "An older manifest is used in its place; nothing is lost.")
        except FileNotFoundError:  # swept while we looked
            continue


def _check_quarantine(bad: list[BadLine]) -> Iterator[Finding]:
    if bad:
        yield Finding(
            "warning",
            f"{len(bad)} line(s) of the spools were no usage records, the last because: {bad[-1].reason}",
            "They are kept in the folder `quarantine` of the ledger.",
        )


def _check_segments(home: Home, manifest: Manifest) -> Iterator[Finding]:
    import duckdb

    hint = "Put the file back from a backup, or run `llm-manager doctor --rebuild`."
    with private_connection(home) as connection:
        for number, segment in enumerate(manifest.segments):
            told = f"{segment.name} ({segment.rows:,} records, {segment.min_started_at:%Y-%m-%d} to "
            told += f"{segment.max_started_at:%Y-%m-%d})"
            if not (home.segments / segment.name).exists():
                yield Finding("error", f"{told} is missing.", hint)
            elif not is_intact(home, segment):
                yield Finding("error", f"{told} does not match its checksum.", hint)
            else:
                try:
                    _read_all(connection, home, segment, f"s{number}")
                except (duckdb.Error, LedgerDamaged) as error:
                    yield Finding("error", f"{told} cannot be read: {error}", hint)


def _read_all(connection: DuckDBPyConnection, home: Home, segment: SegmentInfo, alias: str) -> None:
    """Read every column of every row. Raises duckdb.Error, LedgerDamaged."""
    table = attach(connection, home, segment, alias).table
    try:
        connection.execute(f"SELECT bit_xor(hash(r)) FROM {table} AS r").fetchall()
        if extent(connection, table) != (segment.rows, segment.min_started_at, segment.max_started_at):
            raise LedgerDamaged("it does not hold what the manifest says.")
    finally:
        connection.execute(f"DETACH {alias}")


def _check_spools(home: Home, manifest: Manifest) -> Iterator[Finding]:
    for spool in list_spools(home):
        drained = manifest.offset(spool.name)
        if spool.size < drained:
            yield Finding(
                "warning",
                f"The spool {spool.name} has {spool.size:,} bytes, yet {drained:,} were drained. It was cut.",
                "What was drained is in the ledger. Nothing more is read from this file.",
            )
