"""Alerts as they are kept: one begins when a reading fires and none of its kind is open, and ends when none is left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...errors import UnknownAlert
from .readings import Reading, highest

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection

    from ...store.state import State

COLUMNS: tuple[str, ...] = (
    *("id", "kind", "subject", "level", "severity", "title", "text", "opened_at", "closed_at", "seen_at"),
)
KEPT = timedelta(days=400)
"""How long an alert that is over stays in the history."""

_Place = tuple[str, str, float]
"""Kind, key, level."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that happened, once: open until `closed_at`. `severity` is info, warning or critical.

    `level` tells how far it came, where there are several ways, as a budget's thresholds. `seen_at` is when a person
    acknowledged it.
    """

    id: str
    kind: str
    key: str
    level: float
    subject: str
    severity: str
    title: str
    text: str
    opened_at: datetime
    closed_at: datetime | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a look at some figures came to. `told` are those of `opened` worth a word: a lower level is not, where a
    higher one was reached at the same time or before."""

    opened: tuple[Alert, ...] = ()
    closed: tuple[Alert, ...] = ()
    told: tuple[Alert, ...] = ()


def change(open_now: Iterable[Alert], found: Sequence[Reading], now: datetime) -> Change:
    """Pure: the alerts that begin and end, given those that are open."""
    there = {(alert.kind, alert.key, alert.level): alert for alert in open_now}
    still = {(reading.kind, reading.key, reading.level) for reading in found}
    worth = highest(found)
    reached = {(kind, key): level for kind, key, level in sorted(there)}
    opened, told = [], []
    for reading in found:
        place = (reading.kind, reading.key, reading.level)
        if not reading.fires or place in there:
            continue
        is_told = place in worth and reading.level >= reached.get(place[:2], reading.level)
        alert = _begun(reading, now, seen=not is_told)
        opened.append(alert)
        told += [alert] if is_told else []
    closed = [alert for place, alert in there.items() if place not in still]
    return Change(tuple(opened), tuple(closed), tuple(told))


def _begun(reading: Reading, now: datetime, *, seen: bool) -> Alert:
    return Alert(
        id=os.urandom(8).hex(),
        kind=reading.kind,
        key=reading.key,
        level=reading.level,
        subject=reading.subject,
        severity=reading.severity,
        title=reading.title,
        text=reading.text,
        opened_at=now,
        seen_at=now if seen else None,
    )


class Events:
    """The alerts of one home. Safe to share between threads and processes."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state
        self._known: tuple[int, tuple[Alert, ...]] | None = None

    def open(self) -> tuple[Alert, ...]:
        """The oldest first, read again only when the state has changed."""
        from ...store.tables import alert_events

        state = self._state()
        version = state.version()
        known = self._known
        if known is None or known[0] != version:
            with state.read() as connection:
                known = self._known = version, _read(connection, alert_events.c.closed_at.is_(None))
        return known[1]

    def past(self, limit: int) -> tuple[Alert, ...]:
        """All of them, the latest first, without those that a further level stood for from the beginning."""
        from ...store.tables import alert_events

        worth = alert_events.c.seen_at.is_distinct_from(alert_events.c.opened_at)
        with self._state().read() as connection:
            return _read(connection, worth, limit, alert_events.c.opened_at.desc())

    def settle(
        self, found: Sequence[Reading], now: datetime, on_told: Callable[[Connection, Sequence[Alert]], None]
    ) -> Change:
        """Keep what began and ended. One process at a time: two that look at once begin an alert once.

        `on_told` is called in the same transaction. Where nothing changes, nothing is written.
        """
        from ...store.tables import alert_events

        made = change(self.open(), found, now)
        if not (made.opened or made.closed):
            return made
        with self._state().write() as transaction:
            made = change(_read(transaction, alert_events.c.closed_at.is_(None)), found, now)
            for alert in made.opened:
                transaction.execute(alert_events.insert().values(_row(alert)))
            ended = [alert.id for alert in made.closed]
            transaction.execute(alert_events.update().where(alert_events.c.id.in_(ended)).values(closed_at=now))
            transaction.execute(alert_events.delete().where(alert_events.c.closed_at < now - KEPT))
            on_told(transaction, made.told)
        return made

    def acknowledge(self, id: str | None, now: datetime) -> None:  # noqa: A002
        """One alert, or all that are open where None. Raises UnknownAlert."""
        from ...store.tables import alert_events

        which = alert_events.c.closed_at.is_(None) if id is None else alert_events.c.id == id
        with self._state().write() as transaction:
            if id is not None and not _read(transaction, which):
                raise UnknownAlert(f"There is no alert {id!r}.", "ws.usage.alerts.history() lists them.")
            transaction.execute(
                alert_events.update().where(which, alert_events.c.seen_at.is_(None)).values(seen_at=now)
            )


def furthest(alerts: Iterable[Alert]) -> list[Alert]:
    """Without those that a further level of the same event stands for."""
    most: dict[tuple[str, str], Alert] = {}
    for alert in alerts:
        place = (alert.kind, alert.key)
        if place not in most or most[place].level < alert.level:
            most[place] = alert
    return list(most.values())


def as_frame(alerts: Sequence[Alert]) -> pd.DataFrame:
    """Columns as in COLUMNS; times are aware, in UTC, None where it has not happened."""
    import pandas as pd

    rows = [[getattr(alert, name) for name in COLUMNS] for alert in alerts]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _read(connection: Connection, which: Any = True, limit: int | None = None, order: Any = None) -> tuple[Alert, ...]:
    from sqlalchemy import select

    from ...store.tables import alert_events

    question = select(alert_events).where(which)
    question = question.order_by(alert_events.c.opened_at if order is None else order, alert_events.c.id)
    rows = connection.execute(question.limit(limit)).mappings().all()
    return tuple(Alert(**row) for row in rows)


def _row(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in (*COLUMNS, "key")}
