"""Which rows a question is about: a span of time and values of columns, as SQL with bound parameters.

Column names come from lists here, values are always bound: text that looks like SQL is a value like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..errors import InvalidInput, UnknownColumn
from .schema import COLUMNS

FILTERABLE: tuple[str, ...] = tuple(name for name, kind in COLUMNS.items() if kind in ("VARCHAR", "INTEGER"))
"""Columns that a filter may name: each is compared for equality."""

GROUPABLE: tuple[str, ...] = tuple(name for name in FILTERABLE if name not in ("id", "call_id", "request_id"))
"""Columns that results may be grouped by."""


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

    A filter's value is a text or whole number, None for rows without one, or several of these for any of them.
    `tags={"team": "search"}` matches rows with that tag; `priced=False` rows whose cost is unknown.
    Raises UnknownColumn for a name that is not FILTERABLE, InvalidInput for a value that cannot match its column or a
    time without a zone.
    """
    terms: list[str] = []
    columns = ["started_at"]
    values: dict[str, Any] = {}

    def bind(value: object) -> str:
        name = f"p{len(values)}"
        values[name] = value
        return f"${name}"

    first, last = (None if time is None else naive_utc(time) for time in (start, end))
    if first is not None:
        terms.append(f"started_at >= {bind(first)}")
    if last is not None:
        terms.append(f"started_at < {bind(last)}")
    for column, wanted in filters.items():
        columns.append("cost_usd" if column == "priced" else column)
        if column == "tags":
            terms.extend(f"tags[{bind(key)}] = {bind(value)}" for key, value in _tags(wanted))
        elif column == "priced":
            terms.append(_is_priced(wanted))
        else:
            terms.append(_matches(known(column, FILTERABLE), wanted, bind))
    return Condition(" AND ".join(terms) or "true", tuple(columns), values, first, last)


def known(column: object, allowed: Sequence[str]) -> str:
    """The column's name if it is allowed. Raises UnknownColumn."""
    if not isinstance(column, str) or column not in allowed:
        raise UnknownColumn(f"Usage has no column {column!r} for this.", f"Use one of {', '.join(allowed)}.")
    return column


def quoted(column: str) -> str:
    """A column's name for SQL. Quoted always: `user` is a word of SQL too."""
    return f'"{column}"'


def _matches(column: str, wanted: object, bind: Any) -> str:
    several = list(wanted) if isinstance(wanted, Iterable) and not isinstance(wanted, (str, bytes)) else [wanted]
    values = [_checked(column, value) for value in several if value is not None]
    terms = [f"{quoted(column)} IN ({', '.join(bind(value) for value in values)})"] if values else []
    if None in several:
        terms.append(f"{quoted(column)} IS NULL")
    return f"({' OR '.join(terms) or 'false'})"


def _checked(column: str, value: object) -> str | int:
    if COLUMNS[column] == "VARCHAR":
        if isinstance(value, str):
            return value.encode("utf-8", "backslashreplace").decode()  # as the recorder keeps a lone surrogate
        raise InvalidInput(f"{column} cannot be {value!r}.", "Give text, None, or several of these.")
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    raise InvalidInput(f"{column} cannot be {value!r}.", "Give a whole number, None, or several of these.")


def _is_priced(wanted: object) -> str:
    if not isinstance(wanted, bool):
        raise InvalidInput(f"priced cannot be {wanted!r}.", "Give True or False.")
    return f"cost_usd IS {'NOT ' if wanted else ''}NULL"


def _tags(wanted: object) -> list[tuple[str, str]]:
    if not isinstance(wanted, Mapping) or not all(isinstance(text, str) for pair in wanted.items() for text in pair):
        raise InvalidInput("A filter on tags must map text to text.", 'For example tags={"team": "search"}.')
    return list(wanted.items())


def naive_utc(time: datetime) -> datetime:
    """The instant as the ledger keeps it: UTC without a zone."""
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise InvalidInput(f"{time!r} is not a time with a zone.", "Give for example datetime.now(UTC).")
    return time.astimezone(UTC).replace(tzinfo=None)
