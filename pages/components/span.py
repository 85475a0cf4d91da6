"""Spans of time that a page can show, and what each is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from llm_core.usage import spans

DAYS = {"24 h": 1, "7 d": 7, "30 d": 30, "90 d": 90}
MONTHS = ("This month", "Last month")
CUSTOM = "Custom"
NAMES = (*DAYS, *MONTHS, CUSTOM)
"""Each by the name it has on the page and in the URL."""
USUAL = "30 d"

_STEPS = {"hour": "h", "day": "D", "month": "MS"}
_MOST_HOURS, _MOST_DAYS = 2, 400
"""Days up to which a span of chosen dates is told by the hour, and by the day."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` in `count` buckets, up to `end`, or to now and on where it is None.

    `earlier` is what it is compared with: as long a time before, as far as this one has come.
    """

    name: str
    start: datetime
    bucket: str
    count: int
    earlier: tuple[datetime, datetime]
    tz: str
    end: datetime | None = None

    @property
    def words(self) -> str:
        """What `earlier` is: the 30 days before."""
        if self.name in MONTHS:
            return "month before" + (", up to the same day" if self.end is None else "")
        return f"{self.count} {self.bucket}s before" if self.count > 1 else f"{self.bucket} before"


def span_of(name: str, tz: str, now: datetime, dates: tuple[date, date] | None = None) -> Span:
    """Days begin at midnight in `tz` and today is the last of them; the 24 hours begin at a full hour. `dates` are the
    first and last day of a CUSTOM span.

    `now` counts in steps of five minutes, so that the same question is asked, and its answer kept, for a while.
    """
    here = pd.Timestamp(now).tz_convert(tz).floor("5min", ambiguous=True)
    if DAYS.get(name, 0) == 1:
        start, length = here.floor("h", ambiguous=True) - pd.Timedelta(hours=23), pd.Timedelta(days=1)
        return _back(name, start, "hour", 24, here, length, tz)
    if name in MONTHS:
        return _of_days(name, spans.span(name.lower(), tz, here.to_pydatetime()), here)
    if name == CUSTOM and dates is not None:
        return _of_days(name, spans.between(*sorted(dates), tz), here)
    days = DAYS.get(name, DAYS[USUAL])
    start = here.normalize() - pd.DateOffset(days=days - 1)
    return _back(name, start, "day", days, here, pd.DateOffset(days=days), tz)


def _back(name: str, start: pd.Timestamp, bucket: str, count: int, here: pd.Timestamp, length: object, tz: str) -> Span:
    earlier = ((start - length).to_pydatetime(), (here - length).to_pydatetime())
    return Span(name, start.to_pydatetime(), bucket, count, earlier, tz)


def _of_days(name: str, whole: spans.Span, here: pd.Timestamp) -> Span:
    """Whole days on the calendar. One that is not over goes on, and has buckets up to now alone."""
    before = whole.before(here.to_pydatetime())
    goes_on = whole.start <= here < whole.end
    last = here if goes_on else pd.Timestamp(whole.end) - pd.Timedelta(seconds=1)
    bucket = "hour" if whole.days <= _MOST_HOURS else "day" if whole.days <= _MOST_DAYS else "month"
    start = pd.Timestamp(whole.start)
    count = len(pd.date_range(_first(start, bucket), last, freq=_STEPS[bucket]))
    end = None if goes_on else whole.end
    return Span(name, whole.start, bucket, max(1, count), (before.start, before.end), whole.tz, end)


def _first(start: pd.Timestamp, bucket: str) -> pd.Timestamp:
    return start.replace(day=1) if bucket == "month" else start


def buckets(span: Span) -> pd.DatetimeIndex:
    """When each of its buckets begins, in its zone."""
    first = _first(pd.Timestamp(span.start).tz_convert(span.tz), span.bucket)
    return pd.date_range(first, periods=span.count, freq=_STEPS[span.bucket], tz=span.tz)


def every_bucket(series: pd.DataFrame, span: Span) -> pd.DataFrame:
    """One row for each bucket of the span, also for those in which nothing happened: a trend line knows no gaps."""
    return series.set_index("bucket").reindex(buckets(span))
