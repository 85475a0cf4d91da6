"""What a ledger is to the rest: a place that takes batches of records, each once, and that DuckDB can query.

The local form is `segments.SegmentLedger`. A team's form takes the same batches into a shared database; queries are the
same SQL over the view `usage` in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .manifest import SpoolMark
from .quarantine import BadLine
from .spool import Batch

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch: rows now in the ledger, how many of them were priced, and what was no record."""

    rows: int
    priced: int = 0
    bad: tuple[BadLine, ...] = ()


class Ledger(Protocol):
    """Records and the marks that say which spool lines they came from change in one step, so each arrives once."""

    def marks(self) -> Mapping[str, SpoolMark]:
        """How far each spool is in the ledger."""
        ...

    def append(self, batch: Batch) -> Appended | None:
        """Take a batch. None: another process took some of its lines first; nothing was changed, collect again.

        Raises OSError, duckdb.Error, LedgerDamaged; then nothing was changed either.
        """
        ...

    def attach(self, connection: DuckDBPyConnection) -> None:
        """Make all records in the ledger the temporary view `usage` of a connection, read-only."""
        ...
