"""What a budget is, and what it counts: a `Meter`, the spend of a scope in periods. Nothing here knows a store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Generic, TypeVar

from ...errors import InvalidBudget
from ..zones import zone
from .periods import PERIODS, Span, span_of

T = TypeVar("T")

UNITS: tuple[str, ...] = ("money", "tokens", "calls")
UNPRICED: tuple[str, ...] = ("refuse", "allow")
SCOPED: tuple[str, ...] = ("provider", "connection", "model", "task", "app", "user", "project")
"""Columns of the ledger that a scope may name; beside them `tag:name`."""

TAG = "tag:"
MONEY_UNITS = 10**10
"""Money is counted in whole units of 1e-10 US dollars, the ledger's own precision."""

_MOST = 2**62 // MONEY_UNITS


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a call takes or took of each unit: money in units of 1e-10 dollars, tokens, calls. None is not known."""

    money: int | None = 0
    tokens: int | None = 0
    calls: int = 0

    def of(self, unit: str) -> int:
        """What is known of it: an unknown amount counts as 0."""
        return getattr(self, unit) or 0


@dataclass(frozen=True, slots=True)
class Meter:
    """What is counted: a unit, of the records in a scope, in periods of a zone. Budgets that count the same share it.

    `scope` holds pairs of a column, or `tag:name`, and its value; a record must match all of them.
    """

    scope: tuple[tuple[str, str], ...]
    unit: str
    period: str
    tz: str
    key: str = field(init=False, repr=False, compare=False)
    """The same text for the same meter, from which `Meter.of` makes it again."""

    def __post_init__(self) -> None:
        text = json.dumps([self.unit, self.period, self.tz, self.scope], ensure_ascii=False)
        object.__setattr__(self, "key", text)

    @staticmethod
    @lru_cache(maxsize=4096)
    def of(key: str) -> Meter:
        unit, period, tz, scope = json.loads(key)
        return Meter(tuple((name, value) for name, value in scope), unit, period, tz)

    def covers(self, labels: Mapping[str, Any]) -> bool:
        """Whether a record with these columns is in the scope."""
        return all(_label(labels, name) == value for name, value in self.scope)

    def span(self, at: datetime) -> Span:
        return span_of(self.period, self.tz, at)


def _label(labels: Mapping[str, Any], name: str) -> Any:
    return (labels.get("tags") or {}).get(name.removeprefix(TAG)) if name.startswith(TAG) else labels.get(name)


class ByScope(Generic[T]):
    """Finds what belongs to the scopes that a record is in, without asking each of a thousand."""

    def __init__(self, items: Iterable[tuple[Meter, T]] = ()) -> None:
        self._of: dict[tuple[str, str] | None, list[tuple[Meter, T]]] = {}
        for meter, item in items:
            self._of.setdefault(meter.scope[0] if meter.scope else None, []).append((meter, item))

    def find(self, labels: Mapping[str, Any]) -> list[T]:
        if not self._of:
            return []
        firsts = [None, *((name, value) for name in SCOPED if isinstance(value := labels.get(name), str))]
        firsts += [(TAG + name, value) for name, value in (labels.get("tags") or {}).items()]
        return [item for first in firsts for meter, item in self._of.get(first, ()) if meter.covers(labels)]


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on what the calls of a scope spend in each period.

    `limit` is Decimal US dollars, or a whole number of tokens or calls. A call that could pass it is refused where
    `hard`. `thresholds` are shares of it (0.8 is 80 %) that are worth a word. `unpriced` says what a hard limit on
    money does with a call whose price is not known: "refuse" or "allow".
    """

    id: str
    name: str
    scope: Mapping[str, str]
    limit: Decimal | int
    period: str
    unit: str
    tz: str
    hard: bool
    thresholds: tuple[float, ...]
    unpriced: str
    created_at: datetime
    changed_at: datetime
    meter: Meter = field(init=False, repr=False, compare=False)
    most: int = field(init=False, repr=False, compare=False)
    """The limit in whole units."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "meter", Meter(tuple(sorted(self.scope.items())), self.unit, self.period, self.tz))
        object.__setattr__(self, "most", in_units(self.limit) if self.unit == "money" else int(self.limit))

    def told(self, units: int) -> Decimal | int:
        """An amount in its own measure: dollars, tokens or calls."""
        return in_dollars(units) if self.unit == "money" else units

    def in_words(self, units: int) -> str:
        return words(self.unit, units)


def words(unit: str, units: int) -> str:
    """An amount as people write it: "$1.20", "$0.0031", "5,000 tokens"."""
    if unit == "money":
        usd = in_dollars(units)
        if 0 < usd < Decimal("0.0001"):
            return "under $0.0001"
        small = f"{usd:.4f}".removesuffix("0").removesuffix("0")
        return f"${small}" if usd < 1 else f"${usd:,.2f}"
    return f"{units:,} {unit if units != 1 else unit.removesuffix('s')}"


def in_units(usd: Decimal | int) -> int:
    """Dollars in whole units, rounded up: a bound must not become smaller."""
    scaled = Decimal(usd) * MONEY_UNITS
    whole = int(scaled)
    return whole + (whole < scaled)


def in_dollars(units: int) -> Decimal:
    return Decimal(units) / MONEY_UNITS


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a person gave, as a Budget keeps it. Raises InvalidBudget, InvalidInput for a zone that does not exist."""
    kept = dict(fields)
    for name, allowed in (("unit", UNITS), ("period", PERIODS), ("unpriced", UNPRICED)):
        if kept[name] not in allowed:
            raise InvalidBudget(f"A budget's {name} cannot be {kept[name]!r}.", f"Use one of {', '.join(allowed)}.")
    if not isinstance(kept["hard"], bool):
        raise InvalidBudget(f"hard cannot be {kept['hard']!r}.", "Give True to refuse calls at the limit, else False.")
    zone(kept["tz"])
    kept["scope"] = scope_of(kept["scope"])
    kept["limit"] = _limit(kept["unit"], kept["limit"])
    kept["thresholds"] = _thresholds(kept["thresholds"])
    kept["name"] = _name(kept["name"] or default_name(kept))
    return kept


def scope_of(given: object) -> dict[str, str]:
    """ "all", "user:ann", "model:openai:gpt-6-luna", "tag:team:search", or a mapping of such names to their values.

    A model is `connection:model`, or a bare name for that model at any connection. Raises InvalidBudget.
    """
    if given is None or given == "all":
        return {}
    if isinstance(given, str):
        name, _, value = given.partition(":")
        given = {name: value}
    if not isinstance(given, Mapping):
        raise _no_scope(given)
    scope: dict[str, str] = {}
    for name, value in given.items():
        if not (isinstance(name, str) and isinstance(value, str) and value):
            raise _no_scope({name: value})
        for column, part in _columns(name, value):
            if scope.setdefault(column, part) != part:
                raise InvalidBudget(f"No call is both {column} {scope[column]} and {part}.")
    return scope


def _columns(name: str, value: str) -> Iterable[tuple[str, str]]:
    if name == "model" and ":" in value:
        connection, _, model = value.partition(":")
        return (("connection", connection), ("model", model))
    if name == "tag":
        tag, _, value = value.partition(":")
        name = TAG + tag
    if name not in SCOPED and not (name.startswith(TAG) and len(name) > len(TAG) and value):
        raise _no_scope({name: value})
    return ((name, value),)


def _no_scope(given: object) -> InvalidBudget:
    return InvalidBudget(
        f"{given!r} is no scope of a budget.",
        f'Give "all", or names and values as {{"user": "ann"}}: {", ".join(SCOPED)}, or tag:name.',
    )


def _limit(unit: str, given: object) -> Decimal | int:
    if unit == "money":
        if isinstance(given, (bool, float)):
            raise InvalidBudget("Money cannot be a float.", 'Give a Decimal, a whole number or text, as "2.50".')
        try:
            usd = Decimal(given)  # type: ignore[arg-type]  # anything else raises
        except (InvalidOperation, TypeError, ValueError):
            raise InvalidBudget(f"{given!r} is not a sum of US dollars.") from None
        if not usd.is_finite() or not 0 <= usd < _MOST or in_dollars(in_units(usd)) != usd:
            raise InvalidBudget(f"A limit cannot be {given!r} US dollars.", "Give up to ten decimals, 0 or more.")
        return usd
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < 2**62:
        raise InvalidBudget(f"A limit cannot be {given!r} {unit}.", "Give a whole number, 0 or more.")
    return given


def _thresholds(given: object) -> tuple[float, ...]:
    try:
        shares = tuple(sorted({float(share) for share in given}))  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        shares = (0.0,)
    if not all(0 < share <= 10 for share in shares):
        raise InvalidBudget(f"Thresholds cannot be {given!r}.", "Give shares of the limit, as (0.5, 0.8).")
    return shares


def _name(given: object) -> str:
    if not isinstance(given, str) or not given.strip() or len(given) > 200 or not given.isprintable():
        raise InvalidBudget(f"{given!r} cannot be a budget's name.", "Give up to 200 letters.")
    return given.strip()


def default_name(fields: Mapping[str, Any]) -> str:
    """As "user ann: $5 a month"."""
    who = in_words_scope(fields["scope"])
    most = f"${fields['limit']}" if fields["unit"] == "money" else f"{fields['limit']:,} {fields['unit']}"
    return f"{who}: {most} {'in total' if fields['period'] == 'total' else 'a ' + fields['period']}"


def in_words_scope(scope: Mapping[str, str]) -> str:
    return ", ".join(f"{name.removeprefix(TAG)} {value}" for name, value in sorted(scope.items())) or "All calls"
