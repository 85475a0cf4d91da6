"""What the view `usage` is made of at one generation: segments and tail, without rows whose deletion is under way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
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
    """One table behind the view: its size, its oldest and newest `started_at`, and the columns that it has."""

    table: str
    present: frozenset[str]
    hidden: tuple[Mapping[str, str], ...]
    rows: int
    oldest: datetime | None
    newest: datetime | None

    def overlaps(self, start: datetime | None, end: datetime | None) -> bool:
        """Whether it can hold rows that began at `start` or later and before `end`; None is unbounded."""
        if self.oldest is None or self.newest is None:
            return False
        return (start is None or self.newest >= start) and (end is None or self.oldest < end)

    def select(self, columns: Iterable[str], *further: str, rows: tuple[int, int] | None = None) -> str:
        """A SELECT of some columns and further expressions, without the rows whose deletion is under way.

        An older segment lacks later columns: they are NULL there. `rows` are the first and the last row number wanted.
        """
        names = (f'"{name}"' if name in self.present else f'NULL::{COLUMNS[name]} AS "{name}"' for name in columns)
        terms = [
            f"({_is_hidden(entry)}) IS NOT TRUE" for entry in self.hidden if entry and entry.keys() <= self.present
        ]
        if rows is not None:
            terms.append(f"rowid BETWEEN {rows[0]} AND {rows[1]}")
        where = f" WHERE {' AND '.join(terms)}" if terms else ""
        return f"SELECT {', '.join((*names, *further))} FROM {self.table}{where}"


def joined(sources: Iterable[Source], columns: Collection[str]) -> str:
    """The rows of several sources, some columns only. Each column takes 10 µs a file, so few of them are quick."""
    return " UNION ALL ".join(source.select(columns) for source in sources)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One state of the view. `lost` are segments of the manifest that are missing or damaged."""

    manifest: Manifest
    segments: tuple[Segment, ...]
    lost: tuple[SegmentInfo, ...]
    tail: Tail

    def sql(self) -> str:
        """The SELECT behind the view `usage`."""
        return joined(self.sources(0, None, None), COLUMNS)

    def sources(self, tail_rows: int, oldest: datetime | None, newest: datetime | None) -> tuple[Source, ...]:
        """The tail, whose extent is given, and all segments."""
        hidden = self.manifest.hidden
        return (
            Source(self.tail.table, _ALL, hidden, tail_rows, oldest, newest),
            *(
                Source(
                    segment.table,
                    segment.columns,
                    hidden,
                    segment.info.rows,
                    segment.info.min_started_at,
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


def _is_hidden(entry: Mapping[str, str]) -> str:
    """Whether all of an entry's columns equal its values. Names and values come from the manifest, made by us."""
    return " AND ".join(f'"{name}"::VARCHAR = {_literal(value)}' for name, value in entry.items())


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
