"""Budgets by themselves: what they count, what they refuse, and that no process, crash or clock makes them wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from llm_core import Usage, UsageRecord, Workspace
from llm_core.errors import BudgetCannotBound, BudgetExceeded, InvalidBudget, InvalidInput, StoreError, UnknownBudget
from llm_core.usage.budgets import Budgets
from llm_core.usage.budgets.budget import Amounts, in_units
from llm_core.usage.budgets.owners import has_ended, this_owner
from llm_core.usage.budgets.service import Bundle, Held
from llm_core.usage.budgets.transaction import Hold
from llm_core.usage.drainer import Drainer
from tests.waiting import PATIENCE_S

LABELS = {
    "provider": "openai",
    "connection": "work",
    "model": "gpt-6-luna",
    "task": "chat",
    "app": "notebook",
    "user": "ann",
    "project": "search",
    "tags": {"team": "red", "it's": "x"},
}
FOR_ALL = "all"

IN_ANOTHER_PROCESS = """
import sys, time
from llm_core import UsageRecord, Workspace
from llm_core.usage.budgets.budget import Amounts, in_units
ws = Workspace.open()
labels = {"provider": "openai", "connection": "work", "model": "gpt-6-luna", "user": "ann"}
first, second = (ws.usage.budgets.hold(labels, Amounts(in_units(1), 10, 1)) for _ in range(2))
ws.usage.record(UsageRecord(id=first.id, started_at=first.at, cost_usd=0, **labels))
bundle = ws.usage.budgets.bundle(usd=1, user="ann")
print(first.id, second.id, flush=True)
time.sleep(600)
"""


def record(at: datetime | None = None, **fields: Any) -> UsageRecord:
    return UsageRecord(**{**LABELS, "started_at": at or datetime.now(UTC), **fields})


def hold(ws: Workspace, usd: str | int = 1, tokens: int = 10, bundle: Bundle | None = None, **labels: Any) -> Held:
    held = ws.usage.budgets.hold({**LABELS, **labels}, Amounts(in_units(Decimal(usd)), tokens, 1), bundle)
    assert held is not None
    return held


def end(ws: Workspace, held: Held, usd: str | None, usage: Usage | None = None) -> None:
    """The call is over, and recorded."""
    cost = None if usd is None else Decimal(usd)
    ws.usage.record(record(held.at, id=held.id, cost_usd=cost, usage=usage))
    held.settle(Amounts(None if cost is None else in_units(cost), usage.total_tokens if usage else None))


def stand(ws: Workspace, at: int = 0) -> pd.Series[Any]:
    return ws.usage.budgets.status().iloc[at]


def figures(ws: Workspace, at: int = 0) -> tuple[Any, ...]:
    """Spent, held and left."""
    row = stand(ws, at)
    return row["spent"], row["held"], row["left"]


@pytest.fixture
def other(ws: Workspace) -> Iterator[Workspace]:
    """The same home, opened once more, as another process would."""
    with Workspace.open() as workspace:
        yield workspace


SCOPES: tuple[tuple[Any, dict[str, Any]], ...] = (
    ("connection:work", {"connection": "home"}),
    ("provider:openai", {"provider": "google"}),
    ("model:work:gpt-6-luna", {"connection": "home"}),
    ("model:gpt-6-luna", {"model": "gpt-6-sol"}),
    ("task:chat", {"task": "judge"}),
    ("app:notebook", {"app": None}),
    ("user:ann", {"user": "bo"}),
    ("project:search", {"project": "Search"}),
    ("tag:team:red", {"tags": {"team": "blue"}}),
    ({"tag:it's": "x"}, {"tags": None}),
    ({"user": "ann", "tag:team": "red"}, {"tags": {"team": "red"}, "user": "bo"}),
)
"""Scopes that LABELS are in, and what takes a call out of them."""


def test_a_scope_counts_its_own_calls_held_or_recorded_and_no_others(ws: Workspace) -> None:
    for scope, _ in SCOPES:
        ws.usage.budgets.add(scope, "100", "month", name=str(scope))
    ws.usage.budgets.add(FOR_ALL, "100", "month")
    ws.usage.record(record(cost_usd=Decimal("1.5")))
    hold(ws, "0.25")
    for scope, others in SCOPES:
        ws.usage.record(record(cost_usd=Decimal(4), **others))
        names = {budget.name for budget in ws.usage.budgets.matching({**LABELS, **others})}
        assert str(scope) not in names
        assert "All calls: $100 a month" in names
    for _ in range(2):
        for row in ws.usage.budgets.status().to_dict("records"):
            inside = [name for name, others in SCOPES if _counts(row["name"], {**LABELS, **others})]
            assert (row["spent"], row["held"]) == (Decimal("1.5") + 4 * len(inside), Decimal("0.25")), row["name"]
        ws.usage.flush()


def _counts(name: str, labels: dict[str, Any]) -> bool:
    """Whether the budget of SCOPES with that name counts a call with these labels, told in another way."""
    scope = next((scope for scope, _ in SCOPES if str(scope) == name), {})
    given = dict([scope.split(":", 1)]) if isinstance(scope, str) else scope
    tags = labels["tags"] or {}
    known = {**labels, "tag": [f"{key}:{value}" for key, value in tags.items()]}
    known |= {f"tag:{key}": value for key, value in tags.items()}
    known["model"] = [labels["model"], f"{labels['connection']}:{labels['model']}"]
    return all(value == known.get(key) or value in (known.get(key) or ()) for key, value in given.items())


def test_what_cannot_be_a_budget_is_refused_with_a_reason(ws: Workspace) -> None:
    for wrong in (
        {"scope": "nobody:ann"},
        {"scope": "user:"},
        {"scope": 7},
        {"scope": {"tag": "team"}},
        {"scope": {"connection": "a", "model": "b:c"}},
        {"limit": 1.5},
        {"limit": "much"},
        {"limit": -1},
        {"limit": Decimal("NaN")},
        {"limit": Decimal("0.00000000001")},
        {"unit": "tokens", "limit": Decimal("1.5")},
        {"unit": "euros"},
        {"period": "year"},
        {"thresholds": (0,)},
        {"thresholds": "much"},
        {"hard": 1},
        {"unpriced": "maybe"},
        {"name": " \n"},
        {"tz": "Mars/Olympus"},
    ):
        with pytest.raises(InvalidInput) as caught:
            ws.usage.budgets.add(**{"scope": FOR_ALL, "limit": 1, **wrong})
        assert caught.value.message
    assert ws.usage.budgets.list() == []


def test_budgets_are_listed_changed_and_removed_by_name_by_any_process(ws: Workspace, other: Workspace) -> None:
    made = ws.usage.budgets.add("user:ann", "5", "week", tz="Europe/Berlin", thresholds=(0.9, 0.5))
    assert made.name == "user ann: $5 a week"
    assert made.thresholds == (0.5, 0.9)
    assert other.usage.budgets.list() == [made]
    changed = other.usage.budgets.change(made.name, limit=7, name="Ann", unit="calls", hard=False)
    assert (changed.limit, changed.unit, changed.period, changed.hard) == (7, "calls", "week", False)
    assert ws.usage.budgets.get("Ann") == ws.usage.budgets.get(made.id) == changed
    with pytest.raises(InvalidBudget, match="already"):
        ws.usage.budgets.add(FOR_ALL, 1, name="Ann")
    with pytest.raises(InvalidBudget, match="no colour"):
        ws.usage.budgets.change("Ann", colour="red")
    ws.usage.budgets.remove("Ann")
    assert other.usage.budgets.list() == []
    with pytest.raises(UnknownBudget):
        other.usage.budgets.remove("Ann")
    assert list(ws.usage.budgets.status().columns)[:2] == ["id", "name"]


@pytest.mark.parametrize(
    ("unit", "limit", "left"), [("money", Decimal("3"), Decimal("0.5")), ("tokens", 30, 5), ("calls", 3, 0)]
)
def test_the_call_that_could_pass_the_limit_is_refused_and_told_by_how_much(
    ws: Workspace, unit: str, limit: Any, left: Any
) -> None:
    ws.usage.budgets.add(FOR_ALL, limit, "day", unit=unit, name="Day", tz="Asia/Kolkata")
    for _ in range(2):
        hold(ws, 1, 10)
    hold(ws, "0.5", 5)
    with pytest.raises(BudgetExceeded) as caught:
        hold(ws, "0.75", 10)
    error = caught.value
    assert (error.budget, error.unit, error.limit, error.left) == ("Day", unit, limit, left)
    assert error.needed == {"money": Decimal("0.75"), "tokens": 10, "calls": 1}[unit]
    assert error.resets_at == stand(ws)["resets_at"] > datetime.now(UTC)
    assert 'budget "Day" stands in the way' in error.message
    assert "Nothing was sent." in error.message
    assert "(Asia/Kolkata)" in error.hint
    if unit != "calls":
        hold(ws, "0.5", 5)
        assert stand(ws)["left"] == 0


def test_a_budget_without_a_hard_limit_is_only_watched(ws: Workspace) -> None:
    ws.usage.budgets.add(FOR_ALL, "1", "total", hard=False, thresholds=(0.5, 0.9, 3))
    hold(ws, "0.6")
    assert stand(ws)["threshold"] == 0.5
    end(ws, hold(ws, 2), "2")
    row = stand(ws)
    assert (row["threshold"], row["left"], row["used"], row["priced"]) == (0.9, 0, 2.6, 1.0)
    assert (row["starts_at"], row["resets_at"], row["projection"]) == (None, None, None)


def test_what_others_record_counts_at_once_drained_or_not_and_only_in_its_period(
    ws: Workspace, other: Workspace
) -> None:
    ws.usage.budgets.add(FOR_ALL, "10", "day")
    ws.usage.budgets.add(FOR_ALL, 100, "total", unit="calls")
    ws.usage.budgets.add(FOR_ALL, 1000, "total", unit="tokens")
    hold(ws, 1)
    usage = Usage(input_tokens=30, cache_read_tokens=10, output_tokens=12, reasoning_tokens=2)
    other.usage.record(record(cost_usd=Decimal("2.0000000001"), usage=usage))
    other.usage.record(record(cost_usd=Decimal(1), call_id="c", attempt=2))
    other.usage.record(record(cost_usd=Decimal(1), part=1))
    other.usage.record(record(datetime.now(UTC) - timedelta(days=40), cost_usd=Decimal(5)))
    wanted = [(Decimal("4.0000000001"), Decimal(1)), (2, 1), (42, 10)]
    assert [figures(ws, at)[:2] for at in range(3)] == wanted
    ws.usage.flush()
    assert [figures(ws, at)[:2] for at in range(3)] == wanted
    assert [figures(other, at)[:2] for at in range(3)] == wanted


def test_a_hold_becomes_what_the_call_took_and_goes_with_its_record(ws: Workspace) -> None:
    ws.usage.budgets.add(FOR_ALL, "10", "month")
    dear, cheap, not_sent = hold(ws, 3), hold(ws, 3), hold(ws, 3)
    assert stand(ws)["in_flight"] == 9
    end(ws, dear, "2.5", Usage(input_tokens=1))
    not_sent.release()
    hold(ws, "4.5").release()  # what ended is free for the very next call
    assert figures(ws) == (Decimal("2.5"), 3, Decimal("4.5"))
    cheap.settle(Amounts(in_units(Decimal("0.5")), 1))  # its record could not be kept: the money is spent all the same
    assert figures(ws) == (Decimal("2.5"), Decimal("0.5"), 7)
    ws.usage.flush()
    assert figures(ws) == (Decimal("2.5"), Decimal("0.5"), 7)


def test_what_a_call_of_unknown_cost_was_held_at_stays_held_until_its_cost_is_known(ws: Workspace) -> None:
    ws.providers.connect("openai", "sk-test-0123456789abcdefghij", name="work", test=False)
    ws.usage.budgets.add(FOR_ALL, "10", "month")
    ws.usage.budgets.add(FOR_ALL, 100, "month", unit="tokens")
    ws.usage.budgets.add(FOR_ALL, 100, "month", unit="calls")
    end(ws, hold(ws, 3, 10), None)
    end(ws, hold(ws, 2, 20), None, Usage(input_tokens=1_000_000))  # which the drainer prices
    assert [figures(ws, at)[:2] for at in range(3)] == [(0, 5), (1_000_000, 10), (2, 0)]
    ws.usage.flush()
    spent, held, _ = figures(ws)
    assert held == 3
    assert spent == ws.models.price("work:gpt-6-luna", Usage(input_tokens=1_000_000)).usd
    assert stand(ws)["priced"] == 0.5
    assert stand(ws)["in_flight"] == 0


def test_holds_of_many_threads_and_processes_never_pass_the_limit(ws: Workspace, other: Workspace) -> None:
    ws.usage.budgets.add(FOR_ALL, "1", "day")
    ws.usage.budgets.add("user:ann", 60, "day", unit="calls")

    def call(number: int) -> int:
        mine = (ws, other)[number % 2]
        try:
            held = hold(mine, "0.04")
        except BudgetExceeded:
            return 0
        if number % 5 == 0:
            held.release()
            return 0
        end(mine, held, "0.03")
        return 1

    with ThreadPoolExecutor(16) as pool:
        made = sum(pool.map(call, range(120)))
    ws.usage.budgets.refresh(), other.usage.budgets.refresh()
    spent, held, left = figures(ws)
    assert (spent, held) == (Decimal("0.03") * made, 0)
    assert left < Decimal("0.04")  # as much as could be was let through
    assert figures(ws, 1) == (made, 0, 60 - made)


def test_limits_and_scopes_change_while_calls_are_under_way(ws: Workspace, other: Workspace) -> None:
    budget = ws.usage.budgets.add(FOR_ALL, "2", "month", name="b")
    one, two = hold(ws, 1), hold(ws, 1)
    with pytest.raises(BudgetExceeded):
        hold(other, "0.1")
    ws.usage.budgets.change("b", limit=3)
    three = hold(other, 1)
    ws.usage.budgets.change("b", limit="1.5")
    with pytest.raises(BudgetExceeded) as caught:
        hold(other, "0.1")
    assert caught.value.left == 0
    ws.usage.budgets.change("b", scope="user:bo", limit=1)
    assert hold(other, 1, user="bo")
    other.usage.budgets.change("b", scope=FOR_ALL, period="day", tz="Asia/Tokyo", limit=20)
    assert figures(ws) == (0, 4, 16)
    for held in (one, two, three):
        end(ws, held, "0.5")
    assert figures(other) == (Decimal("1.5"), 1, Decimal("17.5"))
    ws.usage.budgets.remove("b")
    assert ws.usage.budgets.hold(LABELS, Amounts(in_units(99), 1, 1)) is None
    again = ws.usage.budgets.add(FOR_ALL, "20", "day", tz="Asia/Tokyo")
    assert again.id != budget.id
    assert figures(ws)[:2] == (Decimal("1.5"), 1)


def test_a_budget_counts_calls_that_were_under_way_when_it_was_made(ws: Workspace) -> None:
    ws.usage.budgets.add("user:ann", "10", "day")
    held = hold(ws, 3)
    ws.usage.budgets.add(FOR_ALL, "5", "day")
    with pytest.raises(BudgetExceeded):
        hold(ws, 3)
    end(ws, held, "1")
    assert [figures(ws, at)[:2] for at in range(2)] == [(1, 0), (1, 0)]


def test_a_period_begins_with_nothing_spent(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 10, 24, 21, 59, tzinfo=UTC)  # a minute before the 25th in Berlin, which has 25 hours
    later = timedelta()
    budgets = Budgets(
        ws.home, state=lambda: ws.state, settings=lambda: ws.settings, ledger=ws.usage, clock=lambda: now + later
    )
    ws.settings.set("usage.time_zone", "Europe/Berlin")
    budgets.add(FOR_ALL, "2", "day")
    amounts = Amounts(in_units(2), 1, 1)
    held = budgets.hold(LABELS, amounts)
    assert held is not None
    with pytest.raises(BudgetExceeded) as caught:
        budgets.hold(LABELS, amounts)
    assert caught.value.resets_at == now + timedelta(minutes=1)
    later = timedelta(minutes=1)
    second = budgets.hold(LABELS, amounts)
    assert second is not None
    ws.usage.record(record(held.at, id=held.id, cost_usd=Decimal(2)))
    held.settle(amounts)  # the first ends on the day after: it counts on its own
    later = timedelta(hours=25)
    with pytest.raises(BudgetExceeded):
        budgets.hold(LABELS, amounts)
    second.settle(amounts)
    later = timedelta(hours=25, minutes=1)
    assert budgets.hold(LABELS, amounts) is not None
    row = budgets.status().iloc[0]
    assert (row["spent"], row["held"], row["starts_at"]) == (0, 2, now + later)
    budgets.close()


def test_the_hold_of_a_process_that_was_killed_becomes_one_interrupted_record_whoever_notices(
    ws: Workspace, other: Workspace
) -> None:
    ws.usage.budgets.add(FOR_ALL, "10", "day")
    child = subprocess.Popen([sys.executable, "-c", IN_ANOTHER_PROCESS], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    recorded, lost = child.stdout.readline().split()
    assert figures(ws)[1] == 2  # one of the calls, and the bundle; the other is recorded
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and still has its id
    both = threading.Barrier(2)

    def look(mine: Workspace) -> None:
        both.wait(PATIENCE_S)
        mine.usage.budgets.refresh()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(look, (ws, other)))
    child.communicate()
    row = ws.usage.history(status="interrupted")
    assert row["id"].tolist() == [lost]
    assert (row["user"][0], row["model"][0], row["cost_usd"][0], row["usage_source"][0]) == (
        *("ann", "gpt-6-luna", None),
        "unknown",
    )
    assert ws.usage.history()["id"].nunique() == len(ws.usage.history()) == 2
    assert recorded != lost
    for mine in (ws, other):
        row = stand(mine)
        assert (row["spent"], row["held"], row["in_flight"]) == (0, 1, 0)


def test_a_running_app_counts_and_recovers_also_where_nobody_calls(ws: Workspace) -> None:
    ws.usage.budgets.add(FOR_ALL, "10", "day")
    hold(ws, 2).settle(Amounts(in_units(1), 1))
    ended = f"{this_owner()}1"
    with ws.usage.budgets._file.transaction() as transaction:
        transaction.insert(Hold("dead", transaction.at, LABELS, Amounts(in_units(3), 1, 1), ended))
    drainer = Drainer(ws.home, recount=ws.usage.budgets.refresh)
    drainer.step()
    assert ws.usage.history()["id"].tolist() == ["dead"]
    with ws.usage.budgets._file.transaction() as transaction:
        found = transaction.find("dead")
        assert found is not None
        assert (found.state, found.owner) == ("settled", this_owner())


def test_owners_are_told_apart_by_when_they_began() -> None:
    assert not has_ended(this_owner())
    host, pid, beginning = this_owner().split("/", 2)
    assert has_ended(f"{host}/{pid}/{beginning}1")
    assert not has_ended(f"elsewhere/{pid}/{beginning}1")


def test_a_run_of_calls_holds_once_and_keeps_what_its_calls_leave_over(ws: Workspace) -> None:
    ws.usage.budgets.add(FOR_ALL, "10", "day")
    ws.usage.budgets.add("user:bo", "1", "day")
    with ws.usage.budgets.bundle(usd=4, tokens=100, calls=3, app="tester") as bundle:
        hold(ws, "5.9")
        with pytest.raises(BudgetExceeded):
            hold(ws, "0.2")
        for _ in range(3):
            end(ws, hold(ws, "3", bundle=bundle), "0.5")
        assert figures(ws) == (Decimal("1.5"), Decimal("8.4"), Decimal("0.1"))
        hold(ws, "2.6", bundle=bundle).release()
        with pytest.raises(BudgetExceeded):
            hold(ws, "0.1")
        with pytest.raises(BudgetExceeded) as caught:
            hold(ws, "2.7", bundle=bundle)
        assert caught.value.left == Decimal("2.6")
        with pytest.raises(BudgetExceeded) as caught:
            hold(ws, "2", bundle=bundle, user="bo")  # the bundle is not in this budget
        assert caught.value.budget == "user bo: $1 a day"
    assert figures(ws) == (Decimal("1.5"), Decimal("5.9"), Decimal("2.6"))
    with pytest.raises(BudgetExceeded):
        ws.usage.budgets.bundle(usd=3)
    ws.usage.budgets.remove("user bo: $1 a day")
    ws.usage.budgets.change(ws.usage.budgets.list()[0].name, scope="user:cy")
    with ws.usage.budgets.bundle(usd=100, app="tester") as without:
        assert without.id is None


def test_a_call_without_a_price_is_refused_or_let_through_as_the_budget_says(ws: Workspace) -> None:
    ws.usage.budgets.add(FOR_ALL, "1", "day", name="Money")
    ws.usage.budgets.add(FOR_ALL, 100, "day", unit="tokens")
    unpriced = Amounts(None, 10, 1)
    with pytest.raises(BudgetCannotBound, match="price of work:gpt-6-luna is not known") as caught:
        ws.usage.budgets.hold(LABELS, unpriced)
    assert caught.value.needed is None
    assert 'unpriced="allow"' in caught.value.hint
    ws.usage.budgets.change("Money", unpriced="allow")
    held = ws.usage.budgets.hold(LABELS, unpriced)
    assert held is not None
    assert [figures(ws, at)[1] for at in range(2)] == [0, 10]
    end(ws, held, None, Usage(input_tokens=7))
    assert [figures(ws, at)[:2] for at in range(2)] == [(0, 0), (7, 0)]
    assert stand(ws)["priced"] == 0
    ws.usage.budgets.change("Money", unpriced="refuse", hard=False)
    assert ws.usage.budgets.hold(LABELS, unpriced) is not None


def test_of_several_budgets_in_the_way_the_one_that_lasts_longest_is_named(ws: Workspace) -> None:
    for period in ("total", "day", "month"):
        ws.usage.budgets.add(FOR_ALL, "1", period, name=period)
    ends: list[datetime | None] = []
    while len(ends) < 3:
        with pytest.raises(BudgetExceeded) as caught:
            hold(ws, 2)
        ends.append(caught.value.resets_at)
        ws.usage.budgets.change(caught.value.budget, limit=5)
    forever, month, day = ends
    assert forever is None
    assert month is not None
    assert day is not None
    assert day <= month  # on a month's last day both end at once
    assert hold(ws, 2)


def test_calls_change_nothing_that_caches_of_the_state_look_at(ws: Workspace) -> None:
    ws.usage.budgets.add(FOR_ALL, "10", "day")
    before = ws.state.version()
    end(ws, hold(ws, 1), "1")
    ws.usage.budgets.refresh()
    assert ws.state.version() == before


def test_counts_that_were_kept_are_those_counted_anew(ws: Workspace) -> None:
    """`held` follows every hold by differences; a refresh adds it up again."""
    for scope in (FOR_ALL, "user:ann", "tag:team:red"):
        ws.usage.budgets.add(scope, "1000", "day")
    open_holds = [hold(ws, number, user="ann" if number % 2 else "bo") for number in range(1, 9)]
    bundle = ws.usage.budgets.bundle(usd=5, user="ann")
    hold(ws, 3, bundle=bundle).settle(Amounts(in_units(1), 1), [record(cost_usd=Decimal("0.5"), user="bo")])
    for held in open_holds[::3]:
        held.settle(Amounts(in_units(1), None))
    budgets = ws.usage.budgets
    with budgets._file.transaction() as transaction:
        kept = {count.key: count.held for count in transaction.counts()}
        transaction.replace(transaction.counts())
    with budgets._file.transaction() as transaction:
        assert {count.key: count.held for count in transaction.counts()} == kept
    assert len(set(kept.values())) == 3


@pytest.mark.parametrize("content", [b"not a database, but somebody's letter\n" * 300, None], ids=["spoiled", "newer"])
def test_where_holds_cannot_be_kept_nothing_may_be_sent(ws: Workspace, content: bytes | None) -> None:
    ws.usage.budgets.add(FOR_ALL, "10", "day")
    if content is None:
        with ws.usage.budgets._file.transaction() as transaction:
            transaction._connection.execute("SELECT 1")
        ws.usage.budgets._file._connection.execute("PRAGMA user_version = 99")  # type: ignore[union-attr]
        ws.usage.close()
    else:
        Path(ws.home.holds).write_bytes(content)
    with pytest.raises(StoreError) as caught:
        hold(ws, 1)
    assert caught.value.hint
    assert content is None or ws.home.holds.read_bytes() == content
