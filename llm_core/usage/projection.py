"""The arithmetic of a forecast from daily numbers: what the next days come to, and how wrong that was in the past.

`past` are the numbers of whole days without a gap, oldest first, and `weekday` that of the first of them, 0 is Monday.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.float64]]

LEVEL_DAYS, SHAPE_DAYS, GROWTH_DAYS = 14, 56, 28

_EVEN_WEEKS = 2.0
"""How many weeks' worth of an even week the usual shares are drawn towards."""


def weekday_shares(past: Numbers, weekday: int) -> Numbers:
    """Each day of the week beside an average day, Monday first; 1 is average. All are 1 where there was nothing."""
    import numpy as np

    recent = past[-SHAPE_DAYS:]
    days = (weekday + np.arange(len(past) - len(recent), len(past))) % 7
    average = recent.mean()
    shares = np.ones(7)
    if average > 0:
        for day in range(7):
            found = recent[days == day]
            shares[day] = (_EVEN_WEEKS + found.sum() / average) / (_EVEN_WEEKS + len(found))
    return np.asarray(shares / shares.mean())


def predicted(past: Numbers, weekday: int, count: int) -> Numbers:
    """The next `count` days: the level of the last LEVEL_DAYS, times each weekday's share."""
    import numpy as np

    shares = weekday_shares(past, weekday)
    recent = min(LEVEL_DAYS, len(past))
    days = weekday + np.arange(len(past) - recent, len(past) + count)
    level = past[-recent:].sum() / shares[days[:recent] % 7].sum()
    return np.asarray(level * shares[days[recent:] % 7])


def backtested(past: Numbers, weekday: int, count: int) -> tuple[Numbers, int]:
    """What came divided by what was predicted, from each earlier day for as many days ahead, and how many those are.

    That is `count`, but so few that at least three such spans lie side by side in the past.
    """
    import numpy as np

    ahead = max(1, min(count, max(7, (len(past) - LEVEL_DAYS) // 3)))
    ratios = []
    for day in range(LEVEL_DAYS, len(past) - ahead + 1):
        expected = predicted(past[:day], weekday, ahead).sum()
        if expected > 0:
            ratios.append(past[day : day + ahead].sum() / expected)
    return np.array(ratios), ahead


def interval(ratios: Numbers, ahead: int, chance: float) -> tuple[float, float]:
    """The lowest and highest ratio, leaving out the rarest on both sides.

    Spans that overlap tell little more than those that do not, so it is taken wider by the number of the latter: with
    few of them it reaches from the smallest to the largest that was seen.
    """
    import numpy as np

    apart = len(ratios) / ahead + 1
    reach = min(1.0, (apart + 1) / apart * (1 + chance) / 2)
    low, high = np.quantile(ratios, [1 - reach, reach])
    return float(low), float(high)


def growth(past: Numbers) -> float | None:
    """The last GROWTH_DAYS beside as many before: 0.2 is a fifth more."""
    before, last = past[-2 * GROWTH_DAYS : -GROWTH_DAYS], past[-GROWTH_DAYS:]
    if len(before) < GROWTH_DAYS or before.sum() <= 0:
        return None
    return float(last.sum() / before.sum() - 1)
