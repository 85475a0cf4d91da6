"""What results are grouped by: columns of the view, and tags by name as `tag:team`; and which groups are kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidInput, UnknownColumn
from .filters import GROUPABLE, TAG, known, quoted
from .question import Writer
from .schema import COLUMNS

OTHER = "Other"
"""What the groups that are not kept apart are called, where the column is text."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The columns a result is grouped by, by the names that they have in it."""

    names: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of the view that have to be read."""
        return tuple("tags" if name.startswith(TAG) else name for name in self.names)

    def items(self, writer: Writer) -> list[str]:
        """For a SELECT list over the view."""
        return [
            f"{sql} AS {name}" if sql != name else name
            for sql, name in zip(self.values(writer), self.columns, strict=True)
        ]

    def values(self, writer: Writer) -> list[str]:
        """What the columns hold, without their names."""
        return [
            f"tags[{writer.value(name.removeprefix(TAG))}]" if name.startswith(TAG) else quoted(name)
            for name in self.names
        ]

    @property
    def columns(self) -> list[str]:
        """For everything outside of it."""
        return [_name(name) for name in self.names]

    def same(self, left: str, right: str) -> str:
        """Whether two rows are of the same group; those without a value are a group too."""
        return " AND ".join(f"{left}.{name} IS NOT DISTINCT FROM {right}.{name}" for name in self.columns)

    def folded(self, is_other: str, table: str) -> list[str]:
        """The columns of groups of `table`, for a SELECT list, named OTHER where `is_other`."""
        return [
            f"CASE WHEN {is_other} THEN {self._other(plain)} ELSE any_value({table}.{name}) END AS {name}"
            for plain, name in zip(self.names, self.columns, strict=True)
        ]

    def _other(self, name: str) -> str:
        return f"'{OTHER}'" if name.startswith(TAG) or COLUMNS[name] == "VARCHAR" else "NULL"


def groups_of(by: str | Sequence[str] | None) -> Groups:
    """Raises UnknownColumn for what is neither GROUPABLE nor a tag, InvalidInput for a tag that cannot be a column."""
    names = tuple(dict.fromkeys(() if by is None else (by,) if isinstance(by, str) else by))
    for name in names:
        if not (isinstance(name, str) and name.startswith(TAG) and len(name) > len(TAG)):
            _known_or_tag(name)
        elif "\x00" in name or not name.isprintable():
            raise InvalidInput(f"{name!r} cannot be the name of a column.", "Group by a tag whose name is plain text.")
    if len({name.casefold() for name in names}) < len(names):
        raise InvalidInput("Two of these columns differ in upper and lower case alone.", "Ask for one at a time.")
    return Groups(names)


def _known_or_tag(name: object) -> None:
    try:
        known(name, GROUPABLE)
    except UnknownColumn as error:
        raise UnknownColumn(error.message, f"{error.hint.removesuffix('.')}, or a tag as tag:team.") from None


def _name(name: str) -> str:
    """The column's name in a result, for SQL."""
    return '"' + name.replace('"', '""') + '"' if name.startswith(TAG) else quoted(name)
