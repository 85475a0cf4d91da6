"""Prices the records of a batch that came without a cost but with known usage."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING

from ..errors import LLMManagerError
from ..types import USAGE_FIELDS, Cost, Usage

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Price = Callable[..., Cost]
"""As `ModelService.price(id, usage, at=, mode=)`."""

_log = logging.getLogger(__name__)


def price_batch(connection: DuckDBPyConnection, price: Price) -> int:
    """Set the cost of records in the table `batch` that have none, where one is known. Returns how many were priced.

    A record whose usage is unknown, and one whose price is unknown, stay without a cost: unpriced, never 0.
    """
    unpriced = connection.execute(
        f"SELECT rowid, connection, provider, model, started_at, mode, {', '.join(USAGE_FIELDS)} FROM batch "
        "WHERE cost_usd IS NULL AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL "
        "AND usage_source IS DISTINCT FROM 'unknown'"
    ).fetchall()
    found: list[tuple[int, Cost]] = []
    faults: list[Exception] = []
    for row, connection_name, provider, model, started_at, mode, *counts in unpriced:
        usage = {name: count for name, count in zip(USAGE_FIELDS, counts, strict=True) if count is not None}
        for way in dict.fromkeys((connection_name, provider)):  # the connection may be gone, or never have been here
            try:
                cost = price(
                    f"{way}:{model}", Usage(**usage), at=started_at.replace(tzinfo=UTC), mode=mode or "standard"
                )
            except LLMManagerError:  # the model is not known here, or its usage contradicts itself
                continue
            except Exception as fault:  # noqa: BLE001  # of a price list: it must not keep records out of the ledger
                faults.append(fault)
                continue
            if cost.usd is not None:
                found.append((row, cost))
                break
    if found:
        _set(connection, found)
    if faults:
        _log.error("Pricing failed %d times; those records are kept without a cost.", len(faults), exc_info=faults[0])
    return len(found)


def _set(connection: DuckDBPyConnection, found: list[tuple[int, Cost]]) -> None:
    connection.execute(
        """
        UPDATE batch SET cost_usd = p.usd::DECIMAL(18, 10), price_source = p.source, price_from = p.since::DATE
        FROM (
            SELECT unnest($rows::BIGINT[]) AS row, unnest($usd::VARCHAR[]) AS usd,
                   unnest($source::VARCHAR[]) AS source, unnest($since::VARCHAR[]) AS since
        ) AS p
        WHERE batch.rowid = p.row
        """,
        {
            "rows": [row for row, _ in found],
            "usd": [f"{cost.usd:f}" for _, cost in found],
            "source": [cost.source for _, cost in found],
            "since": [cost.effective_from and cost.effective_from.isoformat() for _, cost in found],
        },
    )
