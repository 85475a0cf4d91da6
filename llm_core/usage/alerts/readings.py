"""What the rules say of some figures: pure functions, which know neither ledger nor clock.

A rule has two limits. Above the upper one a reading `fires`; between the two it keeps an alert open that is, and begins
none; below the lower one there is no reading, and the alert is over. So one event is told once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from ..percent import percent
from .figures import BudgetFigure, Figures, Group, Work
from .rules import Rule

Options = Mapping[str, float]

SEVERITIES: tuple[str, ...] = ("info", "warning", "critical")
WEEKS = 8
_WEEKS_NEEDED = 4
"""Before that, nothing is said to be unusual for its hour or week."""
_MAD = 1.4826
"""The median absolute deviation times this is the standard deviation of a normal distribution."""
_LEAST_SPREAD = 0.3
"""Of a usual hour: a spread below it is an accident of eight numbers."""
_RARE = 1.5
"""Times what only one hour in a hundred costs: below it an hour is one of those that come again and again."""
_SETTLES = 0.95
"""Share of a threshold below which a budget counts as recovered."""
_AN_OUTAGE = 0.9
"""Share of requests that fail at the provider from which it is not an error rate: it is down."""
_LATENCY_SCORE = 5.0
_LATENCY_LEAST_MS = 300.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One rule's word on one subject. `key` tells events apart, `level` how far one has come (0 where there is but one
    way). Words are for people: `title` in a line, `text` with the figures and what to do."""

    kind: str
    key: str
    subject: str
    title: str
    text: str
    fires: bool = True
    level: float = 0.0
    severity: str = "warning"


def readings(figures: Figures, rules: Mapping[str, Rule]) -> list[Reading]:
    """Of all rules that are switched on."""
    found: list[Reading] = []
    for kind, read in _READERS.items():
        if rules[kind].enabled:
            found += read(figures, rules[kind].options)
    return found


def _budget(figures: Figures, options: Options) -> Iterator[Reading]:
    for budget in figures.budgets:
        for threshold in sorted({*budget.thresholds, 1.0}):
            if budget.used < threshold * _SETTLES:
                continue
            reached = threshold == 1.0
            over = "Calls that could pass it are refused. " if budget.hard else "It is a soft limit: calls go on. "
            yield Reading(
                "budget",
                f"{budget.id}/{budget.starts_at or ''}",
                budget.name,
                f"The budget {budget.name} is {'used up' if reached else f'{percent(threshold)} used'}",
                f"{budget.spent} of {budget.limit} is spent or held, {percent(budget.used)}. {over if reached else ''}"
                f"{_resets(budget)}",
                budget.used >= threshold,
                threshold,
                "critical" if reached and budget.hard else "warning",
            )


def _resets(budget: BudgetFigure) -> str:
    at = budget.resets_at
    return f"It begins anew on {at.day} {at:%B at %H:%M}." if at else "It never begins anew."


def _pace(figures: Figures, options: Options) -> Iterator[Reading]:
    for budget in figures.budgets:
        if budget.projected is None or budget.used >= 1 or budget.projected < 1:
            continue
        yield Reading(
            "pace",
            f"{budget.id}/{budget.starts_at or ''}",
            budget.name,
            f"The budget {budget.name} is on the way to {percent(budget.projected)}",
            f"{budget.spent} of {budget.limit} is used, and the rest of the period is likely to bring it to "
            f"{percent(budget.projected)}, if it goes like your last four weeks. {_resets(budget)}",
            budget.projected >= 1 + options["over"],
        )
    yield from _busy_week(figures, options)


def _busy_week(figures: Figures, options: Options) -> Iterator[Reading]:
    """Most days must be above their own weekday, so that one spike is not a pace."""
    days = _last_days(figures, 35)
    if figures.first_at is None or figures.now - figures.first_at < timedelta(days=35):
        return
    last, before = days[:7], days[7:]
    usual = sum(before) / 4
    if sum(last) < options["least_usd"] or usual <= 0:
        return
    ratio = sum(last) / usual
    busy = sum(spent > max(options["times"] * median(before[day::7]), 0.05 * usual) for day, spent in enumerate(last))
    if ratio >= 1 + (options["times"] - 1) / 2 and busy >= 3:
        yield Reading(
            "pace",
            "week",
            "All calls",
            f"The last seven days cost {ratio:.1f} times a usual week",
            f"${sum(last):,.2f} in the last seven days; ${usual:,.2f} a week in the four weeks before.",
            ratio >= options["times"] and busy >= 4,
        )


def _last_days(figures: Figures, count: int) -> list[float]:
    """Spend of whole 24 hours back from now, the latest first."""
    sums = [0.0] * count
    for hour, spent in figures.hours.items():
        ago = (figures.now - hour) // timedelta(days=1)
        if 0 <= ago < count:
            sums[ago] += spent
    return sums


def _spike(figures: Figures, options: Options) -> Iterator[Reading]:
    """Of the last whole hour and of the one that runs, which can only grow."""
    hour = figures.now.replace(minute=0, second=0, microsecond=0)
    found = [one for one in (_spike_in(figures, at) for at in (hour, hour - timedelta(hours=1))) if one]
    if not found:
        return
    score, spent, usual, at = max(found)
    if spent < options["least_usd"] or score < options["score"] / 2:
        return
    yield Reading(
        "spike",
        "all",
        "All calls",
        f"${spent:,.2f} in one hour, where ${usual:,.2f} is usual",
        f"The hour from {at.astimezone(figures.tz):%A %H:%M} cost ${spent:,.2f}; the same hour of the weeks before "
        f"cost ${usual:,.2f} (median; robust z-score {min(score, 999):.0f}). {figures.driver}".strip(),
        score >= options["score"],
        severity="critical" if score >= 3 * options["score"] else "warning",
    )


def _spike_in(figures: Figures, hour: datetime) -> tuple[float, float, float, datetime] | None:
    """Robust z-score, spend, and median of the same hour of the week; None where there is too little to compare."""
    spent = figures.hours.get(hour, 0.0)
    same = [figures.hours.get(at, 0.0) for at in _same_hours(figures, hour)]
    past = sorted(value for at, value in figures.hours.items() if at < hour - timedelta(hours=1) and value > 0)
    if len(same) < _WEEKS_NEEDED or not past or spent <= _RARE * past[int(0.99 * (len(past) - 1))]:
        return None
    middle = median(same)
    spread = _MAD * median(abs(value - middle) for value in same)
    spread = max(spread, _LEAST_SPREAD * max(middle, median(past)))
    return (spent - middle) / spread, spent, middle, hour


def _same_hours(figures: Figures, hour: datetime) -> list[datetime]:
    """The hour of the week that this one is in the person's zone, in the weeks before, as far as there are records."""
    local = hour.astimezone(figures.tz)
    earlier = [(local - timedelta(weeks=week)).astimezone(hour.tzinfo) for week in range(1, WEEKS + 1)]
    return [at for at in earlier if figures.first_at is not None and at >= figures.first_at - timedelta(hours=1)]


def _errors(figures: Figures, options: Options) -> Iterator[Reading]:
    for name, last in figures.last_hour.items():
        usual, now = figures.last_week.get(name, Group()), figures.last_quarter.get(name, Group())
        if last.attempts == 0 or last.failing < max(options["share"] / 2, 2 * usual.failing):
            continue
        yield Reading(
            "errors",
            name,
            name,
            f"{percent(last.failing)} of the requests to {figures.title(name)} fail",
            f"{last.errors:,} of {last.attempts:,} requests failed in the last hour ({_mostly(last)}); "
            f"{percent(usual.failing, 1)} in the week before.",
            last.attempts >= options["least_calls"]
            and last.failing >= max(options["share"], 3 * usual.failing)
            and options["share"] / 2 <= now.failing  # not one that is over
            and now.outage < _AN_OUTAGE,
        )


def _mostly(group: Group) -> str:
    return f"mostly {group.mostly.replace('_', ' ')}"


def _down(figures: Figures, options: Options) -> Iterator[Reading]:
    for name in sorted({*figures.last_quarter, *figures.failed_tests, *figures.last_day}):
        last, day = figures.last_quarter.get(name, Group()), figures.last_day.get(name, Group())
        told = figures.failed_tests.get(name) if last.attempts == last.outages else None
        fires = told is not None or (last.attempts >= options["least_calls"] and last.outage >= options["share"])
        quiet = last.attempts == 0 and day.attempts > 0  # nobody calls: whether it is back is not known
        if fires or quiet or last.outage >= options["share"] / 2:
            yield Reading(
                "down",
                name,
                name,
                f"No call gets through to {figures.title(name)}",
                f"Its last test failed: {told}"
                if told
                else f"{last.outages:,} of {last.attempts:,} requests of the last 15 minutes failed at the provider "
                f"({_mostly(last)}).",
                fires,
                severity="critical",
            )


def _latency(figures: Figures, options: Options) -> Iterator[Reading]:
    """One reading for each model, of the work that is slowed most: of what is certain to be, where there is any."""
    worst: dict[str, Reading] = {}
    ranks: dict[str, tuple[bool, float]] = {}
    for work, last in figures.slow_hours.items():
        usual = figures.usual_work.get(work)
        if usual is None or not _can_be_compared(last, usual):
            continue
        ratio = last.p50_ms / usual.p50_ms
        spread = max(math.log(max(usual.p95_ms / usual.p50_ms, 1.01)) / 1.645, 0.1)
        score = math.log(ratio) / (1.25 * spread / math.sqrt(last.calls)) if ratio > 1 else 0.0
        model = f"{work[0]}:{work[1]}"
        enough = last.calls >= options["least_calls"] and last.p50_ms - usual.p50_ms >= _LATENCY_LEAST_MS
        fires = enough and ratio >= options["times"] and score >= _LATENCY_SCORE
        if ratio < 1 + (options["times"] - 1) / 2 or (fires, ratio) <= ranks.get(model, (False, 0.0)):
            continue
        ranks[model] = fires, ratio
        worst[model] = Reading(
            "latency",
            model,
            model,
            f"{figures.title(model)} takes {ratio:.1f} times as long as usual",
            f"Half of the answers of the last three hours took {last.p50_ms / 1000:,.1f} s or more; "
            f"{usual.p50_ms / 1000:,.1f} s in the two weeks before{f', for {work[2]}' if work[2] else ''}.",
            fires,
        )
    yield from worst.values()


def _can_be_compared(last: Work, usual: Work) -> bool:
    """Ten times as many before, of a known time, so that the usual is known well."""
    return last.calls > 0 and usual.calls >= 100 and last.p50_ms > 0 and usual.p50_ms > 0


def _unpriced(figures: Figures, options: Options) -> Iterator[Reading]:
    for model, (calls, missing) in figures.unpriced.items():
        unknown = None if missing in ("model", None) else missing.replace("_", " ")
        lacks = f"it has no rate for {unknown}" if unknown else "its price is not known"
        yield Reading(
            "unpriced",
            model,
            model,
            f"Calls of {figures.title(model)} have no cost",
            f"{calls:,} calls of the last day have none, since {lacks}: totals and budgets lack them. Enter its price "
            "on the Models page, and price what was recorded there, too.",
            calls >= options["least_calls"],
        )


def _key_age(figures: Figures, options: Options) -> Iterator[Reading]:
    for name, days in figures.key_days.items():
        if days >= figures.key_days_allowed:
            yield Reading(
                "key_age",
                name,
                name,
                f"The key of {figures.title(name)} is {days:.0f} days old",
                f"Keys are due after {figures.key_days_allowed:.0f} days. Make a new one at the provider and rotate it "
                "on the Providers page; running calls keep the old one.",
                severity="info",
            )


def _shutdown(figures: Figures, options: Options) -> Iterator[Reading]:
    for ending in figures.endings:
        for level, days in enumerate((options["days"], 14.0, 3.0, 0.0), start=1):
            if ending.days_left > days or (level in (2, 3) and days >= options["days"]):
                continue
            left, over = ending.days_left, ending.days_left <= 0
            when = "was shut down" if over else f"is shut down in {left} day{'' if left == 1 else 's'}"
            yield Reading(
                "shutdown",
                ending.id,
                ending.id,
                f"{figures.title(ending.id)} {when}",
                f"{'It ended' if over else 'It ends'} on {ending.ends_on.day} {ending.ends_on:%B %Y}. {ending.use}"
                + (f" Its provider recommends {figures.title(ending.replacement)}." if ending.replacement else ""),
                level=float(level),
                severity="critical" if level >= 3 else "warning",
            )


_READERS: Mapping[str, Callable[[Figures, Options], Iterator[Reading]]] = {
    "budget": _budget,
    "pace": _pace,
    "spike": _spike,
    "errors": _errors,
    "latency": _latency,
    "down": _down,
    "unpriced": _unpriced,
    "key_age": _key_age,
    "shutdown": _shutdown,
}


def highest(found: Sequence[Reading]) -> set[tuple[str, str, float]]:
    """Of each event the furthest level: the ones below it are reached too, and are not worth a word of their own."""
    most: dict[tuple[str, str], float] = {}
    for reading in found:
        if reading.fires:
            place = (reading.kind, reading.key)
            most[place] = max(most.get(place, reading.level), reading.level)
    return {(kind, key, level) for (kind, key), level in most.items()}
