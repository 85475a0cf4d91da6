"""Quiet hours: when nothing is sent, in a person's zone. What begins in them is sent at their end."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def after_quiet(moment: datetime, hours: str, tz: ZoneInfo) -> datetime:
    """The moment itself, or the end of the quiet hours it lies in. `hours` is as 22:00-07:00, or empty for none."""
    found = _HOURS.fullmatch(hours)
    if found is None:
        return moment
    first, last = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    local = moment.astimezone(tz)
    at = local.time().replace(tzinfo=None)
    is_quiet = first <= at < last if first <= last else at >= first or at < last
    if not is_quiet:
        return moment
    day = local.date() + timedelta(days=1) if at >= last else local.date()
    return datetime.combine(day, last, tz).astimezone(UTC)
