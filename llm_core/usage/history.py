"""Records page by page, in any order: where a page's rows are is found first, then the rows are read.

By time, segments are asked by age, the newest (or oldest) first, in batches that grow; the rest is skipped as soon as
no further segment can hold a record of the page. A sort over the whole view takes 4 to 14 times as long and 1.5 GB
(measured). By another column, the value of the page's last row is found first, in that column alone; then the few rows
that come before it, and of those with just this value the newest, by time as above: a fifth of the time of one sort.

Ids order records of the same time. They take more bytes than all that a search looks at, so they are read last, of the
rows found and, where a page ends among records of one time, of those.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """Where a row is: the source that has it (an index), its number there."""

    started_at: datetime
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
        page = _pick(snapshot, keys, self) if ranges is None else _read(snapshot, where, ranges, self)
        if "started_at" in self.columns:
            page["started_at"] = page["started_at"].dt.tz_localize("UTC")
        return page

    def order(self, table: str) -> str:
        """For an ORDER BY over `table`."""
        direction = "DESC" if self.descending else "ASC"
        if self.sort == "started_at":
            return f"{table}started_at {direction}, {table}id {direction}"
        return f"{table}{quoted(self.sort)} {direction} NULLS LAST, {table}started_at DESC, {table}id DESC"

    def shown(self) -> str:
        where = self.where
        if self.place is not None:
            by_time = self.sort == "started_at"
            where = _after(where, self.place, self.descending) if by_time else self._following(self.place)
        columns = [quoted(name) for name in self.columns]
        return select(columns, "usage", Showing().where(where), order=self.order(""), limit=self.limit)

    def _following(self, place: Place) -> Condition:
        """All that comes after the place, by another column than time."""
        same = _after(_equal(Condition(), self.sort, self.value), place, True)
        if self.value is None:
            return _and(self.where, same.sql, self.sort, same.values)
        beyond = _beyond(Condition(), self)
        return _and(self.where, f"({same.sql} OR {beyond.sql})", self.sort, {**same.values, **beyond.values})


def _find(snapshot: Snapshot, where: Condition, limit: int, newest_first: bool) -> list[_Key]:
    """The newest, or oldest, rows, and others of the same time as the last of them, by whose ids the page is cut."""
    keys: list[_Key] = []
    sources = snapshot.sources
    direction, bound = ("DESC", ">=") if newest_first else ("ASC", "<=")
    for batch in _batches(sources, where, newest_first):
        edge = keys[limit - 1].started_at if len(keys) >= limit else datetime.min if newest_first else datetime.max
        nearest = sources[batch[0]].newest if newest_first else sources[batch[0]].oldest
        if nearest is None or (nearest < edge if newest_first else nearest > edge):
            break
        rows = _keyed(sources, batch, ("started_at", *where.columns))
        found = snapshot.rows(
            f"SELECT started_at, at_source, at_row FROM ({rows}) WHERE started_at {bound} $edge AND {where.sql} "
            f"ORDER BY started_at {direction} LIMIT {limit + 1}",
            {**where.values, "edge": edge},
        )
        if len(found) > limit and found[limit][0] == found[limit - 1][0]:
            last = found[limit][0]
            rows = _keyed(sources, batch, (*Place._fields, *where.columns))
            same = snapshot.rows(
                f"SELECT started_at, at_source, at_row FROM ({rows}) WHERE started_at = $edge AND {where.sql} "
                f"ORDER BY id {direction} LIMIT {limit}",
                {**where.values, "edge": last},
            )
            found = [*(row for row in found if row[0] != last), *same]
        keys = sorted((*keys, *(_Key(*row) for row in found)), reverse=newest_first)
        if len(keys) > limit:
            last = keys[limit - 1].started_at
            keys = [key for place, key in enumerate(keys) if place < limit or key.started_at == last]
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
    """The page's rows and some that come after them."""
    where, keys = page.where, []
    if page.place is not None:
        keys = _find(snapshot, _after(_equal(where, page.sort, page.value), page.place, True), page.limit, True)
        if page.value is None:
            return keys  # rows without a value come last
        where = _beyond(where, page)
    missing = page.limit - len(keys)
    able = [index for index, source in enumerate(snapshot.sources) if source.overlaps(where.start, where.end)]
    if missing <= 0 or not able:
        return keys
    sort, direction = quoted(page.sort), "DESC" if page.descending else "ASC"
    values = _keyed(snapshot.sources, able, (page.sort, *where.columns))
    last = snapshot.rows(
        f"SELECT {sort} FROM ({values}) WHERE {where.sql} "
        f"ORDER BY {sort} {direction} NULLS LAST LIMIT 1 OFFSET {missing - 1}",
        where.values,
    )
    first = _before(where, page, last[0][0]) if last else where
    rows = _keyed(snapshot.sources, able, (page.sort, "started_at", *where.columns))
    found = snapshot.rows(f"SELECT started_at, at_source, at_row FROM ({rows}) WHERE {first.sql}", first.values)
    keys += [_Key(*row) for row in found]
    if last:
        keys += _find(snapshot, _equal(where, page.sort, last[0][0]), missing - len(found), True)
    return keys


def _keyed(sources: Sequence[Source], indexes: Sequence[int], columns: Iterable[str]) -> str:
    """Rows of some sources, each with where it is."""
    wanted = dict.fromkeys(columns)
    return " UNION ALL ".join(
        sources[index].select(wanted, f"{index} AS at_source", "rowid AS at_row") for index in indexes
    )


def _read(
    snapshot: Snapshot, where: Condition, ranges: Sequence[tuple[int, tuple[int, int]]], page: Page
) -> pd.DataFrame:
    """The rows of a page by time, from ranges of row numbers that hold them: that spares all other blocks.

    What else is in a range does not match, or comes after the page.
    """
    wanted = dict.fromkeys((*page.columns, *Place._fields, *where.columns))
    tables = (snapshot.sources[index].select(wanted, rows=rows) for index, rows in ranges)
    return _in_order(snapshot, " UNION ALL ".join(tables), where, page)


def _pick(snapshot: Snapshot, keys: Sequence[_Key], page: Page) -> pd.DataFrame:
    """The rows of a page among those of these keys, wherever they are.

    Joined by row number, which takes a fifth of the time of a list of numbers at 10M rows (measured).
    """
    rows: dict[int, list[int]] = {index: [] for index in ({key.source for key in keys} or {0})}
    for key in keys:
        rows[key.source].append(key.row)
    wanted = (*page.columns, *Place._fields, page.sort)
    tables = (
        f"SELECT * FROM ({_keyed(snapshot.sources, [index], wanted)}) "
        f"WHERE at_row IN (SELECT unnest($rows_{index}::BIGINT[]))"
        for index in rows
    )
    picked = Condition(values={f"rows_{index}": numbers for index, numbers in rows.items()})
    return _in_order(snapshot, " UNION ALL ".join(tables), picked, page)


def _in_order(snapshot: Snapshot, rows: str, where: Condition, page: Page) -> pd.DataFrame:
    found = select([_items(page.columns)], f"({rows}) AS page", where.sql, order=page.order("page."), limit=page.limit)
    return snapshot.frame(found, where.values)


def _items(names: Sequence[str]) -> str:
    return ", ".join(f"{quoted(name)}::VARCHAR AS {name}" if name == MONEY else quoted(name) for name in names)


def _ranges(keys: Sequence[_Key]) -> list[tuple[int, tuple[int, int]]] | None:
    """Sources, each with the first and last number of a range of its rows; all keys lie in one of them. None when they
    are too many to be quick.
    """
    if not keys:
        return [(0, (-1, -1))]
    ranges: list[tuple[int, tuple[int, int]]] = []
    for _, source, row in sorted(keys, key=lambda key: (key.source, key.row)):
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
