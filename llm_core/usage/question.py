"""One question to the ledger as SQL, written in two ways from the same words.

To run it, it reads only the columns it needs, values are bound, money leaves as text and local time is plain
arithmetic: that is fast and exact. To show it, it reads `FROM usage` with its values written out, so that a person can
paste it into `ws.usage.sql` and gets the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from textwrap import indent
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from .filters import Condition
from .zones import offset_sql

if TYPE_CHECKING:
    import pandas as pd

    from .reader import Snapshot

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_BOUND = re.compile(r"\$(\w+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Question(Protocol[T_co]):
    """What can be asked, and shown."""

    def run(self, snapshot: Snapshot) -> T_co: ...

    def shown(self) -> str: ...


class Writer(Protocol):
    """How the parts of a question are written."""

    def usage(self, where: Condition, *columns: str) -> str:
        """What to read FROM: the view, of which these columns and those of the condition are needed, and all rows that
        can match it."""

    def where(self, condition: Condition) -> str: ...

    def value(self, value: Any) -> str: ...

    def money(self, sql: str) -> str:
        """A DECIMAL that leaves SQL, in a column called cost_usd."""

    def local(self, column: str, tz: ZoneInfo, start: datetime | None = None, end: datetime | None = None) -> str:
        """A column of UTC as time in `tz`, for rows between the two times; None is the first record, or now."""


@dataclass(frozen=True, slots=True)
class Query(Generic[T]):
    """A question that is one SELECT. `finish` makes the answer of its DataFrame."""

    write: Callable[[Writer], str]
    finish: Callable[[pd.DataFrame], T]

    def run(self, snapshot: Snapshot) -> T:
        writer = _Running(snapshot)
        sql = self.write(writer)
        return self.finish(snapshot.frame(sql, writer.values))

    def shown(self) -> str:
        return self.write(Showing())


class _Running:
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.values: dict[str, Any] = {}

    def usage(self, where: Condition, *columns: str) -> str:
        return self._snapshot.usage(*where.columns, *columns, start=where.start, end=where.end)

    def where(self, condition: Condition) -> str:
        self.values.update(condition.values)
        return condition.sql

    def value(self, value: Any) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    def money(self, sql: str) -> str:
        return f"{sql}::VARCHAR"

    def local(self, column: str, tz: ZoneInfo, start: datetime | None = None, end: datetime | None = None) -> str:
        oldest, newest = self._snapshot.extent or (datetime.min, datetime.min)
        offset = offset_sql(column, tz, start or oldest, end or max(newest, datetime.now(UTC).replace(tzinfo=None)))
        return f"make_timestamp(epoch_us({column}) + {offset})"


class Showing:
    def usage(self, where: Condition, *columns: str) -> str:
        return "usage"

    def where(self, condition: Condition) -> str:
        return _BOUND.sub(lambda match: literal(condition.values[match[1]]), condition.sql)

    def value(self, value: Any) -> str:
        return literal(value)

    def money(self, sql: str) -> str:
        return sql

    def local(self, column: str, tz: ZoneInfo, start: datetime | None = None, end: datetime | None = None) -> str:
        return f"{column} AT TIME ZONE 'UTC' AT TIME ZONE {literal(tz.key)}"


def as_found(frame: pd.DataFrame) -> pd.DataFrame:
    """The answer is the frame itself."""
    return frame


def literal(value: Any) -> str:
    """A value as SQL that means exactly it, whatever text it is."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, Decimal)):
        return f"{value:f}"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 2**53 else f"'{value!r}'::DOUBLE"
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value}'"
    text = str(value).replace("'", "''")
    if not _CONTROL.search(text):
        return f"'{text}'"
    parts = [f"chr({ord(part)})" if _CONTROL.match(part) else f"'{part}'" for part in _split(text)]
    return f"({' || '.join(parts)})"


def _split(text: str) -> list[str]:
    return [part for part in re.split(f"({_CONTROL.pattern})", text) if part]


def select(
    items: Sequence[str],
    source: str,
    where: str = "true",
    *,
    group: str = "",
    order: str = "",
    limit: int | None = None,
) -> str:
    """A SELECT in lines. `group` by ALL means by all items that are not sums or counts."""
    lines = [f"SELECT{_listed(items)}", f"FROM {source}"]
    if where != "true":
        lines.append(f"WHERE {where}")
    if group:
        lines.append(f"GROUP BY {group}")
    if order:
        lines.append(f"ORDER BY {order}")
    if limit is not None:
        lines.append(f"LIMIT {limit:d}")
    return "\n".join(lines)


def with_steps(steps: Sequence[tuple[str, str]], last: str) -> str:
    """SELECTs with names, then the one that uses them."""
    named = ",\n".join(f"{name} AS (\n{indent(sql, '    ')}\n)" for name, sql in steps)
    return f"WITH {named}\n{last}"


def _listed(items: Sequence[str]) -> str:
    short = ", ".join(items)
    return f" {short}" if len(short) <= 80 else "\n    " + ",\n    ".join(items)
