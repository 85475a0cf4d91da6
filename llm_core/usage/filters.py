"""Which rows a question is about: a span of time, values and ranges of columns, text to find, as SQL with bound values.

Column names come from lists here, values are always bound: text that looks like SQL is a value like any other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ..errors import InvalidInput, UnknownColumn
from .schema import COLUMNS
from .zones import offset_sql, zone

FILTERABLE: tuple[str, ...] = tuple(name for name, kind in COLUMNS.items() if kind in ("VARCHAR", "INTEGER"))
"""Columns that a filter may name: each is compared for equality."""

GROUPABLE: tuple[str, ...] = tuple(name for name in FILTERABLE if name not in ("id", "call_id", "request_id"))
"""Columns that results may be grouped by."""


RANGED: tuple[str, ...] = tuple(
    name for name, kind in COLUMNS.items() if kind in ("INTEGER", "BIGINT", "DOUBLE") or name == "cost_usd"
)
"""Columns that a filter may limit to a range."""

TAG = "tag:"
"""`tag:team` is the value of the tag `team`, in filters and for grouping."""

_BOUNDS = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}
_SEARCHED: tuple[str, ...] = (
    *("provider", "connection", "model", "task", "app", "user", "project", "preset", "status", "error_kind"),
)
"""Columns in which text is looked for: those with few different values, so that it is quick."""

_IDS = ("id", "call_id", "request_id", "source_id")
_LENGTH_OF_ID = 8
"""Longer words may be an id, which is found by its whole text."""

_EARLIEST, _AHEAD = datetime(2015, 1, 1), timedelta(days=366)
"""Between which clock changes are looked up where the span is open; before and after, the nearest offset counts."""

_MOST_WORDS = 8
_MOST_DIGITS = 18
_HUGE = 10**18


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL for a WHERE clause, the columns it looks at, and the values bound in it, by name.

    `start` and `end` are the span of time that it leaves, UTC without a zone.
    """

    sql: str = "true"
    columns: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None


def condition(start: datetime | None, end: datetime | None, filters: Mapping[str, Any]) -> Condition:
    """Rows that began at `start` or later and before `end`, and that match every filter.

    A filter's value is a text or whole number, None for rows without one, or several of these for any of them. Numbers
    can be limited to a range: `cost_usd={"above": 0.5}`, `latency_ms={"at_least": 100, "below": 500}`; rows without a
    number are in none. `tags={"team": "search"}`, or `tag:team`, matches rows with that tag, None those without it;
    `priced=False` rows whose cost is unknown; `search="luna ann"` rows that have each of these words in a name or the
    status, or as an id or a tag's value. `hour_of_week={"weekday": 0, "hour": 14, "tz": "Europe/Berlin"}` matches what
    began on a Monday from 14:00 to 15:00 there.
    Raises UnknownColumn for a name that is not FILTERABLE or RANGED, InvalidInput for a value that cannot match its
    column or a time without a zone.
    """
    first, last = (None if time is None else naive_utc(time) for time in (start, end))
    made = _Terms(first, last)
    if first is not None:
        made.terms.append(f"started_at >= {made.bind(first)}")
    if last is not None:
        made.terms.append(f"started_at < {made.bind(last)}")
    for column, wanted in filters.items():
        made.add(column, wanted)
    return Condition(" AND ".join(made.terms) or "true", tuple(made.columns), made.values, first, last)


class _Terms:
    """A condition in the making."""

    def __init__(self, start: datetime | None, end: datetime | None) -> None:
        self.span = start or _EARLIEST, end or datetime.now(UTC).replace(tzinfo=None) + _AHEAD
        self.terms: list[str] = []
        self.columns = ["started_at"]
        self.values: dict[str, Any] = {}

    def bind(self, value: object) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    def add(self, column: str, wanted: object) -> None:
        if column == "tags":
            for key, value in _tags(wanted):
                self._add_tag(key, value)
        elif column.startswith(TAG):
            self._add_tag(column.removeprefix(TAG), wanted)
        elif column == "priced":
            self.columns.append("cost_usd")
            self.terms.append(_is_priced(wanted))
        elif column == "search":
            self._search(wanted)
        elif column == "hour_of_week":
            self._in_hour(wanted)
        elif isinstance(wanted, Mapping) or known(column, (*FILTERABLE, *RANGED)) not in FILTERABLE:
            self._limit(known(column, RANGED), wanted)
        else:
            self.columns.append(column)
            self._match(quoted(column), [_checked(column, value) for value in _several(wanted)])

    def _match(self, sql: str, wanted: Sequence[str | int | None]) -> None:
        values = [self.bind(value) for value in wanted if value is not None]
        terms = [f"{sql} = {values[0]}" if len(values) == 1 else f"{sql} IN ({', '.join(values)})"] if values else []
        if None in wanted:
            terms.append(f"{sql} IS NULL")
        self.terms.append(f"({' OR '.join(terms)})" if len(terms) > 1 else "".join(terms) or "false")

    def _add_tag(self, key: str, wanted: object) -> None:
        self.columns.append("tags")
        values = [value if value is None else _text("A tag", value) for value in _several(wanted)]
        self._match(f"tags[{self.bind(_text('A tag', key))}]" if values else "tags", values)

    def _limit(self, column: str, wanted: object) -> None:
        if not isinstance(wanted, Mapping) or not wanted or not set(wanted) <= set(_BOUNDS):
            raise InvalidInput(
                f"{column} cannot be {wanted!r}.", f'Give a range, as {{"above": 10}}: {", ".join(_BOUNDS)}.'
            )
        self.columns.append(column)
        for bound, limit in wanted.items():
            self.terms.append(f"{quoted(column)} {_BOUNDS[bound]} {self.bind(_number(column, limit))}")

    def _in_hour(self, wanted: object) -> None:
        """Hours since 1970 in the zone, counted from a Monday on: the first day of 1970 was a Thursday."""
        if not isinstance(wanted, Mapping) or set(wanted) != {"weekday", "hour", "tz"}:
            raise InvalidInput(f"hour_of_week cannot be {wanted!r}.", "Give weekday (0 is Monday), hour and tz.")
        weekday, hour = wanted["weekday"], wanted["hour"]
        if weekday not in range(7) or hour not in range(24):
            raise InvalidInput(f"There is no hour {hour!r} of weekday {weekday!r}.", "Give 0 to 23 and 0 to 6.")
        local = f"epoch_us(started_at) + {offset_sql('started_at', zone(str(wanted['tz'])), *self.span)}"
        self.terms.append(f"(({local}) // 3600000000 + 72) % 168 = {self.bind(24 * int(weekday) + int(hour))}")

    def _search(self, wanted: object) -> None:
        words = _text("search", wanted).split()
        if len(words) > _MOST_WORDS:
            raise InvalidInput(f"{len(words)} words are too many to search for.", f"Give {_MOST_WORDS} or fewer.")
        self.columns += (*_SEARCHED, *_IDS, "tags")
        for text in words:
            word = self.bind(text)
            places = [f"contains(lower({quoted(column)}), lower({word}))" for column in _SEARCHED]
            places.append(f"list_contains(map_values(tags), {word})")
            if len(text) > _LENGTH_OF_ID:
                places += [f"{column} = {word}" for column in _IDS]
            self.terms.append(f"({' OR '.join(places)})")


def known(column: object, allowed: Sequence[str]) -> str:
    """The column's name if it is allowed. Raises UnknownColumn."""
    if not isinstance(column, str) or column not in allowed:
        raise UnknownColumn(f"Usage has no column {column!r} for this.", f"Use one of {', '.join(allowed)}.")
    return column


def quoted(column: str) -> str:
    """A column's name for SQL, where `user` is a word too."""
    return f'"{column}"' if column == "user" else column


def _several(wanted: object) -> list[Any]:
    return list(wanted) if isinstance(wanted, Iterable) and not isinstance(wanted, (str, bytes)) else [wanted]


def _checked(column: str, value: object) -> str | int | None:
    if value is None:
        return None
    if COLUMNS[column] == "VARCHAR":
        return _text(column, value)
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    raise InvalidInput(f"{column} cannot be {value!r}.", "Give a whole number, None, or several of these.")


def _text(column: str, value: object) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()  # as the recorder keeps a lone surrogate
    raise InvalidInput(f"{column} cannot be {value!r}.", "Give text, None, or several of these.")


def _number(column: str, value: object) -> Decimal | float:
    """Money as Decimal, from the digits that a float shows; all else as it is."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and math.isfinite(value):
        number = Decimal(str(value))
        digits = number.as_tuple().exponent
        if abs(number) < _HUGE and isinstance(digits, int) and digits >= -_MOST_DIGITS:
            return number if column == "cost_usd" else value if isinstance(value, (int, float)) else float(value)
    raise InvalidInput(f"{column} cannot be limited by {value!r}.", "Give a number.")


def _is_priced(wanted: object) -> str:
    if not isinstance(wanted, bool):
        raise InvalidInput(f"priced cannot be {wanted!r}.", "Give True or False.")
    return f"cost_usd IS {'NOT ' if wanted else ''}NULL"


def _tags(wanted: object) -> list[tuple[str, Any]]:
    if not isinstance(wanted, Mapping):
        raise InvalidInput("A filter on tags must map names to values.", 'For example tags={"team": "search"}.')
    return list(wanted.items())


def naive_utc(time: datetime) -> datetime:
    """The instant as the ledger keeps it: UTC without a zone."""
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise InvalidInput(f"{time!r} is not a time with a zone.", "Give for example datetime.now(UTC).")
    return time.astimezone(UTC).replace(tzinfo=None)
