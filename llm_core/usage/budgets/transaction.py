"""Holds, counts, and what can be done to them in one transaction of `holds.sqlite`."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from .budget import UNITS, Amounts, ByScope, Meter
from .periods import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Key = tuple[str, int]
"""A meter's key and when its period began, in microseconds since 1970; the least number for one without a beginning."""

_ALWAYS = -(2**62)


@dataclass(slots=True)
class Count:
    """What a meter has counted in one period. `records` are those in the ledger, `priced` those of known cost."""

    meter: Meter
    span: Span
    spent: int
    held: int = 0
    records: int = 0
    priced: int = 0
    changed: bool = False

    @property
    def key(self) -> Key:
        return self.meter.key, start_of(self.span)

    def covers(self, hold: Hold) -> bool:
        start, end = self.span.start, self.span.end
        return (start is None or start <= hold.at) and (end is None or hold.at < end) and self.meter.covers(hold.labels)


@dataclass(frozen=True, slots=True)
class Hold:
    """What is kept for one request (`call`, whose id its record will have) or for a run of them (`bundle`).

    `state` is open, claimed (its process is gone, its record is being written) or settled. `labels` are the columns of
    its record by name. `at` is when the request began.
    """

    id: str
    at: datetime
    labels: Mapping[str, Any] = field(repr=False)
    amounts: Amounts
    owner: str
    kind: str = "call"
    state: str = "open"
    bundle: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a hold ends: as what the call took, None where that is not known; without amounts it is released."""

    id: str
    amounts: Amounts | None
    further: tuple[Hold, ...] = ()
    """Settled holds for what is recorded beside it: further models that took part in the answer."""


class Keys:
    """Which meters are counted, in which periods: the same until the next refresh."""

    def __init__(self, refreshes: int, keys: Iterable[Key] = ()) -> None:
        self.refreshes = refreshes
        self._by_scope = ByScope((Meter.of(key[0]), key) for key in keys)

    def find(self, labels: Mapping[str, Any]) -> list[Key]:
        return self._by_scope.find(labels)


class Transaction:
    """What can be done to the file in one transaction. Counts are read when needed, and written at its end."""

    def __init__(self, connection: sqlite3.Connection, at: datetime, keys: Keys) -> None:
        self._connection = connection
        self.at = at
        """The moment of this transaction: later than that of the one before, as long as the clock is not put back."""
        facts = dict(connection.execute("SELECT * FROM facts"))
        self.refreshes: int = facts["refreshes"]
        """How often `replace` was done, by anybody."""
        self.age: float = (microseconds(at) - facts["refreshed_at"]) / 1e6
        """Seconds since the counts were last those of the ledger; below 0 where the clock was put back."""
        self.keys = keys if keys.refreshes == self.refreshes else Keys(self.refreshes, self._all_keys())
        self._read: dict[Key, Count | None] = {}

    def count(self, meter: Meter) -> Count | None:
        """Of the present period; None where it was not counted yet."""
        return self._count((meter.key, start_of(meter.span(self.at))))

    def counts(self) -> list[Count]:
        """All of them."""
        return [count for key in self._all_keys() if (count := self._count(key)) is not None]

    def counts_for(self, hold: Hold) -> list[Count]:
        found = (self._count(key) for key in self.keys.find(hold.labels))
        return [count for count in found if count is not None and count.covers(hold)]

    def insert(self, hold: Hold) -> None:
        """Its amounts come out of its bundle, as far as that goes."""
        self._connection.execute(
            "INSERT INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(hold.id, hold.kind, hold.state, hold.owner, microseconds(hold.at), orjson.dumps(hold.labels)),
                *(hold.amounts.money, hold.amounts.tokens, hold.amounts.calls, hold.bundle),
            ),
        )
        self._add(hold, Amounts(), hold.amounts)
        bundle = self.find(hold.bundle) if hold.bundle else None
        if bundle is not None:
            self.change(bundle, _minus(bundle.amounts, hold.amounts))

    def settle(self, settlement: Settlement) -> None:
        """What was held for more than it took goes back to its bundle, while that is open."""
        for further in settlement.further:
            self.insert(further)
        hold, taken = self.find(settlement.id), settlement.amounts
        if hold is None:  # its record was found in the ledger first
            return
        amounts = taken and Amounts(
            hold.amounts.money if taken.money is None else taken.money,
            hold.amounts.tokens if taken.tokens is None else taken.tokens,
            hold.amounts.calls,
        )
        self.change(hold, amounts, "settled")
        bundle = self.find(hold.bundle) if hold.bundle else None
        if bundle is not None:
            self.change(bundle, _plus(bundle.amounts, _minus(hold.amounts, amounts or Amounts())))

    def change(self, hold: Hold, amounts: Amounts | None, state: str | None = None) -> None:
        """Give a hold other amounts; None removes it."""
        if amounts is None:
            self._connection.execute("DELETE FROM holds WHERE id = ?", (hold.id,))
        else:
            self._connection.execute(
                "UPDATE holds SET money = ?, tokens = ?, calls = ?, state = ? WHERE id = ?",
                (amounts.money, amounts.tokens, amounts.calls, state or hold.state, hold.id),
            )
        self._add(hold, hold.amounts, amounts or Amounts())

    def claim(self, hold: Hold, owner: str) -> None:
        """Take over the hold of a process that ended, to write its record: whoever else tries finds it changed."""
        self._connection.execute("UPDATE holds SET state = 'claimed', owner = ? WHERE id = ?", (owner, hold.id))

    def owners(self) -> list[str]:
        """The processes that have holds which are not settled."""
        return [
            owner for (owner,) in self._connection.execute("SELECT DISTINCT owner FROM holds WHERE state <> 'settled'")
        ]

    def find(self, id: str) -> Hold | None:  # noqa: A002
        row = self._connection.execute("SELECT * FROM holds WHERE id = ?", (id,)).fetchone()
        return None if row is None else _from_row(row)

    def holds(self) -> list[Hold]:
        return [_from_row(row) for row in self._connection.execute("SELECT * FROM holds")]

    def forget(self, ids: Iterable[str]) -> None:
        """Remove holds without counting: `replace` must follow."""
        self._connection.executemany("DELETE FROM holds WHERE id = ?", [(id,) for id in ids])  # noqa: A001

    def replace(self, counts: Iterable[Count]) -> None:
        """Take these counts, which are of the ledger as it is now, in place of all others. Settled holds that none of
        them covers go; what they hold is counted anew."""
        self._connection.execute("DELETE FROM meters")
        self._connection.execute("UPDATE facts SET value = value + 1 WHERE name = 'refreshes'")
        self.refreshes += 1
        fresh = {count.key: dataclasses.replace(count, held=0, changed=True) for count in counts}
        self._read = dict(fresh)
        self.keys = Keys(self.refreshes, fresh)
        needless = []
        for hold in self.holds():
            covering = self.counts_for(hold)
            for count in covering:
                count.held += hold.amounts.of(count.meter.unit)
            if not covering and hold.state == "settled":
                needless.append(hold.id)
        self.forget(needless)
        self.note_refresh()

    def note_refresh(self) -> None:
        """The counts are those of the ledger as it is now."""
        self._connection.execute("UPDATE facts SET value = ? WHERE name = 'refreshed_at'", (microseconds(self.at),))

    def write_counts(self) -> None:
        self._connection.executemany(
            "INSERT INTO meters VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET held = excluded.held",
            [
                (*key, count.spent, count.held, count.records, count.priced)
                for key, count in self._read.items()
                if count is not None and count.changed
            ],
        )

    def _add(self, hold: Hold, before: Amounts, after: Amounts) -> None:
        for count in self.counts_for(hold):
            more = after.of(count.meter.unit) - before.of(count.meter.unit)
            if more:
                count.held += more
                count.changed = True

    def _count(self, key: Key) -> Count | None:
        if key not in self._read:
            row = self._connection.execute(
                "SELECT spent, held, records, priced FROM meters WHERE meter = ? AND start = ?", key
            ).fetchone()
            self._read[key] = None if row is None else Count(*_known_span(*key), *row)
        return self._read[key]

    def _all_keys(self) -> list[Key]:
        return self._connection.execute("SELECT meter, start FROM meters").fetchall()


def start_of(span: Span) -> int:
    return _ALWAYS if span.start is None else microseconds(span.start)


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=4096)
def _known_span(key: str, start: int) -> tuple[Meter, Span]:
    meter = Meter.of(key)
    return meter, meter.span(_EPOCH if start == _ALWAYS else _EPOCH + start * _MICROSECOND)


def _from_row(row: tuple[Any, ...]) -> Hold:
    id, kind, state, owner, at, labels, money, tokens, calls, bundle = row  # noqa: A001
    amounts = Amounts(money, tokens, calls)
    return Hold(id, _EPOCH + at * _MICROSECOND, orjson.loads(labels), amounts, owner, kind, state, bundle)


def _minus(left: Amounts, right: Amounts) -> Amounts:
    """What is left, nothing below 0."""
    return Amounts(*(max(0, left.of(unit) - right.of(unit)) for unit in UNITS))


def _plus(left: Amounts, right: Amounts) -> Amounts:
    return Amounts(*(left.of(unit) + right.of(unit) for unit in UNITS))
