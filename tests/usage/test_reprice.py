"""Rows priced all at once in SQL: the same money as one by one, and what they would cost elsewhere or another time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core import Usage, UsageRecord, Workspace
from llm_core.catalog.cost import cost_of
from llm_core.catalog.price_bands import bands, free_bands
from llm_core.catalog.prices import installed
from llm_core.errors import InvalidInput, QueryRefused, UnknownColumn, UnknownModel
from llm_core.types import MODES, USAGE_FIELDS, PriceBand
from llm_core.usage.database import connect
from llm_core.usage.repricing import fill_rates, ids_in, macros_sql, priced_sql, rate_rows
from llm_core.usage.schema import COLUMNS
from llm_core.usage.staging import TABLE_COLUMNS

SOLD = [
    *(
        (provider, name, model)
        for provider, name, model in installed().models("openai", "anthropic", "google", "cohere", "huggingface")
    ),
    *(("deepseek", name, model) for _, name, model in installed().models("deepseek")),
]
"""DeepSeek's rates change within the day."""
EDGES = (0, 1, 100_000, 100_001, 128_000, 128_001, 200_000, 200_001, 272_000, 272_001, 10**9)


def listed(id: str) -> list[PriceBand] | None:  # noqa: A002
    provider, _, name = id.partition(":")
    if provider == "local":
        return free_bands()
    found = next((model for owner, sold, model in SOLD if (owner, sold) == (provider, name)), None)
    return None if found is None else bands(found.modes)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """The table `usage`, and the rates of every model."""
    connection = connect(spills=False)
    connection.execute(f"CREATE TABLE usage ({TABLE_COLUMNS})")
    fill_rates(connection, rate_rows(listed, [(owner, owner, name) for owner, name, _ in SOLD]))
    yield connection
    connection.close()


@st.composite
def rows(draw: st.DrawFn) -> tuple[Any, str, datetime, Usage]:
    """A model, a mode, a moment near a change of its price where it has one, and any usage."""
    sold = draw(st.sampled_from(SOLD))
    prompt = draw(st.one_of(st.sampled_from(EDGES), st.integers(0, 500_000)))
    answer = draw(st.one_of(st.sampled_from(EDGES), st.integers(0, 50_000)))
    read = draw(st.integers(0, prompt))
    written = draw(st.one_of(st.just(0), st.integers(0, prompt - read)))
    changes = [period.start for periods in sold[2].modes.values() for period in periods if period.start]
    at = draw(st.datetimes(datetime(2023, 1, 1), datetime(2028, 1, 1)))
    if changes and draw(st.booleans()):
        day = draw(st.sampled_from(changes))
        at = datetime(day.year, day.month, day.day) - timedelta(microseconds=draw(st.sampled_from([0, 1])))
    usage = Usage(
        input_tokens=prompt,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=draw(st.integers(0, written)),
        output_tokens=answer,
        reasoning_tokens=draw(st.integers(0, answer)),
        input_audio_tokens=draw(st.sampled_from([0, 0, prompt, prompt // 2])),
        output_audio_tokens=draw(st.sampled_from([0, 0, answer // 2])),
        audio_seconds=draw(st.one_of(st.just(0.0), st.floats(0, 1e6))),
        images=draw(st.sampled_from([0, 0, 0, 1])),
        requests=draw(st.integers(0, 3)),
        searches=draw(st.sampled_from([0, 0, 2])),
    )
    return sold, draw(st.sampled_from(MODES)), at, usage


@settings(max_examples=25, deadline=None)
@given(batch=st.lists(rows(), min_size=1, max_size=80))
def test_sql_prices_every_row_as_it_is_priced_alone(database: duckdb.DuckDBPyConnection, batch: list[Any]) -> None:
    database.execute("DELETE FROM usage")
    columns = ("id", "connection", "provider", "model", "mode", "started_at", "usage_source", *USAGE_FIELDS)
    database.executemany(
        f"INSERT INTO usage ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        [
            (number, owner, owner, name, mode, at, "reported", *(getattr(usage, field) for field in USAGE_FIELDS))
            for number, ((owner, name, _), mode, at, usage) in enumerate(batch)
        ],
    )
    found = {
        int(number): (usd, source, since)
        for number, usd, source, since in database.execute(priced_sql("usage", ["id"])).fetchall()
    }
    assert len(found) == len(batch)
    for number, ((_, _, model), mode, at, usage) in enumerate(batch):
        cost = cost_of(usage, model.card(at, mode), mode)
        told = (cost.usd, cost.source, cost.effective_from) if cost.usd is not None else (None, None, None)
        assert found[number] == told


WRONG: list[dict[str, Any]] = [
    {"input_tokens": None},
    {"output_tokens": None},
    {"usage_source": "unknown"},
    {"input_tokens": -1},
    {"input_tokens": 2**62},
    {"cache_read_tokens": 600, "cache_write_tokens": 600},
    {"cache_read_tokens": 2**62, "cache_write_tokens": 2**62},
    {"reasoning_tokens": 11},
    {"audio_seconds": -1.0},
    {"audio_seconds": float("nan")},
    {"mode": "unheard"},
    {"model": "unheard"},
]


@pytest.mark.parametrize("fields", WRONG, ids=str)
def test_what_cannot_be_priced_is_null_and_breaks_nothing(
    database: duckdb.DuckDBPyConnection, fields: dict[str, Any]
) -> None:
    row = {
        "id": "1",
        "connection": "openai",
        "provider": "openai",
        "model": "gpt-4.1",
        "mode": None,
        "started_at": datetime(2026, 1, 1),
        "input_tokens": 1000,
        "output_tokens": 10,
    }
    database.execute("DELETE FROM usage")
    for each in (row, row | fields):
        database.execute(
            f"INSERT INTO usage ({', '.join(each)}) VALUES ({', '.join('?' * len(each))})", list(each.values())
        )
    usd = [usd for _, usd, *_ in database.execute(priced_sql("usage", ["id"])).fetchall()]
    assert sorted(usd, key=str) == [Decimal("0.0020800000"), None]


def test_ids_are_found_in_a_statement_and_its_values() -> None:
    assert ids_in("SELECT 'a:b' FROM usage_priced_on('it''s:x') WHERE user = 'ann'", None) == ["a:b", "it's:x"]
    assert ids_in("FROM usage_priced_on($m)", {"m": "c:d", "n": 3}) == ["c:d"]
    assert ids_in("FROM usage_priced_on(?)", ["e:f"]) == ["e:f"]


DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


def call(model: str, **fields: Any) -> UsageRecord:
    provider, _, name = model.partition(":")
    usage = fields.pop("usage", Usage(input_tokens=1_000_000, output_tokens=100_000))
    return UsageRecord(
        **{"provider": provider, "connection": provider, "model": name, "started_at": DAY, "usage": usage} | fields
    )


@pytest.fixture
def month(ws: Workspace) -> Workspace:
    """Six records: four priced when drained, one never, one that was not billed."""
    for record in (
        call("openai:gpt-4.1", user="ann"),
        call("openai:gpt-4.1", user="bo", mode="batch"),
        call("google:gemini-4-argon", user="ann"),
        call("openai:o3", user="bo", started_at=datetime(2025, 6, 9, tzinfo=UTC)),
        call("openai:invented", user="bo"),
        call("openai:gpt-4.1", user="bo", usage=None, status="error", cost_usd=Decimal(0), price_source="not billed"),
    ):
        ws.usage.record(record)
    ws.usage.flush()
    return ws


def test_draining_prices_in_one_statement_with_source_and_date(month: Workspace) -> None:
    found = month.usage.sql(
        "SELECT provider, model, mode, cost_usd, price_source, price_from FROM usage ORDER BY model, mode, cost_usd"
    )
    told = [tuple(row) for row in found.itertuples(index=False)]
    assert [row[3] for row in told] == [
        Decimal("3.0000000000"),
        Decimal("1.4000000000"),
        Decimal("0.0000000000"),
        Decimal("2.8000000000"),
        None,
        Decimal("14.0000000000"),
    ]
    assert told[1][4].startswith("genai-prices ")
    assert told[1][5] == date(2026, 10, 14)


def test_records_at_their_own_time_cost_what_they_did(month: Workspace) -> None:
    (row,) = month.usage.reprice().to_dict("records")
    assert row["cost_usd"] == row["repriced_usd"] == row["repriced_usd_of_both"] == Decimal("21.2000000000")
    assert (row["records"], row["priced"], row["repriced"]) == (6, 5 / 6, 5 / 6)


def test_records_at_another_time_and_by_user(month: Workspace) -> None:
    found = month.usage.reprice(at=datetime(2026, 12, 1, tzinfo=UTC), by="user").set_index("user")
    assert found["repriced_usd"].to_dict() == {"ann": Decimal("8.8000000000"), "bo": Decimal("4.2000000000")}
    assert found["cost_usd"].to_dict() == {"ann": Decimal("5.8000000000"), "bo": Decimal("15.4000000000")}
    assert found["repriced"]["bo"] == 0.75


def test_records_on_another_model_keep_their_mode_and_what_was_not_billed_stays_free(month: Workspace) -> None:
    (row,) = month.usage.reprice(model="google:gemini-4-argon", provider="openai").to_dict("records")
    # argon at 2 and 10 dollars a million, half in a batch: 3 + 1.5 + 3 + 3, and one that was refused
    assert (row["repriced_usd"], row["repriced"]) == (Decimal("10.5000000000"), 1)
    assert row["cost_usd_of_both"] == Decimal("18.2000000000")
    assert row["repriced_usd_of_both"] == Decimal("7.5000000000")
    with pytest.raises(UnknownModel, match="invented"):
        month.usage.reprice(model="openai:invented")
    with pytest.raises(UnknownColumn):
        month.usage.reprice(by="id")
    with pytest.raises(InvalidInput):
        month.usage.reprice(at=datetime(2026, 1, 1))


@pytest.mark.parametrize(
    "asked",
    [
        {"by": "user"},
        {"by": ("connection", "model"), "at": datetime(2026, 12, 1, tzinfo=UTC)},
        {"model": "google:gemini-4-argon", "provider": "openai"},
        {"model": "google:gemini-4-argon", "at": datetime(2026, 12, 1, tzinfo=UTC), "by": ["model"], "user": "bo"},
    ],
    ids=str,
)
def test_the_shown_sql_prices_as_the_question_does(month: Workspace, asked: dict[str, Any]) -> None:
    told, shown = month.usage.reprice(**asked), month.usage.sql(month.usage.explain("reprice", **asked))
    assert list(shown.columns) == list(told.columns)
    assert shown.to_dict("records") == told.to_dict("records")
    assert told["repriced_usd"].notna().any()
    with pytest.raises(UnknownModel, match="invented"):
        month.usage.explain("reprice", model="openai:invented")


def test_an_own_price_reprices_records_and_changes_none(month: Workspace) -> None:
    month.models.prices.set_own("openai:invented", {"input_tokens": "1", "output_tokens": "5"})
    (row,) = month.usage.reprice(model="openai:invented", mode="standard").to_dict("records")
    assert row["repriced_usd"] == Decimal("6.0000000000")
    (own,) = month.usage.reprice(model="openai:gpt-4.1", by="model").query("model == 'invented'").to_dict("records")
    assert own["cost_usd"] is None
    assert own["repriced_usd"] == Decimal("2.8000000000")


def test_typed_sql_prices_at_another_time_and_on_another_model(month: Workspace) -> None:
    ask = month.usage.sql

    def total(source: str, params: Any = None) -> Any:
        return ask(f"SELECT sum(repriced_usd) AS usd, count(*) AS n FROM {source}", params).to_dict("records")[0]

    assert total("usage_priced()") == {"usd": Decimal("21.2000000000"), "n": 6}
    assert total("usage_priced_at(TIMESTAMP '2026-12-01')")["usd"] == Decimal("13.0000000000")
    assert total("usage_priced_on('google:gemini-4-argon')")["usd"] == Decimal("13.5000000000")
    assert total("usage_priced_on($m, TIMESTAMP '2026-12-01')", {"m": "google:gemini-4-argon"})["usd"] == 27
    assert total("usage_priced_on('openai:unheard') WHERE mode = 'batch'") == {"usd": None, "n": 1}
    assert len(ask("SELECT * FROM usage_priced_on('openai:unheard') LIMIT 2")) == 2
    assert list(ask("FROM usage_priced() LIMIT 1").columns) == [
        *COLUMNS,
        "repriced_usd",
        "repriced_source",
        "repriced_from",
    ]
    joined = "FROM usage JOIN usage_priced_on('openai:gpt-4.1') AS other USING (id)"
    assert len(ask(f"SELECT usage.cost_usd - other.repriced_usd AS saved {joined}")) == 6
    for hidden in ("rates", "main.rates", "main.usage_priced()"):
        with pytest.raises(QueryRefused):
            ask(f"SELECT * FROM {hidden}")


def test_the_functions_of_typed_sql_are_made_in_every_version_of_duckdb() -> None:
    connection = connect(spills=False)
    connection.execute(f"CREATE TABLE usage ({TABLE_COLUMNS})")
    fill_rates(connection, ())
    for statement in macros_sql(tuple(COLUMNS)):
        connection.execute(statement)
    assert connection.execute("SELECT count(*) FROM usage_priced()").fetchone() == (0,)
    connection.close()
