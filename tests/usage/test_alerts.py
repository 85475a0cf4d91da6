"""Alerts on planted calls: each begins once and is over when the matter is; a quiet quarter brings none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from llm_core import Usage, UsageRecord, Workspace
from llm_core.errors import InvalidAlert, UnknownAlert
from llm_core.types import LLMProvider
from llm_core.usage.alerts.events import change
from llm_core.usage.alerts.figures import BudgetFigure, Ending, Figures, Group, Work
from llm_core.usage.alerts.projected import projected
from llm_core.usage.alerts.quiet import after_quiet
from llm_core.usage.alerts.readings import readings
from llm_core.usage.alerts.rules import KINDS, Rule

from .rows import record

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
NOW = MONDAY + timedelta(days=91, hours=10, minutes=30)
BERLIN = ZoneInfo("Europe/Berlin")
RULES = {kind.name: Rule(kind.name, kind.title, kind.meaning, True, kind.defaults) for kind in KINDS.values()}
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Watch:
    """A workspace's alerts, looked at by a clock of the test's own."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.alerts = ws.usage.alerts

    def begun(self, at: datetime) -> list[str]:
        return [alert.kind for alert in self.alerts.evaluate(at)]

    def open(self) -> list[str]:
        return [alert.kind for alert in self.alerts.open()]


@pytest.fixture
def watch(ws: Workspace) -> Watch:
    return Watch(ws)


def call(at: datetime, **fields: Any) -> UsageRecord:
    usage = Usage(input_tokens=1000, output_tokens=200)
    return record(**{"started_at": at, "usage": usage, "cost_usd": Decimal("0.02"), "latency_ms": 900.0, **fields})


def quiet_days(days: int, *, seed: int = 1, until: datetime = NOW) -> Iterator[UsageRecord]:
    """Work in office hours with its usual ups and downs: noise in number, cost and time, a few errors, weekends."""
    chance = random.Random(seed)
    for hour in range(24 * days):
        at = (until - days * DAY + hour * HOUR).replace(minute=0)
        busy = 6 if at.weekday() < 5 and 7 <= at.hour < 19 else 0.4
        for _ in range(round(chance.gauss(busy, busy**0.5)) if busy > 1 else chance.random() < busy):
            failed = chance.random() < 0.02
            yield call(
                at + chance.random() * 0.999 * HOUR,
                cost_usd=Decimal(0)
                if failed
                else Decimal(round(0.02 * chance.lognormvariate(0, 0.9), 6)).quantize(Decimal("1e-6")),
                latency_ms=900 * chance.lognormvariate(0, 0.5),
                status="error" if failed else "ok",
                error_kind="rate_limited" if failed else None,
            )


def keep(ws: Workspace, calls: Iterator[UsageRecord] | list[UsageRecord]) -> None:
    for one in calls:
        ws.usage.record(one)
    ws.usage.flush()


def test_a_quiet_quarter_brings_none(watch: Watch) -> None:
    """At all hours of the day for what the hours cost, and at some moments for all that is asked of the ledger."""
    calls = list(quiet_days(91))
    hours: dict[datetime, float] = {}
    for one in calls:
        at = one.started_at.replace(minute=0, second=0, microsecond=0)
        hours[at] = hours.get(at, 0.0) + float(one.cost_usd or 0)
    for number in range(0, 90 * 24, 7):
        now = NOW - number * HOUR
        recent = {at: usd for at, usd in hours.items() if now - timedelta(weeks=8) <= at <= now}
        found = Figures(now, BERLIN, hours=recent, first_at=min(hours))
        assert [one for one in readings(found, RULES) if one.fires] == []
    keep(watch.ws, calls)
    watch.ws.usage.budgets.add("all", "1000", "month", tz="UTC", thresholds=(0.5, 0.8))
    times = [NOW - 90 * DAY + number * 113 * HOUR for number in range(20)]
    assert [(at, kind) for at in times for kind in watch.begun(at)] == []
    assert len(watch.alerts.history()) == 0


def test_a_spike_begins_once_says_what_it_was_and_arms_again(watch: Watch) -> None:
    keep(watch.ws, quiet_days(70))
    for minute in range(20):
        watch.ws.usage.record(call(NOW + minute * MINUTE, cost_usd=Decimal("0.5"), app="loop"))
    assert watch.begun(NOW - 5 * MINUTE) == []
    (alert,) = watch.alerts.evaluate(NOW + 20 * MINUTE)
    assert alert.kind == "spike"
    assert "loop on GPT-6 Luna" in alert.text
    assert watch.begun(NOW + 25 * MINUTE) == watch.begun(NOW + 50 * MINUTE) == []
    assert watch.open() == ["spike"]
    assert watch.begun(NOW + 3 * HOUR) == []
    assert watch.open() == []
    for minute in range(20):
        watch.ws.usage.record(call(NOW + 26 * HOUR + minute * MINUTE, cost_usd=Decimal("1.5"), app="loop"))
    assert watch.begun(NOW + 26 * HOUR + 20 * MINUTE) == ["spike"]


def test_failing_requests_and_a_provider_that_is_down_are_told_apart(watch: Watch) -> None:
    keep(watch.ws, quiet_days(14))
    some = [
        call(NOW - number * MINUTE, status="error" if number % 3 else "ok", error_kind="request_refused")
        for number in range(60)
    ]
    keep(watch.ws, some)
    (alert,) = watch.alerts.evaluate(NOW + MINUTE)
    assert (alert.kind, alert.subject) == ("errors", "openai")
    assert "mostly request refused" in alert.text
    assert watch.begun(NOW + 5 * MINUTE) == []
    for number in range(30):
        watch.ws.usage.record(call(NOW + 2 * HOUR + number * MINUTE, status="error", error_kind="unreachable"))
    (alert,) = watch.alerts.evaluate(NOW + 2 * HOUR + 30 * MINUTE)
    assert (alert.kind, alert.severity) == ("down", "critical")
    assert watch.begun(NOW + 3 * HOUR) == []
    assert "down" in watch.open(), "nobody calls, so nobody knows"
    for number in range(20):
        watch.ws.usage.record(call(NOW + 4 * HOUR + number * MINUTE))
    assert watch.begun(NOW + 4 * HOUR + 20 * MINUTE) == []
    assert watch.open() == []


def test_slow_answers_are_compared_for_the_same_work(watch: Watch) -> None:
    keep(watch.ws, quiet_days(16))
    keep(watch.ws, [call(NOW - number * MINUTE, latency_ms=4000.0, app="long texts") for number in range(60)])
    assert watch.begun(NOW + MINUTE) == [], "another kind of work takes longer"
    slow = [call(NOW + 4 * HOUR + number * MINUTE, latency_ms=2500.0 + number) for number in range(40)]
    keep(watch.ws, slow)
    (alert,) = watch.alerts.evaluate(NOW + 5 * HOUR)
    assert (alert.kind, alert.subject) == ("latency", "openai:gpt-6-luna")
    assert watch.begun(NOW + 5 * HOUR + MINUTE) == []
    assert watch.begun(NOW + 9 * HOUR) == []
    assert watch.open() == []


def test_calls_without_a_price_are_told_until_the_price_is_known(watch: Watch) -> None:
    model = {"connection": "own", "provider": "compatible", "model": "mystery", "cost_usd": None}
    keep(watch.ws, [call(NOW - number * MINUTE, **model) for number in range(4)])
    assert watch.begun(NOW) == []
    watch.ws.usage.record(call(NOW, **model))
    (alert,) = watch.alerts.evaluate(NOW + MINUTE)
    assert (alert.kind, alert.subject) == ("unpriced", "own:mystery")
    assert "5 calls" in alert.text
    assert watch.begun(NOW + HOUR) == []
    assert watch.begun(NOW + 2 * DAY) == []
    assert watch.open() == []


def test_a_budget_is_told_at_each_threshold_and_again_in_its_next_period(watch: Watch) -> None:
    now = datetime.now(UTC)
    budget = watch.ws.usage.budgets.add("all", "10", "month", name="Team", tz="UTC", thresholds=(0.5, 0.8))
    assert watch.begun(now) == []
    watch.ws.usage.record(call(now, cost_usd=Decimal("6")))
    (alert,) = watch.alerts.evaluate(now)
    assert (alert.kind, alert.level) == ("budget", 0.5)
    assert alert.title == "The budget Team is 50 % used"
    assert "$6.00 of $10.00" in alert.text
    watch.ws.usage.record(call(now, cost_usd=Decimal("6")))
    (alert,) = watch.alerts.evaluate(now)
    assert (alert.level, alert.severity) == (1.0, "critical"), "80 % was passed on the way and is not worth a word"
    assert watch.begun(now) == []
    assert [one.level for one in watch.alerts.open()] == [1.0]
    watch.ws.usage.budgets.change(budget.id, limit="100")
    assert watch.begun(now) == []
    assert watch.open() == []
    watch.ws.usage.budgets.change(budget.id, limit="12")
    assert watch.begun(now) == ["budget"]


def test_a_pace_follows_from_the_hours_of_the_weeks_before() -> None:
    start = MONDAY + 21 * DAY
    hours = {MONDAY + day * DAY + hour * HOUR: 1.0 for day in range(21) for hour in range(8, 18) if day % 7 < 5}
    half = {start + day * DAY + hour * HOUR: 2.0 for day in (0, 1) for hour in range(8, 18)}
    friday_night = start + 4 * DAY + 20 * HOUR
    as_ever = projected(hours, 50.0, start, start + 7 * DAY, friday_night, ZoneInfo("UTC"))
    assert as_ever is not None
    assert as_ever < 55, "a weekend is to come, in which nobody works"
    doubled = projected(hours | half, 40.0, start, start + 7 * DAY, start + 2 * DAY, ZoneInfo("UTC"))
    assert doubled is not None
    assert 70 < doubled < 110
    assert projected(half, 40.0, start, start + 7 * DAY, start + 2 * DAY, ZoneInfo("UTC")) is None


def figures(**found: Any) -> Figures:
    return Figures(NOW, BERLIN, **found)


def kinds(found: Figures) -> list[tuple[str, str, bool]]:
    return [(one.kind, one.subject, one.fires) for one in readings(found, RULES)]


def budget_figure(**changes: Any) -> BudgetFigure:
    plain: dict[str, Any] = {
        **{"id": "b", "name": "Team", "used": 0.6, "spent": "$6.00", "limit": "$10.00", "thresholds": (0.8,)},
        **{"hard": True, "starts_at": MONDAY, "resets_at": MONDAY + 31 * DAY, "projected": None},
    }
    return BudgetFigure(**{**plain, **changes})


def failing(errors: int) -> Figures:
    return figures(last_hour={"a": Group(100, errors)}, last_quarter={"a": Group(25, errors // 4)})


def slow(p50_ms: int) -> Figures:
    work = ("a", "m", None)
    return figures(slow_hours={work: Work(50, p50_ms, 2 * p50_ms)}, usual_work={work: Work(900, 1000, 2000)})


def out(outages: int) -> Figures:
    return figures(last_quarter={"a": Group(20, outages, outages, "timeout")})


def on_the_way_to(share: float) -> Figures:
    return figures(budgets=(budget_figure(projected=share),))


def test_one_slow_call_of_an_app_does_not_hide_that_all_of_another_are() -> None:
    editor, newsroom = ("a", "m", "editor"), ("a", "m", "newsroom")
    usual = {work: Work(900, 1000, 2000) for work in (editor, newsroom)}
    found = figures(slow_hours={editor: Work(1, 9000, 9000), newsroom: Work(50, 1900, 3800)}, usual_work=usual)
    (one,) = readings(found, RULES)
    assert (one.fires, one.title) == (True, "a:m takes 1.9 times as long as usual")


@pytest.mark.parametrize(
    ("kind", "quiet", "between", "loud"),
    [
        ("pace", on_the_way_to(0.99), on_the_way_to(1.1), on_the_way_to(1.2)),
        ("errors", failing(9), failing(15), failing(30)),
        ("down", out(8), out(12), out(19)),
        ("latency", slow(1200), slow(1400), slow(1900)),
    ],
)
def test_between_its_two_limits_an_alert_neither_begins_nor_ends(
    kind: str, quiet: Figures, between: Figures, loud: Figures
) -> None:
    """It swings about the limit for a while, and is one event."""
    open_now: list[Any] = []
    begun = []
    for found in (quiet, between, loud, between, loud, between, loud, quiet, between, loud):
        made = change(open_now, [one for one in readings(found, RULES) if one.kind == kind], NOW)
        ended = {alert.id for alert in made.closed}
        open_now = [alert for alert in open_now if alert.id not in ended] + list(made.opened)
        begun.append(len(made.told))
    assert begun == [0, 0, 1, 0, 0, 0, 0, 0, 0, 1]


def test_what_it_is_about_is_told_by_its_title_and_kept_by_its_id() -> None:
    work = ("a", "m", None)
    found = figures(
        title={"a": "Acme", "a:m": "Mistral", "a:n": "Next"}.get,
        last_hour={"a": Group(100, 30)},
        last_quarter={"a": Group(20, 20, 20, "provider_failed")},
        slow_hours={work: Work(50, 1900, 3800)},
        usual_work={work: Work(900, 1000, 2000)},
        unpriced={"a:m": (9, "cache_write_tokens")},
        key_days={"a": 120.0},
        endings=(Ending("a:m", date(2026, 12, 1), 1, "3 calls.", "a:n"),),
    )
    told = {one.kind: one for one in readings(found, RULES)}
    assert {kind: (one.key, one.subject, one.title) for kind, one in told.items()} == {
        "errors": ("a", "a", "30 % of the requests to Acme fail"),
        "latency": ("a:m", "a:m", "Mistral takes 1.9 times as long as usual"),
        "down": ("a", "a", "No call gets through to Acme"),
        "unpriced": ("a:m", "a:m", "Calls of Mistral have no cost"),
        "key_age": ("a", "a", "The key of Acme is 120 days old"),
        "shutdown": ("a:m", "a:m", "Mistral is shut down in 1 day"),
    }
    assert "on 1 December 2026" in told["shutdown"].text
    assert "recommends Next" in told["shutdown"].text
    assert "no rate for cache write tokens" in told["unpriced"].text
    assert "mostly provider failed" in told["down"].text


def test_a_shutdown_is_told_at_two_months_two_weeks_and_three_days() -> None:
    open_now: list[Any] = []
    told = []
    for left in range(80, -3, -1):
        ending = Ending("openai:o3", date(2026, 12, 11), left, "3 calls.", "openai:gpt-6")
        made = change(open_now, readings(figures(endings=(ending,)), RULES), NOW)
        open_now += made.opened
        assert not made.closed
        told += [(left, alert.severity) for alert in made.told]
    assert told == [(60, "warning"), (14, "warning"), (3, "critical"), (0, "critical")]


def test_a_key_is_told_when_it_is_due_and_arms_when_it_was_rotated(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_at = NOW - 89 * DAY
    key = LLMProvider("openai", "openai", key_source="vault", key_made_at=made_at)
    monkeypatch.setattr(watch.ws.providers, "list", lambda: [key])
    assert watch.begun(NOW) == []
    assert watch.begun(NOW + 2 * DAY) == ["key_age"]
    assert watch.begun(NOW + 3 * DAY) == []
    key = LLMProvider("openai", "openai", key_source="vault", key_made_at=NOW + 3 * DAY)
    assert watch.begun(NOW + 4 * DAY) == []
    assert watch.open() == []
    assert watch.begun(NOW + 94 * DAY) == ["key_age"]


def test_a_rule_can_be_switched_off_and_its_numbers_changed(watch: Watch) -> None:
    keep(watch.ws, [call(NOW - number * MINUTE, status="error", error_kind="request_refused") for number in range(40)])
    watch.alerts.change_rule("errors", least_calls=50)
    assert watch.begun(NOW + MINUTE) == []
    watch.alerts.change_rule("errors", least_calls=None)
    assert watch.begun(NOW + MINUTE) == ["errors"]
    watch.alerts.change_rule("errors", enabled=False)
    assert watch.begun(NOW + MINUTE) == []
    assert watch.open() == []
    for wrong in ({"share": 2}, {"share": float("nan")}, {"share": True}, {"score": 1}):
        with pytest.raises(InvalidAlert):
            watch.alerts.change_rule("errors", **wrong)
    with pytest.raises(InvalidAlert, match="no alert 'weather'"):
        watch.alerts.change_rule("weather", enabled=False)
    assert {rule.kind: rule.enabled for rule in watch.alerts.rules()} == {kind: kind != "errors" for kind in KINDS}


def test_alerts_are_listed_acknowledged_and_kept_as_history(watch: Watch) -> None:
    keep(watch.ws, [call(NOW - number * MINUTE, status="error", error_kind="request_refused") for number in range(40)])
    (alert,) = watch.alerts.evaluate(NOW + MINUTE)
    assert isinstance(watch.alerts(), pd.DataFrame)
    assert watch.alerts().iloc[0][["id", "kind", "seen_at"]].tolist() == [alert.id, "errors", None]
    assert watch.alerts.unseen() == 1
    watch.alerts.acknowledge(alert.id)
    assert watch.alerts.unseen() == 0
    assert watch.open() == ["errors"], "it was seen, and is not over"
    with pytest.raises(UnknownAlert):
        watch.alerts.acknowledge("gone")
    watch.begun(NOW + DAY)
    assert len(watch.alerts()) == 0
    (row,) = watch.alerts.history().to_dict("records")
    assert (row["opened_at"], row["closed_at"]) == (NOW + MINUTE, NOW + DAY)


@pytest.mark.parametrize(
    ("at", "hours", "sent"),
    [
        ("2026-03-10 23:30", "22:00-07:00", "2026-03-11 07:00"),
        ("2026-03-10 03:00", "22:00-07:00", "2026-03-10 07:00"),
        ("2026-03-10 07:00", "22:00-07:00", "2026-03-10 07:00"),
        ("2026-03-10 13:00", "12:00-14:00", "2026-03-10 14:00"),
        ("2026-03-29 01:30", "22:00-07:00", "2026-03-29 07:00"),
        ("2026-03-10 23:30", "", "2026-03-10 23:30"),
    ],
)
def test_quiet_hours_end_in_the_persons_zone(at: str, hours: str, sent: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=BERLIN).astimezone(UTC)
    assert after_quiet(moment, hours, BERLIN) == datetime.fromisoformat(sent).replace(tzinfo=BERLIN)


def test_two_that_look_at_once_begin_an_alert_once(watch: Watch) -> None:
    keep(watch.ws, [call(NOW - number * MINUTE, status="error", error_kind="request_refused") for number in range(40)])
    with Workspace.open() as other:
        rivals: list[Callable[[], Any]] = [watch.ws.usage.alerts.evaluate, other.usage.alerts.evaluate]
        other.usage.alerts.open()
        found = [alert for look in rivals for alert in look(NOW + MINUTE)]  # type: ignore[call-arg]
    assert len(found) == 1
