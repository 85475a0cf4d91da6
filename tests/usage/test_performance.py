"""How models did here, compared with what Python works out of the same records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from llm_core import Usage
from llm_core.errors import InvalidInput, UnknownColumn
from llm_core.store.home import open_home
from llm_core.usage import UsageService

from .rows import NOON, record


@pytest.fixture
def usage(home: Path) -> Iterator[UsageService]:
    service = UsageService(open_home(home))
    yield service
    service.close()


def test_speed_is_of_answers_that_came_whole_and_errors_are_counted_apart(usage: UsageService) -> None:
    for seconds in (1, 2, 3):
        usage.record(
            record(
                usage=Usage(input_tokens=100, cache_read_tokens=40, output_tokens=101),
                latency_ms=seconds * 1000.0 + 500,
                ttft_ms=500.0,
                cost_usd=Decimal("0.5"),
            )
        )
    usage.record(record(status="error", error_kind="rate_limited", latency_ms=5.0, cost_usd=Decimal(0)))
    found = usage.performance(start=NOON, end=NOON + timedelta(seconds=1)).iloc[0]
    assert found.equals(usage.performance().iloc[0])
    assert (found.connection, found.model) == ("openai", "gpt-6-luna")
    assert (found.calls, found.attempts, found.error_rate) == (4, 4, 0.25)
    assert found.latency_p50_ms == pytest.approx(2500, rel=0.01)
    assert found.latency_p95_ms == pytest.approx(3500, rel=0.01)
    assert found.ttft_p50_ms == pytest.approx(500, rel=0.01)
    assert found.tokens_per_second == pytest.approx(300 / 6)
    assert (found.cost_usd, found.priced) == (Decimal("1.5"), 1.0)
    assert (found.input_tokens, found.cache_read_tokens, found.output_tokens) == (300, 120, 303)


def test_what_no_record_tells_is_unknown_and_no_zero(usage: UsageService) -> None:
    usage.record(record(model="silent", latency_ms=None))
    usage.record(record(model="unstreamed", usage=Usage(input_tokens=9, output_tokens=9), latency_ms=700.0))
    found = usage.performance("model").set_index("model")
    for name in ("cost_usd", "tokens_per_second", "latency_p50_ms", "ttft_p50_ms", "input_tokens"):
        assert pd.isna(found.loc["silent", name])
    assert pd.isna(found.loc["unstreamed", "tokens_per_second"])
    assert found.loc["unstreamed", "latency_p50_ms"] == pytest.approx(700, rel=0.01)


def test_records_of_another_time_or_model_are_left_out(usage: UsageService) -> None:
    usage.record(record(model="old", started_at=NOON - timedelta(days=40)))
    usage.record(record(model="new"))
    assert usage.performance(start=NOON - timedelta(days=30))["model"].tolist() == ["new"]
    assert usage.performance(model="old")["calls"].tolist() == [1]


def test_what_cannot_be_grouped_by_is_refused(usage: UsageService) -> None:
    with pytest.raises(UnknownColumn):
        usage.performance("cost_usd")
    with pytest.raises(InvalidInput):
        usage.performance(())
