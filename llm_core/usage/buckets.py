"""Stretches of time that records are counted in: hours, days, weeks and months of a time zone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ..errors import InvalidInput
from .filters import Condition
from .question import Writer

if TYPE_CHECKING:
    import pandas as pd

BUCKETS: tuple[str, ...] = ("hour", "day", "week", "month")
"""Weeks begin on Monday."""

_HOUR_US = 3_600_000_000


def bucket_start(bucket: str, tz: ZoneInfo, where: Condition) -> Callable[[Writer], str]:
    """When a row's bucket begins, as the column `bucket`: in local time; for hours in UTC, as a clock change repeats an
    hour's name.
    """
    if bucket not in BUCKETS:
        raise InvalidInput(f"There is no bucket {bucket!r}.", f"Use one of {', '.join(BUCKETS)}.")

    def write(writer: Writer) -> str:
        local = writer.local("started_at", tz, where.start, where.end)
        if bucket == "hour":
            return f"make_timestamp(epoch_us(started_at) - epoch_us({local}) % {_HOUR_US}) AS bucket"
        return f"date_trunc('{bucket}', {local}) AS bucket"

    return write


def aware(frame: pd.DataFrame, bucket: str, tz: ZoneInfo) -> pd.DataFrame:
    """The frame with its column `bucket` in its zone.

    Where a clock change skips midnight the day begins after it; where it repeats midnight, at the first one.
    """
    import numpy as np

    starts = frame["bucket"]
    if bucket == "hour":
        frame["bucket"] = starts.dt.tz_localize("UTC").dt.tz_convert(tz)
    else:
        frame["bucket"] = starts.dt.tz_localize(tz, ambiguous=np.full(len(starts), True), nonexistent="shift_forward")
    return frame
