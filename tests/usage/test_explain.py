"""The SQL that is shown for a question: given to `sql`, it gives the question's own numbers."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from llm_core.errors import InvalidInput
from llm_core.usage import UsageService
from llm_core.usage.question import literal
from llm_core.usage.questions import EXPLAINED
from llm_core.usage.spans import span

from .rows import SPRING

SPAN = {"start": SPRING - timedelta(days=8, hours=3), "end": SPRING + timedelta(days=6)}
ODD = ['it\'s "odd"\n;--', "gpt-6-luna"]
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("summary", {}),
    ("summary", {**SPAN, "model": ODD, "cost_usd": {"above": 0.01, "at_most": Decimal("0.09")}}),
    ("summary", {"search": "luna search id-0007-none"}),
    ("summary", {"project": "nobody's"}),
    *(
        ("series", {"bucket": bucket, "tz": tz, "by": ("model", "tag:team")})
        for bucket, tz in (("hour", "Australia/Lord_Howe"), ("day", "Europe/Berlin"), ("day", "Asia/Kathmandu"))
    ),
    ("series", {"bucket": "week", "tz": "America/New_York", **SPAN}),
    ("series", {"bucket": "month", "tz": "Asia/Kolkata", "latency_ms": {"above": 3.7}}),
    ("series", {"by": "model", "limit": 2, "sort": "calls", "tz": "Europe/Berlin"}),
    ("groups", {"by": "tag:it's", "tags": {"team": ["ads", None]}}),
    ("groups", {"by": ["user", "attempt"], "sort": "errors", "limit": 3}),
    ("groups", {"by": ["project", "attempt"], "limit": 3, "other": True, "priced": True}),
    ("latency", {"by": "model"}),
    ("latency", {"column": "ttft_ms", "bucket": "day", "tz": "Europe/Berlin"}),
    ("percentiles", {"column": "cost_usd", "by": "tag:team"}),
    ("percentiles", {"column": "input_tokens", "user": None}),
    ("distribution", {"column": "cost_usd"}),
    ("distribution", {"column": "output_tokens", "per_decade": 5, "user": ["ann", None]}),
    *(("heatmap", {"value": value, "tz": "Europe/Berlin", **SPAN}) for value in ("cost_usd", "calls")),
    ("history", {"limit": 50, "columns": ["id", "cost_usd", "user", "started_at", "price_from"], **SPAN}),
    ("history", {"limit": 50, "before": (SPRING, "id-0100"), "descending": False, "columns": ["id", "app"]}),
    ("history", {"limit": 60, "sort": "cost_usd", "before": (Decimal("0.05"), SPRING, "x"), "columns": ["id"]}),
    ("history", {"limit": 60, "sort": "user", "before": (None, SPRING, "x"), "columns": ["id"], "descending": False}),
    ("history", {"limit": 60, "sort": "latency_ms", "descending": False, "columns": ["latency_ms", "model"]}),
    ("values", {"column": "model"}),
    ("values", {"column": "tag:team", "status": "ok"}),
    ("values", {"column": "tags", "limit": 2}),
    ("performance", {"by": ("user", "model"), "search": "luna"}),
    ("performance", {"by": "tag:team", **SPAN, "model": ODD}),
    ("unpriced", {**SPAN}),
    ("reprice", {"by": ["user", "attempt"], "priced": True, **SPAN}),
    ("reprice", {"at": SPRING, "tag:team": "search"}),
    *(
        ("forecast", {"tz": "Asia/Kolkata", "value": value, "now": SPRING + timedelta(days=5)})
        for value in ("cost_usd", "tokens")
    ),
]


@pytest.mark.parametrize(("question", "arguments"), ASKED, ids=[f"{name} {i}" for i, (name, _) in enumerate(ASKED)])
def test_the_shown_sql_gives_the_same_numbers(asked: UsageService, question: str, arguments: dict[str, Any]) -> None:
    sql = asked.explain(question, **arguments)
    shown = asked.sql(sql)
    if question == "forecast":
        told: Any = asked.series(tz=arguments["tz"], end=span("today", arguments["tz"], arguments["now"]).end)
    else:
        told = getattr(asked, question)(**arguments)
    if question == "values":
        told = pd.DataFrame({"value": told})
    if question == "unpriced":
        told = told.drop(columns="missing")
    assert list(shown.columns) == list(told.columns)
    in_utc = arguments.get("bucket") == "hour"
    assert [exact(row) for row in shown.itertuples(index=False)] == [
        exact(row, in_utc) for row in told.itertuples(index=False)
    ]
    assert "FROM usage" in sql
    assert "$" not in sql


def exact(row: Any, in_utc: bool = False) -> list[Any]:
    """A row to compare: None for all that is missing, times without their zone, where SQL has none."""
    return [_plain(value, in_utc) for value in row]


def _plain(value: Any, in_utc: bool) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return (value.tz_convert("UTC") if in_utc and value.tzinfo else value).tz_localize(None)
    return pd.Timestamp(value) if hasattr(value, "isoformat") else value


def test_every_question_is_tried_here() -> None:
    assert {question for question, _ in ASKED} == set(EXPLAINED)


def test_what_is_not_a_question_is_refused(asked: UsageService) -> None:
    for name in ("sql", "record", "_answer", "__init__", "nope"):
        with pytest.raises(InvalidInput, match="no question"):
            asked.explain(name)


def test_shown_sql_reads_like_what_a_person_would_write(asked: UsageService) -> None:
    assert (
        asked.explain("history", 5, start=datetime(2026, 3, 1, tzinfo=UTC), user="bo", columns=["id", "cost_usd"])
        == """SELECT id, cost_usd
FROM usage
WHERE started_at >= TIMESTAMP '2026-03-01 00:00:00' AND "user" = 'bo'
ORDER BY started_at DESC, id DESC
LIMIT 5"""
    )
    by_day = asked.explain("series", "model", tz="Europe/Berlin", model="it's")
    bucket = "date_trunc('day', started_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin') AS bucket"
    assert by_day.startswith(f"SELECT\n    {bucket},\n    model,\n    sum(cost_usd) AS cost_usd,")
    assert by_day.endswith("FROM usage\nWHERE model = 'it''s'\nGROUP BY ALL\nORDER BY bucket, model")


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, -3, 2**62, Decimal("0.1000000001"), 0.1, 1e-300, 1e22, 12345.678901234567, -2.0),
        *("", "'", "''", "\\", "a\x00b", "\n'\r\t", "\x85\u2028\u2029 é 漢字 🙂", "$p0", "{}", "x" * 3000),
        *(datetime(2026, 3, 1, 4, 5, 6, 700), datetime(1999, 12, 31)),
    ],
)
def test_a_literal_means_its_value(asked: UsageService, value: Any) -> None:
    found = asked.sql(f"SELECT {literal(value)} AS value")["value"][0]
    if value is None:
        assert found is None
    elif isinstance(value, float):
        assert float(found) == value
    else:
        assert found == value
    assert "\n" not in literal(value)
