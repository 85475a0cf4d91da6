"""Spans of time that a page can show, and what each is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

DAYS = {"24 h": 1, "7 d": 7, "30 d": 30, "90 d": 90}
"""Each by the name it has on the page and in the URL."""
USUAL = "30 d"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to now in `count` buckets; `earlier` is the same stretch of time just before, to compare with."""

    name: str
    start: datetime
    bucket: str
    count: int
    earlier: tuple[datetime, datetime]
    tz: str

    @property
    def words(self) -> str:
        return f"{self.count} {self.bucket}s"


def span_of(name: str, tz: str, now: datetime) -> Span:
    """Days begin at midnight in `tz` and today is the last of them; the 24 hours begin at a full hour.

    `now` counts in steps of five minutes, so that the same question is asked, and its answer kept, for a while.
    """
    here = pd.Timestamp(now).tz_convert(tz).floor("5min", ambiguous=True)
    if DAYS.get(name, 0) == 1:
        start, length = here.floor("h", ambiguous=True) - pd.Timedelta(hours=23), pd.Timedelta(days=1)
        return _span(name, start, "hour", 24, here, length, tz)
    days = DAYS.get(name, DAYS[USUAL])
    start = here.normalize() - pd.DateOffset(days=days - 1)
    return _span(name, start, "day", days, here, pd.DateOffset(days=days), tz)


def _span(name: str, start: pd.Timestamp, bucket: str, count: int, here: pd.Timestamp, length: object, tz: str) -> Span:
    earlier = ((start - length).to_pydatetime(), (here - length).to_pydatetime())
    return Span(name, start.to_pydatetime(), bucket, count, earlier, tz)


def every_bucket(series: pd.DataFrame, span: Span) -> pd.DataFrame:
    """One row for each bucket of the span, also for those in which nothing happened: a trend line knows no gaps."""
    every = pd.date_range(span.start, periods=span.count, freq="h" if span.bucket == "hour" else "D", tz=span.tz)
    return series.set_index("bucket").reindex(every)
