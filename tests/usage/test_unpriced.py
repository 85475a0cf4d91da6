"""Records without a cost, and what is missing to know it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llm_core import Usage, Workspace
from llm_core.errors import UnknownModel
from llm_core.store.home import open_home
from llm_core.types import Cost
from llm_core.usage import UsageService

from .rows import NOON, keep, record


def price(model_id: str, usage: Usage, **_: Any) -> Cost:
    """Knows gpt-6-luna but for its audio; names `work` as a connection that is gone."""
    connection, model = model_id.split(":")
    if connection == "work":
        raise UnknownModel("There is no connection work.")
    if model != "gpt-6-luna":
        return Cost(None, missing=("model",))
    missing = tuple(name for name in ("input_audio_tokens", "searches") if getattr(usage, name))
    return Cost(None if missing else Decimal(1), missing=missing)


@pytest.fixture
def priced(home: Path) -> Iterator[UsageService]:
    service = UsageService(open_home(home), price=price)
    yield service
    service.close()


def test_each_kind_of_unpriced_record_is_told_with_what_is_missing(priced: UsageService) -> None:
    audio = Usage(input_tokens=50, input_audio_tokens=40, cache_write_tokens=3, cache_write_1h_tokens=3, searches=2)
    plain = Usage(input_tokens=10, output_tokens=5, reasoning_tokens=5)
    keep(
        priced,
        [
            *(record(usage=audio, started_at=NOON + timedelta(hours=n)) for n in range(4)),
            *(record(usage=plain, model="mystery", mode="batch") for _ in range(3)),
            *(record(usage=plain, connection="work") for _ in range(2)),
            record(model="silent"),
            record(usage=plain, cost_usd=Decimal(0)),
        ],
    )
    found = priced.unpriced()
    assert found[["connection", "model", "mode", "records", "missing"]].values.tolist() == [
        ["openai", "gpt-6-luna", "standard", 4, "input_audio_tokens, searches"],
        ["openai", "mystery", "batch", 3, "model"],
        ["work", "gpt-6-luna", "standard", 2, ""],
        ["openai", "silent", "standard", 1, "usage"],
    ]
    assert found["input_tokens"].tolist()[:3] == [200, 30, 20]
    assert found["reported"].tolist() == [True, True, True, False]
    assert (found["first_at"][0].to_pydatetime(), found["last_at"][0].to_pydatetime()) == (
        NOON,
        NOON + timedelta(hours=3),
    )
    assert found["records"].sum() == priced.summary()["unpriced"][0]
    assert priced.unpriced(model="mystery")["calls"].tolist() == [3]


def test_without_prices_at_hand_the_reason_is_not_known(home: Path) -> None:
    service = UsageService(open_home(home))
    keep(service, [record(usage=Usage(input_tokens=1)), record()])
    assert sorted(service.unpriced()["missing"].tolist(), key=str) == [None, "usage"]
    assert service.unpriced(priced=True).empty
    service.close()


def test_a_workspace_asks_its_own_prices(ws: Workspace) -> None:
    keep(ws.usage, [record(usage=Usage(input_tokens=5, output_tokens=1), model="no-such-model-at-all")])
    assert ws.usage.unpriced()["missing"].tolist() == ["model"]
