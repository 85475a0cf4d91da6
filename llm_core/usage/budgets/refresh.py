"""Counts anew what the ledger holds, lets go of holds whose record is counted, and recovers those of dead processes.

Why it is exact, with no lock between processes: a refresh notes how many there were (`refreshes`), then looks at the
ledger, and counts only if there still were as many. So each is based on a look at the ledger that began after the one
before was done, and no record is ever seen less. Holds are read after that look: a record in it has its hold among
them. Both, the new sums and the end of the holds in them, are one transaction.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from ...errors import RecordNotKept, StoreError
from ...types import UsageRecord
from ..processes import host_name
from .budget import Amounts, Meter
from .definitions import Definitions
from .holds_file import HoldsFile
from .owners import has_ended, this_owner
from .periods import Span
from .transaction import Count, Hold, Transaction

if TYPE_CHECKING:
    from ..reader import Snapshot

_log = logging.getLogger(__name__)

_TRIES = 20
_SURELY_OVER = timedelta(days=1)
"""Of a hold from another host, whose processes cannot be looked at."""

Found = Mapping[str, tuple[bool, bool]]
"""Of a hold whose record is in the ledger: whether its cost and its tokens are known."""


class Ledger(Protocol):
    """What a refresh needs of the ledger."""

    def snapshot_now(self) -> AbstractContextManager[Snapshot]:
        """All records that any process was told are kept, until now."""
        ...

    def record(self, record: UsageRecord) -> None: ...


class Refresh:
    """For all threads of one process: they take turns."""

    def __init__(self, file: HoldsFile, definitions: Definitions, ledger: Ledger) -> None:
        self._file = file
        self._definitions = definitions
        self._ledger = ledger
        self._lock = threading.Lock()
        self._last: Hashable = None
        self._begun = -math.inf
        """When the last one that was done began, on the monotonic clock."""

    def run(self) -> None:
        """Have the counts of all budgets for their periods now, as the ledger is now. Raises StoreError, LedgerDamaged.

        A thread that waited for another's which began later than its own was asked for does nothing.
        """
        asked = time.monotonic()
        with self._lock:
            if self._begun >= asked:
                return  # another thread's will do
            for _ in range(_TRIES):
                begun = time.monotonic()
                claimed = self._once()
                if claimed is None or (claimed and self._write_interrupted(claimed)):
                    continue  # others counted meanwhile; or there are new records
                self._begun = begun
                return
        raise StoreError("What budgets have spent could not be counted: it changes too fast.", "Try again.")

    def _once(self) -> list[Hold] | None:
        """The holds claimed, whose records are to be written; None where another refresh came between."""
        meters = {budget.meter.key: budget.meter for budget in self._definitions.all()}
        with self._file.transaction() as transaction:
            wanted = [(meter, meter.span(transaction.at)) for meter in meters.values()]
            refreshes = transaction.refreshes
            ended = {owner for owner in transaction.owners() if has_ended(owner)}
        with self._ledger.snapshot_now() as snapshot:
            stamp = (snapshot.view.manifest.generation, snapshot.view.tail.bytes, tuple(wanted))
            with self._file.transaction() as transaction:
                if not ended and self._last == (refreshes, stamp) and transaction.refreshes == refreshes:
                    transaction.note_refresh()
                    return []
                holds = transaction.holds()
            counts, found = snapshot.ask(lambda shot: _look(shot, wanted, holds))
            if not snapshot.view.tail.is_whole:
                ended = set()  # their records may be among those that cannot be seen yet
        with self._file.transaction() as transaction:
            if transaction.refreshes != refreshes:
                return None
            _let_go(transaction, found)
            claimed = [hold for hold in holds if hold.id not in found and self._claim(transaction, hold, ended)]
            transaction.replace(counts)
            self._last = (transaction.refreshes, stamp)
        return claimed

    def _claim(self, transaction: Transaction, hold: Hold, ended: set[str]) -> bool:
        """Whether a record is to be written for the hold: its process ended in a call. A bundle's hold is removed."""
        is_ours = hold.state == "claimed" and hold.owner == this_owner()  # and could not be written the last time
        if hold.state == "settled" or not (hold.owner in ended or is_ours or _is_long_over(hold)):
            return False
        now = transaction.find(hold.id)
        if now is None or (now.owner, now.state) != (hold.owner, hold.state):
            return False
        if hold.kind == "bundle":
            transaction.change(now, None)
            return False
        transaction.claim(now, this_owner())
        return True

    def _write_interrupted(self, holds: Sequence[Hold]) -> bool:
        """One record each, of the hold's own id. Whether all were kept; the others are written the next time."""
        for hold in holds:
            try:
                self._ledger.record(UsageRecord(id=hold.id, started_at=hold.at, status="interrupted", **hold.labels))
            except RecordNotKept as error:
                _log.warning("A call that its process's end interrupted was not recorded: %s", error)
                return False
        _log.info("%d calls were interrupted by the end of their process; each counts as what was held.", len(holds))
        return True


def _look(snapshot: Snapshot, wanted: Sequence[tuple[Meter, Span]], holds: Sequence[Hold]) -> tuple[list[Count], Found]:
    from .ledger_totals import recorded, spent

    oldest = min((hold.at for hold in holds), default=datetime.now(UTC))
    return spent(snapshot, wanted), recorded(snapshot, [hold.id for hold in holds], oldest)


def _let_go(transaction: Transaction, found: Found) -> None:
    """What is known of a hold is in the sums now. What is not stays held at its estimate."""
    unknown = {id for id, known in found.items() if not all(known)}  # noqa: A001
    transaction.forget(found.keys() - unknown)
    for hold in _there(transaction, unknown):
        priced, counted = found[hold.id]
        left = Amounts(0 if priced else hold.amounts.money, 0 if counted else hold.amounts.tokens, 0)
        transaction.change(hold, left if left.money or left.tokens else None, "settled")


def _there(transaction: Transaction, ids: Iterable[str]) -> list[Hold]:
    return [hold for id in ids if (hold := transaction.find(id)) is not None]  # noqa: A001


def _is_long_over(hold: Hold) -> bool:
    return not hold.owner.startswith(f"{host_name()}/") and datetime.now(UTC) - hold.at > _SURELY_OVER
