"""Moves what waits in the spools into the ledger, each line once, whoever else tries at the same time."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from ..store.home import Home
from .ledger import Ledger
from .locks import hold
from .pricing import Price
from .segments import SegmentLedger
from .spool import MAX_BATCH, collect

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Drained:
    """What one drain did. `busy`: another process drains now. `more`: lines are left, drain again.

    `bad` counts lines put into quarantine; `problems` are sentences about spools that were left out.
    """

    rows: int = 0
    bytes: int = 0
    priced: int = 0
    bad: int = 0
    problems: tuple[str, ...] = field(default=())
    more: bool = False
    busy: bool = False


def drain(home: Home, *, price: Price | None = None, wait: float = 0.0, limit: int = MAX_BATCH) -> Drained:
    """Drain one batch, at most `limit` bytes, waiting up to `wait` seconds for another process that is at it.

    Raises OSError and duckdb.Error (the disk is full ...), LedgerDamaged, LedgerTooNew; the spools then keep all lines.
    """
    with hold(home.commit_lock, wait) as held:
        return drain_into(SegmentLedger(home, price), home, limit=limit) if held else Drained(busy=True)


def drain_all(home: Home, *, price: Price | None = None, wait: float = 10.0, limit: int = MAX_BATCH) -> Drained:
    """Drain until nothing that was there at the start is left. `busy` when the lock could not be had in time."""
    total = Drained(more=True)
    while total.more and not total.busy:
        done = drain(home, price=price, wait=wait, limit=limit)
        total = Drained(
            rows=total.rows + done.rows,
            bytes=total.bytes + done.bytes,
            priced=total.priced + done.priced,
            bad=total.bad + done.bad,
            problems=done.problems,
            more=done.more,
            busy=done.busy,
        )
    return total


def drain_into(ledger: Ledger, home: Home, *, limit: int = MAX_BATCH) -> Drained:
    """Drain one batch with no lock at all: right, but work is lost where two do it at once."""
    while True:
        batch = collect(home, ledger.marks(), limit=limit)
        if not batch.pieces:
            return Drained(problems=batch.problems)
        appended = ledger.append(batch)
        if appended is not None:
            break
    if appended.bad:
        _log.warning(
            "%d lines in %s are no usage records and were put into %s: %s",
            len(appended.bad),
            ", ".join(sorted({line.spool for line in appended.bad})),
            home.quarantine,
            appended.bad[0].reason,
        )
    return Drained(
        rows=appended.rows,
        bytes=sum(piece.end - piece.offset for piece in batch.pieces),
        priced=appended.priced,
        bad=len(appended.bad),
        problems=batch.problems,
        more=batch.more,
    )
