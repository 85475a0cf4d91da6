"""Reads a vendor's dates without failing over them: they may be missing, days, times without a zone, or not dates."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

_MONTH_OR_DAY = re.compile(r"\d{4}-\d{2}(-\d{2})?")


def moment(told: Any) -> datetime | None:
    """A time in UTC, which is meant where no zone is named; a day stands for its beginning."""
    try:
        found = datetime.fromisoformat(told)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def day(told: Any) -> date | None:
    """A day. The first one of Unix time stands for a date that the vendor does not know."""
    found = moment(told)
    return found.date() if found is not None and found.year > 1970 else None


def month_or_day(told: Any) -> str | None:
    """YYYY-MM or YYYY-MM-DD, as the vendor wrote it."""
    return told if isinstance(told, str) and _MONTH_OR_DAY.fullmatch(told) else None
