"""Prices the records of a batch that came without a cost but with known usage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..errors import LLMManagerError
from ..types import USAGE_FIELDS, Cost, PriceBand, Usage
from .repricing import PRICED_BY, Bands, priced_sql, rate_rows, rates_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Price = Callable[..., Cost]
"""As `ModelService.price(id, usage, at=, mode=)`."""


@runtime_checkable
class HasBands(Protocol):
    """A `Price` that also tells what a model costs at all times, so that SQL can price many rows at once."""

    def bands(self, id: str) -> Sequence[PriceBand] | None: ...  # noqa: A002


_UNPRICED = (
    "cost_usd IS NULL AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL "
    "AND usage_source IS DISTINCT FROM 'unknown'"
)
_log = logging.getLogger(__name__)


def price_batch(connection: DuckDBPyConnection, price: Price) -> int:
    """Set the cost of records in the table `batch` that have none, where one is known. Returns how many were priced.

    A record whose usage is unknown, and one whose price is unknown, stay without a cost: unpriced, never 0.
    """
    faults: list[Exception] = []
    asked: object = price
    if isinstance(asked, HasBands):
        priced = _in_one(connection, careful(asked.bands, faults))
    else:
        priced = _one_by_one(connection, price, faults)
    if faults:
        _log.error("Pricing failed %d times; those records are kept without a cost.", len(faults), exc_info=faults[0])
    return priced


def careful(bands: Bands, faults: list[Exception]) -> Bands:
    """The same, where nothing is known of a model that the list refuses or fails on; `faults` takes the failures."""

    def asked(id: str) -> Sequence[PriceBand] | None:  # noqa: A002
        try:
            return bands(id)
        except LLMManagerError:  # it is not a model id
            return None
        except Exception as fault:  # noqa: BLE001  # of a price list: it must not keep records out of the ledger
            faults.append(fault)
            return None

    return asked


def _in_one(connection: DuckDBPyConnection, bands: Bands) -> int:
    keys = connection.execute(f"SELECT DISTINCT connection, provider, model FROM batch WHERE {_UNPRICED}").fetchall()
    rows = rate_rows(bands, keys)
    if not rows:
        return 0
    rates, values = rates_sql(rows)
    unpriced = f"(SELECT rowid AS row, {', '.join(PRICED_BY)} FROM batch WHERE {_UNPRICED})"
    (done,) = connection.execute(
        f"""
        WITH rates AS MATERIALIZED ({rates})
        UPDATE batch SET cost_usd = p.repriced_usd, price_source = p.repriced_source, price_from = p.repriced_from
        FROM ({priced_sql(unpriced, ["row"])}) AS p
        WHERE batch.rowid = p.row AND p.repriced_usd IS NOT NULL
        """,
        values,
    ).fetchall()
    return int(done[0])


def _one_by_one(connection: DuckDBPyConnection, price: Price, faults: list[Exception]) -> int:
    unpriced = connection.execute(
        f"SELECT rowid, connection, provider, model, started_at, mode, {', '.join(USAGE_FIELDS)} FROM batch "
        f"WHERE {_UNPRICED}"
    ).fetchall()
    found: list[tuple[int, Cost]] = []
    for row, connection_name, provider, model, started_at, mode, *counts in unpriced:
        usage = {name: count for name, count in zip(USAGE_FIELDS, counts, strict=True) if count is not None}
        for way in dict.fromkeys((connection_name, provider)):  # the connection may be gone, or never have been here
            try:
                cost = price(
                    f"{way}:{model}", Usage(**usage), at=started_at.replace(tzinfo=UTC), mode=mode or "standard"
                )
            except LLMManagerError:  # the model is not known here, or its usage contradicts itself
                continue
            except Exception as fault:  # noqa: BLE001  # as above
                faults.append(fault)
                continue
            if cost.usd is not None:
                found.append((row, cost))
                break
    if found:
        _set(connection, found)
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
