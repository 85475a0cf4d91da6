"""When work is done: a measure by hour of the day and day of the week, in a person's zone.

An hour of the week that occurred more often in the span, or twice in a night when clocks went back, would look busier
than it is. So each cell is told per hour that passed in it: sums are divided by how long the span was in that cell.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import InvalidInput
from .filters import Condition
from .queries import SORTS, SUMMED, measures
from .question import Query, Writer, as_found, select, with_steps
from .zones import zone

if TYPE_CHECKING:
    import pandas as pd

_QUARTER = "INTERVAL 15 MINUTE"
"""Zones change their clocks on quarters of an hour."""

_HOUR_US = 3_600_000_000


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
        usage, matching = writer.usage("started_at", *where.columns), writer.where(where)
        latest = f"greatest({writer.value(until)}, max(started_at) + INTERVAL 1 MICROSECOND)"
        first = "min(started_at)" if where.start is None else writer.value(where.start)
        last = latest if where.end is None else f"least({writer.value(where.end)}, {latest})"
        bounds = select([f"{first} AS first", f"{last} AS last"], usage, matching)
        quarters = select(
            [f"unnest(range(time_bucket({_QUARTER}, first), last, {_QUARTER})) AS quarter", "first", "last"], "bounds"
        )
        begun = writer.local("quarter", local, where.start, where.end)
        passed = f"epoch_us(least(quarter + {_QUARTER}, last)) - epoch_us(greatest(quarter, first))"
        hours = select([*_cell(begun), f"sum({passed})::BIGINT / {_HOUR_US} AS hours"], "quarters", group="ALL")
        made = select(
            [*_cell(writer.local("started_at", local, where.start, where.end)), *measures(value, "priced", "records")],
            writer.usage("started_at", *where.columns, *SUMMED),
            matching,
            group="ALL",
        )
        total = f"CASE WHEN made.records IS NULL THEN 0 ELSE made.{value} END"
        last_step = select(
            [
                *("weekday", "hour", "hours", "coalesce(made.records, 0) AS records"),
                f"{writer.money(f'({total})') if value == 'cost_usd' else total} AS {value}",
                f"({total})::DOUBLE / hours AS average",
                "made.priced",
            ],
            "hours LEFT JOIN made USING (weekday, hour)",
            order="weekday, hour",
        )
        steps = [("bounds", bounds), ("quarters", quarters), ("hours", hours), ("made", made)]
        return with_steps(steps, last_step)

    return Query(write, as_found)


def _cell(local: str) -> list[str]:
    return [f"isodow({local}) - 1 AS weekday", f"hour({local}) AS hour"]
