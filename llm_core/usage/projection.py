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

_EVEN_WEEKS = 1.0
"""How many weeks of even days the usual shares are drawn towards."""

_STEP_DAYS = (3, LEVEL_DAYS - 1)
"""A step of the level is seen from so many days after it; the last LEVEL_DAYS are all later than an older one."""
_STEP_ERRORS = 4.0
"""How many standard errors lie between the days before a step and those after it."""

_SPANS = 4
"""So many spans of the days ahead are to lie side by side in the past, where these are more than a week."""
_FEW = 2.5
"""With n spans side by side the interval reaches _FEW / n farther: between 2 and 3 it held best what it says, on pasts
made up for it (docs/usage.md)."""


def weekday_shares(past: Numbers, weekday: int) -> Numbers:
    """Each day of the week beside an average day, Monday first; 1 is average. All are 1 where there was nothing."""
    import numpy as np

    recent = past[-SHAPE_DAYS:]
    days = (weekday + np.arange(len(past) - len(recent), len(past))) % 7
    average = recent.mean()
    if average <= 0:
        return np.ones(7)
    sums, found = np.bincount(days, recent, 7), np.bincount(days, minlength=7)
    shares = (_EVEN_WEEKS + sums / average) / (_EVEN_WEEKS + found)
    return np.asarray(shares / shares.mean())


def predicted(past: Numbers, weekday: int, count: int) -> Numbers:
    """The next `count` days: the level of the newest days, times each weekday's share."""
    import numpy as np

    shares = weekday_shares(past, weekday)
    of_day = shares[(weekday + np.arange(len(past) + count)) % 7]
    recent = _days_of_level(past[-2 * LEVEL_DAYS :] / of_day[: len(past)][-2 * LEVEL_DAYS :])
    level = past[-recent:].sum() / of_day[len(past) - recent : len(past)].sum()
    return np.asarray(level * of_day[len(past) :])


def _days_of_level(even: Numbers) -> int:
    """How many of the last days tell the level: LEVEL_DAYS, or those since it clearly changed.

    `even` are days without their weekday's share. Each day is tried as the first of a new level, and the clearest
    taken: the mean from it on beside that of the LEVEL_DAYS before, by the standard error of their difference. Days
    mostly without anything are a pause, and no level.
    """
    import numpy as np

    first, last = _STEP_DAYS
    since = np.arange(first, min(last, len(even) - LEVEL_DAYS // 2) + 1)
    usual = min(LEVEL_DAYS, len(even))
    if not len(since) or even.max() <= 0:
        return usual
    sums, squares = (np.r_[0.0, np.cumsum(even**power)] for power in (1, 2))
    step = len(even) - since
    start = np.maximum(0, step - LEVEL_DAYS)
    before = step - start
    mean_after, mean_before = (sums[-1] - sums[step]) / since, (sums[step] - sums[start]) / before
    spread = squares[-1] - squares[start] - since * mean_after**2 - before * mean_before**2
    spread = np.maximum(spread / (since + before - 2), 1e-12 * even.max() ** 2)
    errors = abs(mean_after - mean_before) / np.sqrt(spread * (1 / since + 1 / before))
    used = np.cumsum(even[::-1] > 0)[since - 1]
    errors[2 * used <= since] = 0.0
    clearest = int(errors.argmax())
    return int(since[clearest]) if errors[clearest] > _STEP_ERRORS else usual


def backtested(past: Numbers, weekday: int, count: int) -> tuple[Numbers, int]:
    """What came divided by what was predicted, from each earlier day for as many days ahead, and how many those are.

    That is `count`, but so few that _SPANS of them lie side by side in the past, and a week where there is less.
    """
    import numpy as np

    ahead = max(1, min(count, max(7, (len(past) - LEVEL_DAYS) // _SPANS)))
    ratios = []
    for day in range(LEVEL_DAYS, len(past) - ahead + 1):
        expected = predicted(past[:day], weekday, ahead).sum()
        if expected > 0:
            ratios.append(past[day : day + ahead].sum() / expected)
    return np.array(ratios), ahead


def interval(ratios: Numbers, ahead: int, chance: float) -> tuple[float, float, float]:
    """The lowest, likeliest and highest ratio, all above 0 but the lowest; `ratios` have a middle above 0.

    The lowest and highest leave out the rarest on both sides. Spans that overlap tell little more than those that do
    not, and the middle `chance` of few is narrower than that of what they are drawn from: both are moved away from
    the middle of the ratios, the more the fewer spans lie side by side (the lowest in proportion, so that it stays
    above 0). The likeliest is the middle as far as the ratios lie on one side of 1: with all of them there, as in a
    steady rise, it is the middle, with half of them it stays 1.
    """
    import numpy as np

    low, middle, high = (float(each) for each in np.quantile(ratios, [(1 - chance) / 2, 0.5, (1 + chance) / 2]))
    farther = 1 + _FEW / (len(ratios) / ahead + 1)
    low, high = middle * (low / middle) ** farther, middle + (high - middle) * farther
    one_sided = abs(2 * float((ratios > 1).mean()) - 1)
    return low, min(max(middle**one_sided, low), high), high


def growth(past: Numbers) -> float | None:
    """The last GROWTH_DAYS beside as many before: 0.2 is a fifth more."""
    before, last = past[-2 * GROWTH_DAYS : -GROWTH_DAYS], past[-GROWTH_DAYS:]
    if len(before) < GROWTH_DAYS or before.sum() <= 0:
        return None
    return float(last.sum() / before.sum() - 1)
