"""How a budget stands, in words and a colour; amounts in its own measure; what it counts, and when it begins anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from llm_core.usage.budgets.budget import in_units, words
from pages.components import figures


class Standing(NamedTuple):
    """The worse one, the higher is its `rank`."""

    word: str
    colour: str
    icon: str
    rank: int


def standing(row: Any) -> Standing:
    """Of a row of `ws.usage.budgets.status()`."""
    if not row.left or row.used >= 1:
        word = "Stopped" if row.hard else "Over the limit"
        return Standing(word, "red", ":material/block:" if row.hard else ":material/error:", 3)
    if figures.known(row.threshold):
        return Standing(f"At {figures.share(row.used)}", "orange", ":material/warning:", 2)
    if will_pass(row):
        return Standing("Too fast", "orange", ":material/trending_up:", 1)
    return Standing("On track", "green", ":material/check_circle:", 0)


def will_pass(row: Any) -> bool:
    return figures.known(row.projection) and row.projection > row.limit


def amount(unit: str, value: Any) -> str:
    """$182.40; 1.2 M tokens; 1 call."""
    if unit == "money" or not figures.known(value):
        return figures.usd(value)
    return f"{figures.count(value)} {unit if value != 1 else unit.removesuffix('s')}"


def bare(unit: str, value: Any) -> str:
    """Without the unit's name, for a figure beside one that has it."""
    return figures.usd(value) if unit == "money" else figures.count(value)


def limit(row: Any) -> str:
    """$300 a month, 5,000 calls in total."""
    return f"{whole(row.unit, row.limit)} {each(row.period)}"


def whole(unit: str, value: Any) -> str:
    """Of a limit: every digit that it has."""
    return words(unit, in_units(value) if unit == "money" else value).removesuffix(".00")


def each(period: str) -> str:
    return "in total" if period == "total" else f"a {period}"


def anew(resets_at: Any, tz: str, now: datetime | None = None) -> str:
    """When its next period begins: in 3 h, on 1 Dec; exact in `moment`."""
    left = resets_at - (now or datetime.now(UTC))
    if left < timedelta(hours=1):
        return f"begins anew in {max(1, int(left.total_seconds() // 60))} min"
    if left < timedelta(days=2):
        return f"begins anew in {left.total_seconds() / 3600:.0f} h"
    return f"begins anew on {day(resets_at, tz)}"


def moment(resets_at: Any, tz: str) -> str:
    """1 December at 00:00 (Europe/Berlin)."""
    if not figures.known(resets_at):
        return "never"
    there = resets_at.astimezone(ZoneInfo(tz))
    return f"{there.day} {there:%B} at {there:%H:%M} ({tz})"


def day(at: datetime, tz: str) -> str:
    there = at.astimezone(ZoneInfo(tz))
    return f"{there.day} {there:%b}"


def last_day(resets_at: Any, tz: str) -> str:
    """The last day of a period that ends at this moment."""
    return day(resets_at - timedelta(minutes=1), tz)


def parts(row: Any) -> list[str]:
    """What is left, where the pace leads, and when it begins anew."""
    said = []
    over = row.spent + row.held - row.limit
    said.append(f"{bare(row.unit, over)} over" if over > 0 else f"{bare(row.unit, row.left)} left")
    if row.in_flight:
        said.append(f"{bare(row.unit, row.in_flight)} held by calls under way")
    if figures.known(row.projection) and figures.known(row.resets_at):
        said.append(f"at this pace {bare(row.unit, row.projection)} by {last_day(row.resets_at, row.tz)}")
    if figures.known(row.resets_at):
        said.append(anew(row.resets_at, row.tz))
    return said


def coverage(row: Any) -> str:
    """What of its calls it cannot count; empty where that is nothing, and where it counts no money."""
    if row.unit != "money" or not figures.known(row.priced) or row.priced >= 1:
        return ""
    return f"{figures.share(1 - row.priced)} of its requests have no known price, and are not in it."
