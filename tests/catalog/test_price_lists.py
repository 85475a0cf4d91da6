"""A person's prices: the list in use, updates that wait for their word, and prices of their own."""

from __future__ import annotations

import subprocess
import sys
import zlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

from llm_core import Workspace
from llm_core.catalog import price_fetch, price_lists
from llm_core.catalog.price_lists import Prices
from llm_core.catalog.price_table import PriceTable
from llm_core.catalog.prices import installed
from llm_core.errors import InvalidInput, SampleWorkspace, StoreError, UnknownModel, Unreachable
from llm_core.store import tables
from llm_core.types import Usage

MILLION = Usage(input_tokens=1_000_000)
MODEL = "openai:gpt-4.1"
"""At 2 dollars a million in, 8 out, 0.5 from the cache, on every day there is."""


@pytest.fixture
def prices(ws: Workspace) -> Prices:
    return ws.models.prices


def changed(rates: dict[str, Any], since: str | None = None) -> PriceTable:
    """The installed list with other standard rates for gpt-4.1."""
    content = orjson.loads(installed().to_json()) | {"source": "genai-prices 9.9.9"}
    for seller in content["sellers"]:
        for model in seller["models"]:
            if (seller["id"], model["id"]) == ("openai", "gpt-4.1"):
                (period,) = model["modes"]["standard"]
                later = {"rates": period["rates"] | rates} | ({"from": since, "since": since} if since else {})
                model["modes"]["standard"] = [period | {"to": since}, later] if since else [later]
    return PriceTable(content)


def install(table: PriceTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on another version of genai-prices is installed."""
    monkeypatch.setattr(price_lists, "installed", lambda: table)
    monkeypatch.setattr(price_lists, "installed_edition", lambda: f"{table.source}, another edition")


def test_the_first_question_adopts_the_installed_list_and_keeps_it(ws: Workspace, prices: Prices) -> None:
    assert prices.source.startswith("genai-prices ")
    with ws.state.read() as connection:
        (row,) = connection.execute(select(tables.price_lists)).all()
    assert row.accepted_at is not None
    assert row.digest == installed().digest
    assert len(row.data) < 100_000
    assert prices.update() is None


def test_a_kept_list_prices_without_the_package_it_came_from(ws: Workspace) -> None:
    ws.models.prices.ready()
    code = (
        "import sys; from llm_core import Workspace, Usage\n"
        "with Workspace.open() as ws: cost = ws.models.price('openai:o3', Usage(input_tokens=1000))\n"
        "print(cost.usd, 'genai_prices' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["0.0020000000", "False", "False"]


def test_a_newer_list_waits_until_it_is_accepted(
    ws: Workspace, prices: Prices, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage, newer = Usage(output_tokens=1_000_000), changed({"output_tokens": "9"})
    assert ws.models.price(MODEL, usage).usd == 8
    install(newer, monkeypatch)
    found = prices.check()
    assert found is not None
    assert (found.source, found.digest) == ("genai-prices 9.9.9", newer.digest)
    assert found.changes.to_dict("records") == [
        {
            "model": MODEL,
            "mode": "standard",
            "rate": "output_tokens",
            "old": Decimal(8),
            "new": Decimal(9),
            "effective_from": None,
        }
    ]
    assert ws.models.price(MODEL, usage).usd == 8
    with Workspace.open() as other:
        other.models.prices.ready()
        prices.accept(found.digest)
        assert other.models.price(MODEL, usage).usd == 9
    assert ws.models.price(MODEL, usage).usd == 9
    assert prices.update() is None
    prices.accept(installed().digest)
    assert ws.models.price(MODEL, usage).usd == 8
    with pytest.raises(InvalidInput, match="no such price list"):
        prices.accept("0000")


def test_a_change_of_date_is_told_with_its_day(prices: Prices, monkeypatch: pytest.MonkeyPatch) -> None:
    prices.ready()
    install(changed({"input_tokens": "3"}, since="2027-03-01"), monkeypatch)
    found = prices.update()
    assert found is not None
    (row,) = found.changes.to_dict("records")
    assert (row["rate"], row["old"], row["new"]) == ("input_tokens", Decimal(2), Decimal(3))
    assert row["effective_from"] == date(2027, 3, 1)


def test_the_same_rates_in_a_newer_version_are_no_update(prices: Prices, monkeypatch: pytest.MonkeyPatch) -> None:
    prices.ready()
    install(PriceTable(dict(installed().content) | {"source": "genai-prices 9.9.9"}), monkeypatch)
    assert prices.update() is None


def test_fetching_is_asked_for_and_says_when_it_fails(prices: Prices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(price_lists, "fetched", lambda: price_fetch.fetched("http://127.0.0.1:9/data.json"))
    with pytest.raises(Unreachable, match="could not be fetched from 127"):
        prices.check(fetch=True)
    assert prices.update() is None


def test_a_fetched_list_waits_too(prices: Prices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_lists, "fetched", lambda: changed({"input_tokens": "7"}))
    found = prices.check(fetch=True)
    assert found is not None
    assert list(found.changes["new"]) == [Decimal(7)]
    assert prices.rates(MODEL).rates["input_tokens"].usd == 2


def test_an_own_price_counts_in_its_period_and_stands_alone(ws: Workspace, prices: Prices) -> None:
    ours = prices.set_own(
        MODEL,
        {"input_tokens": "0.08", "output_tokens": Decimal("0.4")},
        effective_from=date(2026, 6, 1),
        effective_to=date(2027, 1, 1),
        note="contract 7",
    )
    during = datetime(2026, 6, 1, tzinfo=UTC)
    cost = ws.models.price(MODEL, MILLION, during)
    assert (cost.usd, cost.source, cost.effective_from) == (Decimal("0.08"), "own price, contract 7", date(2026, 6, 1))
    assert ws.models.price(MODEL, MILLION, during - timedelta(seconds=1)).usd == 2
    assert ws.models.price(MODEL, MILLION, datetime(2027, 1, 1, tzinfo=UTC)).usd == 2
    assert ws.models.price(MODEL, MILLION, during, "batch").source.startswith("genai-prices")
    cached = Usage(input_tokens=10, cache_read_tokens=5)
    assert ws.models.price(MODEL, cached, during).missing == ("cache_read_tokens",)
    assert prices.own() == prices.own(MODEL) == [ours]
    assert ws.models.get(MODEL).input_price == Decimal("0.08")
    prices.remove_own(ours.key)
    assert ws.models.price(MODEL, MILLION, during).usd == 2
    with pytest.raises(InvalidInput):
        prices.remove_own(ours.key)


def test_any_model_of_any_provider_can_have_a_price(ws: Workspace, prices: Prices, connect) -> None:
    connect("box", provider="compatible", base_url="http://127.0.0.1:9/v1")
    prices.set_own("box:llama-3", {"input_tokens": "1", "requests": "2"})
    prices.set_own("huggingface:a/b:novita", {"input_tokens": "2"})
    prices.set_own("local:smollm2", {"input_tokens": "3"}, note="power")
    prices.set_own("openai:gpt-6-luna", {"audio_seconds": "0.36"}, mode="priority")
    assert ws.models.price("box:llama-3", MILLION).usd == Decimal("1.002")
    assert ws.models.price("huggingface:a/b:novita", MILLION).usd == 2
    assert ws.models.price("local:smollm2", MILLION).usd == 3
    assert ws.models.price("openai:gpt-6-luna", Usage(audio_seconds=90), mode="priority").usd == Decimal("0.009")
    assert [price.model for price in prices.own()] == sorted(price.model for price in prices.own())


@pytest.mark.parametrize(
    ("rates", "named"),
    [
        ({"input_tokens": "-1"}, {}),
        ({"input_tokens": "NaN"}, {}),
        ({"input_tokens": "1e9"}, {}),
        ({"input_tokens": "0.0000000000001"}, {}),
        ({"input_tokens": 0.5}, {}),
        ({"input_tokens": True}, {}),
        ({"input_tokens": "cheap"}, {}),
        ({"tokens": "1"}, {}),
        ({}, {}),
        ({"input_tokens": "1"}, {"mode": "slow"}),
        ({"input_tokens": "1"}, {"note": "two\nlines"}),
        ({"input_tokens": "1"}, {"effective_from": datetime(2026, 1, 1)}),
        ({"input_tokens": "1"}, {"effective_from": date(2026, 2, 1), "effective_to": date(2026, 2, 1)}),
    ],
)
def test_what_is_no_price_is_refused(prices: Prices, rates: dict[str, Any], named: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        prices.set_own(MODEL, rates, **named)
    assert prices.own() == []


def test_own_prices_of_a_mode_cannot_overlap(prices: Prices) -> None:
    prices.set_own(MODEL, {"input_tokens": "1"}, date(2026, 1, 1), date(2026, 6, 1))
    prices.set_own(MODEL, {"input_tokens": "2"}, date(2026, 6, 1))
    prices.set_own(MODEL, {"input_tokens": "3"}, mode="batch")
    for span in ((None, None), (date(2026, 5, 31), date(2026, 6, 1)), (date(2027, 1, 1), None)):
        with pytest.raises(InvalidInput, match="already has a price") as caught:
            prices.set_own(MODEL, {"input_tokens": "4"}, *span)
        assert caught.value.hint
    with pytest.raises(UnknownModel):
        prices.set_own("gpt", {"input_tokens": "4"})


def test_the_history_has_every_price_with_its_days_and_what_is_announced(prices: Prices) -> None:
    argon = prices.history("google:gemini-4-argon").to_dict("records")
    inputs = [row for row in argon if row["rate"] == "input_tokens"]
    assert [(row["effective_from"], row["effective_to"], row["usd"], row["announced"]) for row in inputs] == [
        (None, date(2026, 12, 1), Decimal(2), False),
        (date(2026, 12, 1), None, Decimal(4), date(2026, 12, 1) > datetime.now(UTC).date()),
    ]
    assert {row["per"] for row in argon} == {"million tokens", "thousand searches"}
    (search,) = [row for row in argon if row["rate"] == "searches"]
    assert (search["effective_from"], search["effective_to"]) == (None, None)  # what did not change is one row
    tiers = prices.history("anthropic:claude-haiku-5-5")
    assert set(tiers[tiers.rate == "input_tokens"].over_tokens) == {None, 100_000}
    assert len(prices.history("openai:no-such-model")) == 0
    prices.set_own("google:gemini-4-argon", {"input_tokens": "1"}, date(2026, 11, 1), date(2026, 12, 15))
    told = prices.history("google:gemini-4-argon")
    own = told[told.rate == "input_tokens"]
    assert list(own.usd) == [Decimal(2), Decimal(1), Decimal(4)]
    assert list(own.effective_from) == [None, date(2026, 11, 1), date(2026, 12, 15)]
    assert list(own.effective_to) == [date(2026, 11, 1), date(2026, 12, 15), None]
    with pytest.raises(InvalidInput):
        prices.history(MODEL, "slow")


def test_rates_that_change_within_a_day_are_told_with_their_hours(prices: Prices, connect) -> None:
    connect("seek", provider="compatible", base_url="https://api.deepseek.com/v1")
    told = prices.history("seek:deepseek-v4-pro")
    assert "01:00 to 04:00" in set(told.hours)


def test_two_sources_that_differ_by_more_than_a_twentieth_are_told(prices: Prices) -> None:
    """litellm has gpt-4o-transcribe's audio at 2.5 dollars a million; OpenAI publishes 6."""
    (found,) = [each for each in prices.disagreements("openai:gpt-4o-transcribe") if each.rate == "input_audio_tokens"]
    assert (found.ours, found.theirs) == (Decimal(6), Decimal("2.5"))
    assert found.difference == Decimal("2.5") / 6 - 1
    assert found.theirs_source.name
    assert prices.disagreements("openai:gpt-4.1") == []
    assert prices.disagreements("box:unknown") == []


@pytest.mark.parametrize(
    ("data", "told"), [(b"", "damaged"), (zlib.compress(b'{"format": 99}'), "another version of this program")]
)
def test_a_stored_list_that_cannot_be_read_is_an_error(ws: Workspace, prices: Prices, data: bytes, told: str) -> None:
    prices.ready()
    with ws.state.write() as connection:
        connection.execute(update(tables.price_lists).values(data=data, digest="x"))
    with Workspace.open() as other, pytest.raises(StoreError, match=told):
        other.models.price(MODEL, MILLION)


@pytest.mark.usefixtures("sample_data")
def test_the_sample_shows_prices_and_changes_none() -> None:
    with Workspace.open_sample() as sample:
        assert sample.models.price(MODEL, MILLION).usd == 2
        assert sample.models.prices.check() is None
        for change in (
            lambda: sample.models.prices.set_own(MODEL, {"input_tokens": "1"}),
            lambda: sample.models.prices.check(fetch=True),
            lambda: sample.models.prices.accept("x"),
        ):
            with pytest.raises(SampleWorkspace):
                change()
