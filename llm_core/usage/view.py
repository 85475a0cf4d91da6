"""What the view `usage` is made of at one generation: segments and tail, without rows whose deletion is under way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from .database import Segment
from .manifest import Manifest, SegmentInfo
from .schema import COLUMNS
from .tail import Tail

_ALL = frozenset(COLUMNS)


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of the ledger that cannot be shown, for a banner. Times are UTC without a zone; None is unknown."""

    message: str
    hint: str
    rows: int | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One table behind the view. `sql` selects all its columns, hidden rows left out; `newest` is a started_at."""

    sql: str
    rows: int
    newest: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One state of the view. `lost` are segments of the manifest that are missing or damaged."""

    manifest: Manifest
    segments: tuple[Segment, ...]
    lost: tuple[SegmentInfo, ...]
    tail: Tail

    def sql(self) -> str:
        return " UNION ALL ".join(source.sql for source in self.sources(0, None))

    def sources(self, tail_rows: int, tail_newest: datetime | None) -> tuple[Source, ...]:
        return (
            Source(_select(self.tail.table, _ALL, self.manifest.hidden), tail_rows, tail_newest),
            *(
                Source(
                    _select(segment.table, segment.columns, self.manifest.hidden),
                    segment.info.rows,
                    segment.info.max_started_at,
                )
                for segment in self.segments
            ),
        )

    def problems(self) -> list[Problem]:
        return [*self._lost(), *self._waiting()]

    def _lost(self) -> Iterator[Problem]:
        for info in self.lost:
            yield Problem(
                f"The ledger's file {info.name} is missing or damaged; its {info.rows:,} records are not shown.",
                "Put the file back from a backup, or run `llm-manager doctor`.",
                info.rows,
                info.min_started_at,
                info.max_started_at,
            )

    def _waiting(self) -> Iterator[Problem]:
        for sentence in self.tail.problems:
            yield Problem(sentence, "Run `llm-manager doctor`.")
        if not self.tail.is_whole:
            yield Problem("Too many records wait to be drained; the newest are not shown yet.", "Drain the ledger.")


def _select(table: str, present: frozenset[str], hidden: tuple[Mapping[str, str], ...]) -> str:
    """All columns by name: an older segment lacks later ones, which are NULL there."""
    columns = ", ".join(
        f'"{name}"' if name in present else f'NULL::{kind} AS "{name}"' for name, kind in COLUMNS.items()
    )
    terms = [_is_hidden(entry) for entry in hidden if entry and entry.keys() <= present]
    where = " AND ".join(f"({term}) IS NOT TRUE" for term in terms)
    return f"SELECT {columns} FROM {table}" + (f" WHERE {where}" if where else "")


def _is_hidden(entry: Mapping[str, str]) -> str:
    """Whether all of an entry's columns equal its values. Names and values come from the manifest, made by us."""
    return " AND ".join(f'"{name}"::VARCHAR = {_literal(value)}' for name, value in entry.items())


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
