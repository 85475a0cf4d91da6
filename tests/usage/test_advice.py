"""Advice on planted work: what was planted is found with its dollars, and a clean month brings none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from llm_core import Usage, UsageRecord, Workspace
from llm_core.errors import UnknownAlert
from llm_core.store.listings import keep_listing
from llm_core.types import LLMModel, LLMProvider
from llm_core.usage.advice import Advice

from .rows import record

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MODELS = {
    "openai": ("gpt-6.1-sol", "gpt-6-luna", "o3"),
    "anthropic": ("claude-opus-5-5", "claude-haiku-5-5"),
    "google": ("gemini-3.8-flash",),
}


@pytest.fixture
def ws(home: Any) -> Iterator[Workspace]:
    with Workspace.open() as workspace:
        for provider in MODELS:
            workspace.providers.connect(provider)
        yield workspace


def offer(ws: Workspace, *ids: str) -> None:
    """Have connections offer these models, and no others."""
    by_owner: dict[str, list[LLMModel]] = {provider: [] for provider in MODELS}
    for id in ids:  # noqa: A001
        owner, _, name = id.partition(":")
        by_owner[owner].append(LLMModel(owner, owner, name))
    with ws.state.write() as transaction:
        for owner, models in by_owner.items():
            keep_listing(transaction, owner, models, NOW)


def work(ws: Workspace, count: int, every: timedelta, **fields: Any) -> list[UsageRecord]:
    """So many calls up to now, priced by the price list."""
    made = []
    for number in range(count):
        changes = {name: value(number) if callable(value) else value for name, value in fields.items()}
        owner = changes["connection"]
        usage = changes.pop("usage", Usage(input_tokens=600, output_tokens=200))
        plain = {"started_at": NOW - 10 * MINUTE - number * every, "provider": owner, "usage": usage, "ttft_ms": 300.0}
        kept = {**plain, "latency_ms": 900.0, **changes}
        cost = ws.models.price(f"{owner}:{changes['model']}", usage, at=kept["started_at"]).usd
        made.append(record(**{"cost_usd": cost, **kept}))
        ws.usage.record(made[-1])
    ws.usage.flush()
    return made


def advice(ws: Workspace) -> list[Advice]:
    found = ws.usage.advice(now=NOW)
    for each in found:
        assert len(each.evidence)
        assert len(ws.usage.sql(each.sql)), "the SQL behind it can be run"
    return found


def in_office(number: int) -> datetime:
    """Working hours of the last four weeks, four minutes apart."""
    day = NOW.replace(hour=9) - timedelta(days=1 + number // 120)
    while day.weekday() > 4:
        day -= timedelta(days=2)
    return day + (number % 120) * 4 * MINUTE


def test_a_clean_month_brings_no_advice(ws: Workspace) -> None:
    offer(ws, "openai:gpt-6-luna", "anthropic:claude-haiku-5-5")
    tokens = [400, 500, 600, 900, 1500]
    work(
        ws, 2000, HOUR, connection="openai", model="gpt-6-luna", app="chat", started_at=in_office,
        usage=lambda number: Usage(
            input_tokens=1000 + tokens[number % 5], cache_read_tokens=700, output_tokens=tokens[number % 5]
        ),
        status=lambda number: "ok" if number % 50 else "error",
        cost_usd=lambda number: Decimal("0.0004") if number % 50 else Decimal(0),
    )  # fmt: skip
    work(ws, 400, HOUR, connection="anthropic", model="claude-haiku-5-5", app="notes", started_at=in_office)
    assert [each.title for each in advice(ws)] == []


def test_a_cheaper_model_with_the_same_needs_is_named_as_untested(ws: Workspace) -> None:
    offer(ws, "openai:gpt-6.1-sol", "openai:gpt-6-luna")
    usage = Usage(input_tokens=9000, output_tokens=700)
    made = work(ws, 500, HOUR, connection="openai", model="gpt-6.1-sol", task="code", app="ide", usage=usage)
    (found,) = advice(ws)
    spent = sum((one.cost_usd or Decimal(0) for one in made), Decimal(0))
    other = sum(
        (ws.models.price("openai:gpt-6-luna", usage, at=one.started_at).usd or Decimal(0) for one in made), Decimal(0)
    )
    assert (found.kind, found.subject, found.untested) == ("cheaper", "openai:gpt-6.1-sol", True)
    assert found.saved_usd == (spent - other).quantize(Decimal("0.01"))
    assert found.title.startswith("GPT-6 Luna would do the code calls of GPT-6.1 Sol for")
    assert found.title.endswith("(untested)")
    assert "openai:" not in found.action + found.basis
    assert found.evidence["model"].tolist() == ["openai:gpt-6-luna"]
    shown = ws.usage.sql(found.sql).iloc[0]
    assert (shown.records, shown.cost_usd - shown.repriced_usd) == (500, spent - other)


def test_a_model_that_lacks_what_the_calls_need_is_not_named(ws: Workspace) -> None:
    offer(ws, "openai:gpt-6.1-sol", "openai:gpt-6-luna")
    ws.models.edit_own("openai:gpt-6-luna", context_window=8000)
    work(
        ws, 300, HOUR, connection="openai", model="gpt-6.1-sol", task="code",
        usage=Usage(input_tokens=9000, output_tokens=700),
    )  # fmt: skip
    assert advice(ws) == []


def test_caching_that_would_pay_is_told_with_what_it_saves_at_most(ws: Workspace) -> None:
    offer(ws, "google:gemini-3.8-flash")
    usage = Usage(input_tokens=20_000, output_tokens=100)
    made = work(ws, 800, MINUTE, connection="google", model="gemini-3.8-flash", app="faq", usage=usage)
    (found,) = advice(ws)
    model = ws.models.get("google:gemini-3.8-flash")
    assert model.input_price is not None
    assert model.cache_read_price is not None
    first_ones = len({one.started_at.timestamp() // 300 for one in made})
    expected = (800 - first_ones) * 20_000 * (model.input_price - model.cache_read_price) / 10**6
    assert (found.kind, found.saved_usd) == ("caching", expected.quantize(Decimal("0.01")))
    assert "At most" in found.basis


def test_batch_is_advised_where_nobody_waits(ws: Workspace) -> None:
    offer(ws, "anthropic:claude-opus-5-5")
    at_night = {
        "started_at": lambda number: NOW.replace(hour=2) - timedelta(days=1 + number // 20) + (number % 20) * MINUTE
    }
    common: dict[str, Any] = {
        "connection": "anthropic",
        "model": "claude-opus-5-5",
        "usage": Usage(input_tokens=800, output_tokens=900),
    }
    made = work(ws, 400, HOUR, app="digest", task="summarize", ttft_ms=None, **at_night, **common)
    work(ws, 200, HOUR, app="chat", **common)
    (found,) = advice(ws)
    spent = sum((one.cost_usd or Decimal(0) for one in made), Decimal(0))
    assert (found.kind, found.key) == ("batch", "batch:anthropic:claude-opus-5-5:digest:summarize")
    assert found.saved_usd == (spent / 2).quantize(Decimal("0.01")), "batch is half the price"


def test_oversized_answers_and_failures_that_were_paid_for_have_their_price(ws: Workspace) -> None:
    offer(ws, "anthropic:claude-opus-5-5")
    model = {"connection": "anthropic", "model": "claude-opus-5-5", "app": "chat"}
    work(
        ws, 400, HOUR, **model, started_at=in_office,
        usage=lambda number: Usage(input_tokens=500, output_tokens=200 if number % 10 else 10_000),
    )  # fmt: skip
    failed = {"status": "partial", "error_kind": "connection_broken", "cost_usd": Decimal("0.125")}
    work(ws, 40, HOUR, **model, **failed, started_at=in_office)
    found = {each.kind: each for each in advice(ws)}
    price = ws.models.get("anthropic:claude-opus-5-5").output_price
    assert price is not None
    assert set(found) == {"sizes", "failures"}
    assert found["sizes"].saved_usd == (40 * (10_000 - 4 * 200) * price / 10**6).quantize(Decimal("0.01"))
    assert found["failures"].saved_usd == Decimal("5.00")
    assert "mostly connection broken" in found["failures"].basis
    assert "Answers of Claude Opus 5.5 that failed" in found["failures"].title


def test_idle_keys_and_models_that_end_are_told_without_dollars(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(ws, "openai:o3", "openai:gpt-6-luna")
    ws.models.edit_own("openai:o3", retires_at=NOW + timedelta(days=20))
    work(ws, 10, HOUR, connection="openai", model="o3", task="judge")
    keys = [
        LLMProvider("openai", "openai", key_source="vault", key_made_at=NOW - timedelta(days=200)),
        LLMProvider("spare", "openai", key_source="vault", key_made_at=NOW - timedelta(days=45)),
        LLMProvider("new", "openai", key_source="vault", key_made_at=NOW - timedelta(days=5)),
        LLMProvider("unknown", "openai", key_source="environment:OPENAI_API_KEY"),
    ]
    monkeypatch.setattr(ws.providers, "list", lambda: keys)
    found = ws.usage.advice(now=NOW)
    assert [(each.kind, each.subject, each.saved_usd) for each in found] == [
        ("ending", "openai:o3", None),
        ("idle", "spare", None),
    ]
    assert found[0].title.startswith("o3 is shut down in")


def test_advice_can_be_dismissed_kept_and_taken_back(ws: Workspace) -> None:
    offer(ws, "anthropic:claude-opus-5-5")
    failed = {"status": "partial", "error_kind": "timeout", "cost_usd": Decimal("1.25"), "app": "chat"}
    work(ws, 4, HOUR, connection="anthropic", model="claude-opus-5-5", **failed)
    (found,) = advice(ws)
    ws.usage.advice.keep(found.key)
    assert [each.mark for each in ws.usage.advice(now=NOW)] == ["kept"]
    ws.usage.advice.dismiss(found.key)
    assert ws.usage.advice(now=NOW) == []
    assert [each.mark for each in ws.usage.advice(now=NOW, dismissed=True)] == ["dismissed"]
    ws.usage.advice.undo(found.key)
    assert [each.mark for each in ws.usage.advice(now=NOW)] == [None]
    with pytest.raises(UnknownAlert):
        ws.usage.advice.dismiss("weather:tomorrow")
