"""Turns the story of `work.py` into usage records: one row for each attempt, in the columns of the view `usage`.

The same moment and seed give the same records. Costs are left to the price list.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from .work import DAYS, RUNAWAY, RUNAWAY_DAYS_AGO, SLOW, SPEED, TROUBLES, WORK, Trouble, Work

if TYPE_CHECKING:
    import pandas as pd

Column = np.ndarray[Any, Any]
Rows = dict[str, Column]

SEED = 20_261_124
_DAY_SECONDS = 86_400.0
_DAY_US = 86_400_000_000
_RETRIED = ("rate_limited", "overloaded", "provider_failed", "unreachable")
_USUAL_FAILURES = {"rate_limited": 0.004, "overloaded": 0.003, "provider_failed": 0.002, "unreachable": 0.001}
_OTHER_ENDS = {"timeout": 0.002, "context_too_long": 0.001, "content_refused": 0.001, "connection_broken": 0.001}
_LARGEST = 95_000
"""Tokens. Below this no price has a higher tier."""
_ATTEMPTS = 3
_WAIT = 1.6 / _DAY_SECONDS
"""Between two attempts, in days."""


def make_calls(now: datetime) -> pd.DataFrame:
    """All records of the DAYS before `now` (aware), in no order. `started_at` is UTC without a zone, `team` a tag."""
    import pandas as pd

    rng = np.random.default_rng(SEED)
    parts = [_calls_of(work, _counts(work, now, rng), now, rng) for work in WORK]
    evening = np.zeros(DAYS, dtype=np.int64)
    evening[RUNAWAY_DAYS_AGO] = rng.poisson(RUNAWAY.per_day)
    parts.append(_calls_of(RUNAWAY, evening, now, rng))
    calls = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rows = _attempts(calls, rng)
    frame = pd.DataFrame(rows)
    midnight = np.datetime64(now.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0), "us")
    frame["started_at"] = midnight - (rows["ago"] * _DAY_US).astype("timedelta64[us]")
    return frame.drop(columns="ago")


def _counts(work: Work, now: datetime, rng: np.random.Generator) -> Column:
    """Calls on each day; index is days ago."""
    expected = np.empty(DAYS)
    for ago in range(DAYS):
        day = now - timedelta(days=ago)
        grown = 1 - (1 - work.at_start) * ago / DAYS
        expected[ago] = work.per_day * grown * (work.weekend if day.weekday() >= 5 else 1.0)
        if (day + timedelta(days=3)).month != day.month:
            expected[ago] *= work.busier_at_month_end
    return rng.poisson(expected * rng.lognormal(0, 0.09, DAYS))


def _calls_of(work: Work, counts: Column, now: datetime, rng: np.random.Generator) -> Rows:
    """What was asked, and how a good answer to it is. `ago` is in days before today's midnight, negative for today."""
    day = np.repeat(np.arange(DAYS), counts)
    hour = rng.normal(work.busiest_hour, work.hours_spread, day.size) % 24
    ago = day - hour / 24
    until_now = -(now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds() / _DAY_SECONDS
    ago = ago[ago > until_now + _ATTEMPTS * _WAIT]
    size = ago.size
    share = _shares(work, ago, rng)
    prompt = _tokens(work.prompt, size, rng)
    answer = _tokens(work.answer, size, rng)
    cached = np.where(rng.random(size) < 0.85, rng.normal(work.cached, 0.08, size), 0).clip(0, 0.97)
    cached = (prompt * cached).astype(np.int64) if work.cached else np.zeros(size, dtype=np.int64)
    connection = np.array([each.connection for each in work.models], dtype=object)[share]
    writes = (connection == "anthropic") & (rng.random(size) < 0.3) & (cached > 0)
    reasoning = rng.normal(work.reasoning, 0.1, size).clip(0, 0.9) if work.reasoning else np.zeros(size)
    texts = {
        "app": work.app,
        "task": work.task,
        "project": work.project,
        "team": work.team,
        "mode": work.mode,
    }
    return {name: np.full(size, text, dtype=object) for name, text in texts.items()} | {
        "ago": ago,
        "connection": connection,
        "model": np.array([each.model for each in work.models], dtype=object)[share],
        "user": np.array(work.users, dtype=object)[_by_habit(len(work.users), size, rng)],
        "input_tokens": prompt,
        "cache_read_tokens": cached,
        "cache_write_tokens": np.where(writes, ((prompt - cached) * 0.6).astype(np.int64), 0),
        "output_tokens": answer,
        "reasoning_tokens": (answer * reasoning).astype(np.int64),
        "streamed": np.full(size, work.streamed),
        "stopped": rng.random(size) < work.stopped,
    }


def _attempts(calls: Rows, rng: np.random.Generator) -> Rows:
    """One row for each request on the wire: those that failed and brought no usage, and the last."""
    size = calls["ago"].size
    failures, kind = _failures(calls, rng)
    last_fails = (failures == _ATTEMPTS) | ((failures > 0) & ~np.isin(kind, _RETRIED))
    ending = _endings(calls, failures, rng)
    number = np.arange(size)
    again = np.repeat(number, failures)
    attempt = np.concatenate([np.arange(1, count + 1) for count in failures[failures > 0]] or [np.zeros(0, int)])
    failed = {name: column[again] for name, column in calls.items()} | {
        "call": again,
        "attempt": attempt,
        "error_kind": kind[again],
        "status": np.full(again.size, "error", dtype=object),
        "latency_ms": rng.lognormal(np.log(350), 0.5, again.size),
    }
    failed["ago"] = failed["ago"] - (attempt - 1) * _WAIT
    ended = {name: column[~last_fails] for name, column in calls.items()} | {
        "call": number[~last_fails],
        "attempt": failures[~last_fails] + 1,
        "error_kind": ending[~last_fails],
    }
    ended["ago"] = ended["ago"] - failures[~last_fails] * _WAIT
    _fill_in(ended, rng)
    for name in _UNKNOWN_AFTER_ERROR:
        failed[name] = np.full(again.size, np.nan)
    failed["usage_source"] = np.full(again.size, "unknown", dtype=object)
    kept = [name for name in ended if name not in ("streamed", "stopped")]
    return {name: np.concatenate([failed[name], ended[name]]) for name in kept}


_UNKNOWN_AFTER_ERROR = (
    "ttft_ms",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


def _failures(calls: Rows, rng: np.random.Generator) -> tuple[Column, Column]:
    """How many attempts of each call failed before it went through or was given up, and of what."""
    size = calls["ago"].size
    likely = np.full(size, sum(_USUAL_FAILURES.values()))
    names = np.array(list(_USUAL_FAILURES), dtype=object)
    weights = np.array(list(_USUAL_FAILURES.values()))
    kind = names[rng.choice(names.size, size, p=weights / weights.sum())]
    likely[calls["connection"] == "local"] = 0
    for trouble in TROUBLES:
        during = _during(trouble, calls)
        likely[during] = trouble.part
        kind[during] = trouble.kind
    failures = np.zeros(size, dtype=np.int64)
    for before in range(_ATTEMPTS):
        failures += (rng.random(size) < likely) & (failures == before)
    return np.where(np.isin(kind, _RETRIED), failures, failures.clip(0, 1)), kind


def _endings(calls: Rows, failures: Column, rng: np.random.Generator) -> Column:
    """What ended the last attempt of a call badly, for the few of them; empty for a good answer."""
    size = failures.size
    ending = np.full(size, "", dtype=object)
    drawn = rng.random(size)
    edge = 0.0
    for name, likely in _OTHER_ENDS.items():
        ending[(drawn >= edge) & (drawn < edge + likely) & (calls["connection"] != "local")] = name
        edge += likely
    return ending


def _fill_in(rows: Rows, rng: np.random.Generator) -> None:
    """Status, times and what a bad ending left of the usage."""
    size = rows["ago"].size
    ending = rows["error_kind"]
    stopped = rows["stopped"] & rows["streamed"] & (ending == "")
    broken = ending == "connection_broken"
    refused = (ending != "") & ~broken
    short = stopped | broken
    kept = np.where(short, rng.uniform(0.05, 0.8, size), 1.0)
    for name in ("output_tokens", "reasoning_tokens"):
        rows[name] = (rows[name] * kept).astype(np.int64).clip(1 if name == "output_tokens" else 0)
    rows["status"] = np.select([stopped, broken, refused], ["cancelled", "partial", "error"], "ok").astype(object)
    rows["usage_source"] = np.select([short, refused], ["estimated", "unknown"], "reported").astype(object)

    speed = [SPEED[model] for model in rows["model"]]
    first = np.array([each.first_ms for each in speed]) * rng.lognormal(0, 0.35, size)
    first += rows["input_tokens"] * 0.02 + rows["reasoning_tokens"] * 9.0
    per_second = np.array([each.per_second for each in speed]) * rng.lognormal(0, 0.15, size)
    slower = np.where(_during(SLOW, rows), SLOW.part, 1.0)
    total = (first + rows["output_tokens"] / per_second * 1000) * slower
    rows["ttft_ms"] = np.where(rows["streamed"] & ~refused, first * slower, np.nan)
    rows["latency_ms"] = np.where(ending == "timeout", 120_000.0, np.where(refused, 300.0, total))
    for name in _UNKNOWN_AFTER_ERROR[1:]:
        rows[name] = np.where(refused, np.nan, rows[name])


def _during(trouble: Trouble, rows: Rows) -> Column:
    since, until = trouble.since, trouble.since - trouble.days
    during: Column = (rows["connection"] == trouble.connection) & (rows["ago"] <= since) & (rows["ago"] >= until)
    return during


def _shares(work: Work, ago: Column, rng: np.random.Generator) -> Column:
    """Which of the work's models each call took, among those in use on its day."""
    weights = np.array(
        [np.where((ago <= each.since) & (ago >= each.until - 1), each.weight, 0.0) for each in work.models]
    )
    edges = np.cumsum(weights, axis=0)
    drawn = rng.random(ago.size) * edges[-1]
    chosen: Column = (drawn >= edges).sum(axis=0).clip(0, len(work.models) - 1)
    return chosen


def _by_habit(people: int, size: int, rng: np.random.Generator) -> Column:
    """People call by very different amounts."""
    weights = 1 / np.arange(1, people + 1) ** 0.7
    chosen: Column = rng.choice(people, size, p=weights / weights.sum())
    return chosen


def _tokens(of: tuple[float, float], size: int, rng: np.random.Generator) -> Column:
    median, spread = of
    return rng.lognormal(np.log(median), spread, size).astype(np.int64).clip(8, _LARGEST)
