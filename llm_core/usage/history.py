"""Records page by page, in any order: the keys of a page's rows are found first, then the rows are read.

By time, segments are asked by age, the newest (or oldest) first, in batches that grow; the rest is skipped as soon as
no further segment can hold a record of the page. A sort over the whole view takes 4 to 14 times as long and 1.5 GB
(measured). By another column, the value of the page's last row is found first, in that column alone; then the few rows
that come before it, and of those with just this value the newest, by time as above: a fifth of the time of one sort.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InvalidInput
from .filters import Condition, known, naive_utc, quoted
from .frames import MONEY
from .question import Showing, select
from .reader import Snapshot
from .schema import COLUMNS
from .view import Source

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_COLUMNS: tuple[str, ...] = tuple(name for name in COLUMNS if name != "raw_usage")
SORTABLE: tuple[str, ...] = tuple(name for name in COLUMNS if name not in ("tags", "raw_usage"))
MAX_ROWS = 10_000

_FIRST_ROWS, _GROWTH = 200_000, 10
_MOST_RANGES, _NEAR = 40, 2_000


class Place(NamedTuple):
    """A record's place among those with the same value: the order of pages."""

    started_at: datetime
    id: str


class _Key(NamedTuple):
    """Where a row is: its place in the order of pages, the source that has it (an index), its number there."""

    started_at: datetime
    id: str
    source: int
    row: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of records that match `where`, sorted by one column; made by `of`.

    `place` and `value` are of the last record before it; None, None is the first page.
    """

    where: Condition
    limit: int
    columns: tuple[str, ...]
    sort: str
    descending: bool
    value: Any
    place: Place | None

    @classmethod
    def of(
        cls,
        where: Condition,
        limit: int,
        before: Sequence[Any] | None,
        *,
        columns: Sequence[str],
        sort: str = "started_at",
        descending: bool = True,
    ) -> Page:
        """Raises InvalidInput, UnknownColumn."""
        if not 1 <= limit <= MAX_ROWS:
            raise InvalidInput(f"A page of {limit} records is not possible.", f"Ask for 1 to {MAX_ROWS:,}.")
        names = tuple(dict.fromkeys(known(column, tuple(COLUMNS)) for column in columns))
        known(sort, SORTABLE)
        value, place = None, None
        if before is not None:
            wanted = 2 if sort == "started_at" else 3
            if isinstance(before, str) or len(before) != wanted:
                raise InvalidInput(
                    f"A page by {sort} cannot come after {before!r}.",
                    "Give the last row's started_at and id, and before them its value of another column sorted by.",
                )
            place = Place(naive_utc(before[-2]), str(before[-1]))
            value = _plain(sort, before[0]) if wanted == 3 else None
        return cls(where, limit, names, sort, descending, value, place)

    def run(self, snapshot: Snapshot) -> pd.DataFrame:
        """Its rows in order; `started_at` is aware, in UTC."""
        if self.sort == "started_at":
            where = self.where if self.place is None else _after(self.where, self.place, self.descending)
            keys = _find(snapshot, where, self.limit, self.descending)
        else:
            where = self.where
            keys = _find_by_value(snapshot, self)
        ranges = _ranges(keys) if self.sort == "started_at" else None
        if ranges is None:
            page = _pick(snapshot, keys, self.columns)
        else:
            page = _read(snapshot, where, ranges, self.columns, self.limit, self.descending)
        if "started_at" in self.columns:
            page["started_at"] = page["started_at"].dt.tz_localize("UTC")
        return page

    def shown(self) -> str:
        where = self.where
        direction = "DESC" if self.descending else "ASC"
        if self.sort == "started_at":
            where = where if self.place is None else _after(where, self.place, self.descending)
            order = f"started_at {direction}, id {direction}"
        else:
            where = where if self.place is None else self._following(self.place)
            order = f"{quoted(self.sort)} {direction} NULLS LAST, started_at DESC, id DESC"
        columns = [quoted(name) for name in self.columns]
        return select(columns, "usage", Showing().where(where), order=order, limit=self.limit)

    def _following(self, place: Place) -> Condition:
        """All that comes after the place, by another column than time."""
        same = _after(_equal(Condition(), self.sort, self.value), place, True)
        if self.value is None:
            return _and(self.where, same.sql, self.sort, same.values)
        beyond = _beyond(Condition(), self)
        return _and(self.where, f"({same.sql} OR {beyond.sql})", self.sort, {**same.values, **beyond.values})


def _find(snapshot: Snapshot, where: Condition, limit: int, newest_first: bool) -> list[_Key]:
    """The keys of the newest, or oldest, rows, in order."""
    keys: list[_Key] = []
    sources = snapshot.sources
    columns = dict.fromkeys((*Place._fields, *where.columns))
    direction, bound = ("DESC", ">=") if newest_first else ("ASC", "<=")
    for batch in _batches(sources, where, newest_first):
        edge = keys[-1].started_at if len(keys) == limit else datetime.min if newest_first else datetime.max
        nearest = sources[batch[0]].newest if newest_first else sources[batch[0]].oldest
        if nearest is None or (nearest < edge if newest_first else nearest > edge):
            break
        found = snapshot.rows(
            f"""
            SELECT started_at, id, at_source, at_row FROM ({_keyed(sources, batch, columns)})
            WHERE started_at {bound} $edge AND {where.sql}
            ORDER BY started_at {direction}, id {direction} LIMIT {limit}
            """,
            {**where.values, "edge": edge},
        )
        keys = sorted((*keys, *(_Key(*row) for row in found)), reverse=newest_first)[:limit]
    return keys


def _batches(sources: Sequence[Source], where: Condition, newest_first: bool) -> Iterator[list[int]]:
    """Indexes of the sources that can hold matching rows, newest (or oldest) first.

    A question takes about 1 ms whatever it finds and a file 0.3 ms, so small files are asked together; matches that are
    rare in one batch are rare in the next, which is ten times as large.
    """

    def age(index: int) -> datetime:
        return (sources[index].newest if newest_first else sources[index].oldest) or datetime.min

    able = [index for index, source in enumerate(sources) if source.overlaps(where.start, where.end)]
    batch: list[int] = []
    rows, most = 0, _FIRST_ROWS
    for index in sorted(able, key=age, reverse=newest_first):
        if batch and rows + sources[index].rows > most:
            yield batch
            batch, rows, most = [], 0, most * _GROWTH
        batch.append(index)
        rows += sources[index].rows
    if batch:
        yield batch


def _find_by_value(snapshot: Snapshot, page: Page) -> list[_Key]:
    """The keys of the page's rows, in its order."""
    where, keys = page.where, []
    if page.place is not None:
        keys = _find(snapshot, _after(_equal(where, page.sort, page.value), page.place, True), page.limit, True)
        if page.value is None:
            return keys  # rows without a value come last
        where = _beyond(where, page)
    missing = page.limit - len(keys)
    if not missing:
        return keys
    able = [index for index, source in enumerate(snapshot.sources) if source.overlaps(where.start, where.end)]
    if not able:
        return keys
    sort, direction = quoted(page.sort), "DESC" if page.descending else "ASC"
    columns = dict.fromkeys((page.sort, *where.columns))
    last = snapshot.rows(
        f"""
        SELECT {sort} FROM ({_keyed(snapshot.sources, able, columns)}) WHERE {where.sql}
        ORDER BY {sort} {direction} NULLS LAST LIMIT 1 OFFSET {missing - 1}
        """,
        where.values,
    )
    first = where
    if last:
        first = _before(where, page, last[0][0])
    columns = dict.fromkeys((page.sort, *Place._fields, *where.columns))
    found = snapshot.rows(
        f"""
        SELECT started_at, id, at_source, at_row FROM ({_keyed(snapshot.sources, able, columns)}) WHERE {first.sql}
        ORDER BY {sort} {direction} NULLS LAST, started_at DESC, id DESC LIMIT {missing}
        """,
        first.values,
    )
    keys += [_Key(*row) for row in found]
    if last and len(keys) < page.limit:
        keys += _find(snapshot, _equal(where, page.sort, last[0][0]), page.limit - len(keys), True)
    return keys


def _keyed(sources: Sequence[Source], indexes: Sequence[int], columns: dict[str, None]) -> str:
    """Rows of some sources, each with where it is."""
    return " UNION ALL ".join(
        sources[index].select(columns, f"{index} AS at_source", "rowid AS at_row") for index in indexes
    )


def _read(
    snapshot: Snapshot,
    where: Condition,
    ranges: Sequence[tuple[int, tuple[int, int]]],
    names: Sequence[str],
    limit: int,
    newest_first: bool,
) -> pd.DataFrame:
    """The rows of a page by time, from ranges of row numbers that hold them: that spares all other blocks.

    What else is in a range does not match, or comes after the page.
    """
    wanted = dict.fromkeys((*names, *Place._fields, *where.columns))
    tables = (snapshot.sources[index].select(wanted, rows=rows) for index, rows in ranges)
    direction = "DESC" if newest_first else "ASC"
    return snapshot.frame(
        f"""
        SELECT {_items(names)} FROM ({" UNION ALL ".join(tables)}) AS page WHERE {where.sql}
        ORDER BY page.started_at {direction}, page.id {direction} LIMIT {limit}
        """,
        where.values,
    )


def _pick(snapshot: Snapshot, keys: Sequence[_Key], names: Sequence[str]) -> pd.DataFrame:
    """The rows of these keys, wherever they are, in the order of the keys.

    Joined by row number, which takes a fifth of the time of a list of numbers at 10M rows (measured).
    """
    rows: dict[int, list[int]] = {index: [] for index in ({key.source for key in keys} or {0})}
    for key in keys:
        rows[key.source].append(key.row)
    tables = (
        f"SELECT * FROM ({_keyed(snapshot.sources, [index], dict.fromkeys(names))}) "
        f"WHERE at_row IN (SELECT unnest($rows_{index}::BIGINT[]))"
        for index in rows
    )
    page = snapshot.frame(
        f"SELECT {_items(names)}, at_source, at_row FROM ({' UNION ALL '.join(tables)})",
        {f"rows_{index}": numbers for index, numbers in rows.items()},
    )
    places = {(key.source, key.row): place for place, key in enumerate(keys)}
    found = [places[at] for at in zip(page.pop("at_source").tolist(), page.pop("at_row").tolist(), strict=True)]
    return page.iloc[sorted(range(len(found)), key=found.__getitem__)].reset_index(drop=True)


def _items(names: Sequence[str]) -> str:
    return ", ".join(f"{quoted(name)}::VARCHAR AS {name}" if name == MONEY else quoted(name) for name in names)


def _ranges(keys: Sequence[_Key]) -> list[tuple[int, tuple[int, int]]] | None:
    """Sources, each with the first and last number of a range of its rows; all keys lie in one of them. None when they
    are too many to be quick.
    """
    if not keys:
        return [(0, (-1, -1))]
    ranges: list[tuple[int, tuple[int, int]]] = []
    for _, _, source, row in sorted(keys, key=lambda key: (key.source, key.row)):
        if ranges and ranges[-1][0] == source and row - ranges[-1][1][1] <= _NEAR:
            ranges[-1] = (source, (ranges[-1][1][0], row))
        else:
            ranges.append((source, (row, row)))
    return ranges if len(ranges) <= _MOST_RANGES else None


def _after(where: Condition, place: Place, newest_first: bool) -> Condition:
    """Those after a place in the order of time, newest (or oldest) first."""
    at, sign = place.started_at, "<" if newest_first else ">"
    term = f"started_at {sign}= $place_at AND (started_at {sign} $place_at OR id {sign} $place_id)"
    narrowed = _and(where, term, "id", {"place_at": at, "place_id": place.id})
    if newest_first:
        end = at + timedelta(microseconds=1)
        return dataclasses.replace(narrowed, end=end if where.end is None else min(end, where.end))
    return dataclasses.replace(narrowed, start=at if where.start is None else max(at, where.start))


def _equal(where: Condition, column: str, value: Any) -> Condition:
    if value is None:
        return _and(where, f"{quoted(column)} IS NULL", column)
    return _and(where, f"{quoted(column)} = $same", column, {"same": value})


def _beyond(where: Condition, page: Page) -> Condition:
    """Those whose value comes after that of the page's place, which has one."""
    sort = quoted(page.sort)
    sign = "<" if page.descending else ">"
    return _and(where, f"({sort} {sign} $passed OR {sort} IS NULL)", page.sort, {"passed": page.value})


def _before(where: Condition, page: Page, value: Any) -> Condition:
    """Those whose value comes before this one; None comes last."""
    sort = quoted(page.sort)
    if value is None:
        return _and(where, f"{sort} IS NOT NULL", page.sort)
    return _and(where, f"{sort} {'>' if page.descending else '<'} $last", page.sort, {"last": value})


def _and(where: Condition, term: str, column: str, values: Mapping[str, Any] | None = None) -> Condition:
    terms = term if where.sql == "true" else f"{where.sql} AND {term}"
    return dataclasses.replace(
        where, sql=terms, columns=(*where.columns, column), values={**where.values, **(values or {})}
    )


def _plain(column: str, value: Any) -> Any:
    """A value of a row of a DataFrame as the ledger has it."""
    import pandas as pd

    if pd.isna(value):
        return None
    kind = COLUMNS[column]
    if kind == "DATE" and isinstance(value, date):
        return date(value.year, value.month, value.day)
    if kind in ("BIGINT", "INTEGER"):
        return int(value)
    return float(value) if kind == "DOUBLE" else value
