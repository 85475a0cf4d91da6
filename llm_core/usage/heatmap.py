"""When work is done: a measure by hour of the day and day of the week, in a person's zone.

An hour of the week that occurred more often in the span, or twice in a night when clocks went back, would look busier
than it is. So each cell is told per hour that passed in it: sums are divided by how long the span was in that cell.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ..errors import InvalidInput
from .filters import Condition
from .queries import SORTS, measures
from .question import Query, Writer, as_found, select, with_steps
from .zones import zone

if TYPE_CHECKING:
    import pandas as pd

_QUARTER = "INTERVAL 15 MINUTE"
"""Zones change their clocks on quarters of an hour."""

_HOUR_US = 3_600_000_000

_READS = {
    "calls": ("attempt", "part"),
    "attempts": ("part",),
    "errors": ("status",),
    "tokens": ("input_tokens", "output_tokens"),
}
"""The columns of a measure that is not a column itself."""


def heatmap(where: Condition, value: str, tz: str, now: datetime) -> Query[pd.DataFrame]:
    """One row for each hour of the week that occurred: weekday (0 is Monday), hour (0 to 23), hours, records, the
    measure `value`, average and priced.

    `hours` is how long the span was in it, and `average` is `value` / `hours`, a float. The span ends at `now` if it
    would go on, and begins with the first record if nothing else is said. Cells without records have 0; money is None,
    and its average NaN, where records have no known cost. Hours, records and value add up to those of the whole span.
    """
    if value not in SORTS:
        raise InvalidInput(f"There is no heatmap of {value!r}.", f"Use one of {', '.join(SORTS)}.")
    local = zone(tz)
    until = now.astimezone(UTC).replace(tzinfo=None)

    def write(writer: Writer) -> str:
        made = select(
            [*_cell(writer.local("started_at", local, where.start, where.end)), *measures(value, "priced", "records")],
            writer.usage(where, "started_at", "cost_usd", *_READS.get(value, (value,))),
            writer.where(where),
            group="ALL",
        )
        total = f"(CASE WHEN made.records IS NULL THEN 0 ELSE made.{value} END)"
        last = select(
            [
                *("weekday", "hour", "hours", "coalesce(made.records, 0) AS records"),
                f"{writer.money(total) if value == 'cost_usd' else total} AS {value}",
                f"{total}::DOUBLE / hours AS average",
                "made.priced",
            ],
            "hours LEFT JOIN made USING (weekday, hour)",
            order="weekday, hour",
        )
        bounds = ("bounds", _bounds(writer, where, until))
        return with_steps([bounds, *_hours(writer, where, local), ("made", made)], last)

    return Query(write, as_found)


def _bounds(writer: Writer, where: Condition, until: datetime) -> str:
    """When the span begins and ends; records are looked at only where they decide it."""
    first = "min(started_at)" if where.start is None else writer.value(where.start)
    if where.end is not None and where.end <= until:
        last = writer.value(where.end)
        if where.start is not None:
            return f"SELECT {first} AS first, {last} AS last"
    else:
        last = f"greatest({writer.value(until)}, max(started_at) + INTERVAL 1 MICROSECOND)"
        last = last if where.end is None else f"least({writer.value(where.end)}, {last})"
    return select([f"{first} AS first", f"{last} AS last"], writer.usage(where, "started_at"), writer.where(where))


def _hours(writer: Writer, where: Condition, local: ZoneInfo) -> list[tuple[str, str]]:
    """How long the span is in each cell, from the quarters of an hour in it, the first and last of which may be cut."""
    quarters = select(
        [f"unnest(range(time_bucket({_QUARTER}, first), last, {_QUARTER})) AS quarter", "first", "last"], "bounds"
    )
    passed = f"epoch_us(least(quarter + {_QUARTER}, last)) - epoch_us(greatest(quarter, first))"
    hours = select(
        [
            *_cell(writer.local("quarter", local, where.start, where.end)),
            f"sum({passed})::BIGINT / {_HOUR_US} AS hours",
        ],
        "quarters",
        group="ALL",
    )
    return [("quarters", quarters), ("hours", hours)]


def _cell(local: str) -> list[str]:
    return [f"isodow({local}) - 1 AS weekday", f"hour({local}) AS hour"]
