"""How numbers read on every page: dollars, tokens, times, shares. Unknown is a dash, never 0, None or nan."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UNKNOWN = "–"

Number = Decimal | float | int | None


def known(value: object) -> bool:
    """False for None, and for what tables hold in its place: not-a-number, pandas' NA and NaT."""
    try:
        return value is not None and bool(value == value)
    except TypeError:  # NA is neither true nor false
        return False


def plain(text: object) -> str:
    """A name that others chose, safe inside Markdown: shown letter by letter, never as a link, an image or a colour."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>$~])", r"\\\1", str(text))


def usd(value: Number) -> str:
    """$182.40, $0.0021, $1.2 M: under a dollar two digits that count, under a hundredth of a cent only that."""
    if not known(value):
        return UNKNOWN
    amount = float(value)
    if amount == 0:
        return "$0.00"
    if abs(amount) < 0.0001:
        return "< $0.0001"
    if abs(amount) < 0.995:
        places = max(2, 1 - math.floor(math.log10(abs(amount))))
        return f"${amount:.{places}f}"
    if abs(amount) < 99_999.5:
        return f"${amount:,.2f}"
    return f"${_short(amount)}"


def count(value: Number) -> str:
    """48,213; from a million on 96.2 M."""
    if not known(value):
        return UNKNOWN
    return f"{float(value):,.0f}" if abs(float(value)) < 999_999.5 else _short(float(value))


def tokens(value: Number) -> str:
    """A limit in tokens: 4,096; from ten thousand on 128 k, 1.0 M."""
    return count(value) if not known(value) or float(value) < 9_999.5 else _short(float(value))


def sentence(name: str) -> str:
    """A parameter's or column's name as words: max_tokens becomes Max tokens."""
    return name.replace("_", " ").capitalize()


def exact(value: Number) -> str:
    """Every digit of a whole number, for the tooltip of a shortened one."""
    return f"{float(value):,.0f}" if known(value) else UNKNOWN


def duration(milliseconds: Number) -> str:
    """212 ms, 3.8 s, 2.1 min, 1.5 h."""
    if not known(milliseconds):
        return UNKNOWN
    ms = float(milliseconds)
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    return f"{ms / 60_000:.1f} min" if ms < 3_597_000 else f"{ms / 3_600_000:.1f} h"


def share(value: Number) -> str:
    """A part of one as percent: 41 %, 0.7 %, 0.04 %."""
    if not known(value):
        return UNKNOWN
    percent = float(value) * 100
    if percent == 0 or abs(percent) >= 9.95:
        return f"{percent:.0f} %"
    return f"{percent:.1f} %" if abs(percent) >= 0.095 else f"{percent:.2g} %"


def speed(tokens_per_second: Number) -> str:
    return f"{float(tokens_per_second):,.0f} tok/s" if known(tokens_per_second) else UNKNOWN


def price_pair(input_price: Number, output_price: Number) -> str:
    """Prices per million tokens: $0.60 in · $2.40 out per M; free where both are 0."""
    if not known(input_price) and not known(output_price):
        return "price unknown"
    if input_price == 0 and output_price == 0:
        return "free"
    return f"{usd(input_price)} in · {usd(output_price)} out per M"


def size(number_of_bytes: Number) -> str:
    return f"{float(number_of_bytes) / 1e6:,.0f} MB" if known(number_of_bytes) else UNKNOWN


def zone(name: str | None) -> ZoneInfo:
    """The browser's zone, or UTC where it is not told or not known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment(at: datetime | None, tz: ZoneInfo, now: datetime | None = None) -> str:
    """just now, 12 min ago, 5 h ago; beyond a day 24 Nov, 07:00, with the year where it is another."""
    if not known(at):
        return UNKNOWN
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    now = now or datetime.now(UTC)
    ago = now - at
    if timedelta(0) - timedelta(minutes=1) < ago < timedelta(days=1):
        minutes = int(ago.total_seconds() // 60)
        if minutes < 1:
            return "just now"
        return f"{minutes} min ago" if minutes < 60 else f"{minutes // 60} h ago"
    there = at.astimezone(tz)
    year = "" if there.year == now.astimezone(tz).year else f" {there.year}"
    return f"{there.day} {there:%b}{year}, {there:%H:%M}"


def change(now: Number, before: Number) -> str | int | None:
    """The relative change for a delta: "+12 %", "-3 %", 0 where nothing changed, None with nothing to compare."""
    if not known(now) or not known(before) or not before:
        return None
    ratio = float(now) / float(before)
    if abs(ratio - 1) < 0.005:
        return 0
    return f"{(ratio - 1) * 100:+.0f} %" if ratio < 10 else f"+{ratio:,.0f}x"


def difference(now: Number, before: Number, unit: str, scale: float = 1.0, places: int = 1) -> str | int | None:
    """The plain difference for a delta: "-0.4 s", "+6 pt"; 0 and None as in `change`."""
    if not known(now) or not known(before):
        return None
    step = round((float(now) - float(before)) * scale, places)
    return f"{step:+,.{places}f} {unit}" if step else 0


def _short(amount: float) -> str:
    for limit, divisor, unit in ((999_500, 1e3, "k"), (999_500_000, 1e6, "M"), (float("inf"), 1e9, "B")):
        if abs(amount) < limit:
            value = amount / divisor
            return f"{value:,.1f} {unit}" if abs(value) < 99.95 else f"{value:,.0f} {unit}"
    raise AssertionError("every number is below infinity")
