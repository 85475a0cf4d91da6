"""What alerts there are: each with the numbers that decide it, which a person may change, and a switch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...errors import InvalidAlert

if TYPE_CHECKING:
    from ...store.state import State


@dataclass(frozen=True, slots=True)
class Option:
    """A number of a rule, its bounds and its meaning."""

    name: str
    default: float
    low: float
    high: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A rule as the program has it."""

    name: str
    title: str
    meaning: str
    options: tuple[Option, ...] = ()

    @property
    def defaults(self) -> dict[str, float]:
        return {option.name: option.default for option in self.options}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as a person has it: `options` maps each of its numbers to its value."""

    kind: str
    title: str
    meaning: str
    enabled: bool
    options: Mapping[str, float]


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("budget", "Budget", "A budget reached one of its thresholds, or its limit."),
        Kind(
            "pace",
            "Spend pace",
            "At the pace of your own last weeks a budget will be passed before its period ends, or the last week cost "
            "far more than the four before it.",
            (
                Option("over", 0.15, 0, 10, "Share by which a budget must be about to be passed; 0.15 is 15 %."),
                Option("times", 1.5, 1.1, 100, "How many times the usual week the last one must have cost."),
                Option("least_usd", 5, 0, 1e9, "US dollars below which a week is too small to speak of."),
            ),
        ),
        Kind(
            "spike",
            "Spend spike",
            "An hour cost far more than the same hour of the same weekday in the eight weeks before.",
            (
                Option("score", 6, 2, 100, "Robust z-score: distance from the median in spreads (MAD x 1.4826)."),
                Option("least_usd", 1, 0, 1e9, "US dollars below which an hour is too small to speak of."),
            ),
        ),
        Kind(
            "errors",
            "Error rate",
            "Of the requests of the last hour too many failed, and far more than in the week before.",
            (
                Option("share", 0.2, 0.01, 1, "Share of requests that failed; 0.2 is 20 %."),
                Option("least_calls", 20, 1, 1e6, "Requests below which a share says nothing."),
            ),
        ),
        Kind(
            "latency",
            "Latency",
            "Answers of the last three hours took far longer than those of the two weeks before, for the same work.",
            (
                Option("times", 1.6, 1.1, 100, "How many times the usual median."),
                Option("least_calls", 20, 5, 1e6, "Answers below which a median says nothing."),
            ),
        ),
        Kind(
            "down",
            "Provider down",
            "Nearly every request of the last 15 minutes failed at the provider, or its connection's test failed.",
            (
                Option("share", 0.9, 0.5, 1, "Share of requests that failed; 0.9 is 90 %."),
                Option("least_calls", 5, 1, 1e6, "Requests below which a share says nothing."),
            ),
        ),
        Kind(
            "unpriced",
            "Calls without a price",
            "Calls of the last day have no cost, since their model's price is not known: totals and budgets lack them.",
            (Option("least_calls", 5, 1, 1e6, "Calls from which on it is worth a word."),),
        ),
        Kind("key_age", "Key age", "A key is older than the days after which Providers reminds of rotation."),
        Kind(
            "shutdown",
            "Shutdown ahead",
            "A model that is in use will be shut down; told again two weeks and three days before.",
            (Option("days", 60, 1, 365, "Days ahead from which it is told."),),
        ),
    )
}


class Rules:
    """The rules of one home, read again only when its state has changed. Safe to share between threads."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state
        self._known: tuple[int, dict[str, Rule]] | None = None

    def all(self) -> dict[str, Rule]:
        """By kind, in the order of KINDS."""
        state = self._state()
        version = state.version()
        known = self._known
        if known is None or known[0] != version:
            known = self._known = version, _read(state)
        return known[1]

    def change(self, kind: str, enabled: bool | None, options: Mapping[str, float | None]) -> Rule:
        """None leaves the switch as it is, and takes an option back to its default. Raises InvalidAlert."""
        from ...store.tables import alert_rules

        rule = self.all().get(kind)
        if rule is None:
            raise InvalidAlert(f"There is no alert {kind!r}.", f"Use one of {', '.join(KINDS)}.")
        kept = _changed(KINDS[kind], rule, options)
        row = {
            "kind": kind,
            "enabled": rule.enabled if enabled is None else bool(enabled),
            "options": kept,
            "changed_at": datetime.now(UTC),
        }
        with self._state().write() as transaction:
            transaction.execute(alert_rules.delete().where(alert_rules.c.kind == kind))
            transaction.execute(alert_rules.insert().values(row))
        return self.all()[kind]


def _read(state: State) -> dict[str, Rule]:
    from sqlalchemy import select

    from ...store.tables import alert_rules

    with state.read() as connection:
        rows = connection.execute(select(alert_rules.c.kind, alert_rules.c.enabled, alert_rules.c.options)).all()
    changed: dict[str, Any] = {row.kind: row for row in rows}
    rules = {}
    for kind in KINDS.values():
        row = changed.get(kind.name)
        kept = {name: value for name, value in (row.options if row else {}).items() if name in kind.defaults}
        rules[kind.name] = Rule(
            kind.name, kind.title, kind.meaning, row.enabled if row else True, {**kind.defaults, **kept}
        )
    return rules


def _changed(kind: Kind, rule: Rule, options: Mapping[str, float | None]) -> dict[str, float]:
    """The options that are not as the program has them."""
    known = {option.name: option for option in kind.options}
    kept = dict(rule.options)
    for name, value in options.items():
        option = known.get(name)
        if option is None:
            there = f"It has {', '.join(known)}." if known else "It has none."
            raise InvalidAlert(f"The alert {kind.name} has no option {name!r}.", there)
        kept[name] = option.default if value is None else _number(kind, option, value)
    return {name: value for name, value in kept.items() if value != known[name].default}


def _number(kind: Kind, option: Option, value: object) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not option.low <= value <= option.high:  # type: ignore[arg-type,operator]
        raise InvalidAlert(
            f"{option.name} of the alert {kind.name} cannot be {value!r}.",
            f"It must be a number from {option.low:g} to {option.high:g}.",
        )
    return float(value)  # type: ignore[arg-type]
