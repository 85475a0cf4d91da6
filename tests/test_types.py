"""The dataclasses that cross rooms refuse what cannot be true."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_core import Parameters, Usage, UsageRecord
from llm_core.errors import InvalidParameters, InvalidRecord, InvalidUsage, UnknownModel
from llm_core.types import USAGE_FIELDS, split_model_id
from llm_core.usage.schema import COLUMNS


def record(**changes: object) -> UsageRecord:
    return UsageRecord(**{"provider": "openai", "connection": "openai", "model": "gpt-6-luna", **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [True, -1, 1.5, "3", None, 2**63])
@pytest.mark.parametrize("name", [name for name in USAGE_FIELDS if name != "audio_seconds"])
def test_usage_refuses_what_is_no_count(name: str, value: object) -> None:
    with pytest.raises(InvalidUsage):
        Usage(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [True, -0.1, float("nan"), float("inf"), "3"])
def test_usage_refuses_what_is_no_duration(value: object) -> None:
    with pytest.raises(InvalidUsage):
        Usage(audio_seconds=value)  # type: ignore[arg-type]


@given(whole=st.integers(0, 10**6), part=st.integers(0, 10**6))
def test_a_part_is_never_larger_than_its_whole(whole: int, part: int) -> None:
    if part <= whole:
        assert Usage(input_tokens=whole, cache_read_tokens=part).total_tokens == whole
    else:
        with pytest.raises(InvalidUsage):
            Usage(input_tokens=whole, cache_read_tokens=part)
        with pytest.raises(InvalidUsage):
            Usage(output_tokens=whole, reasoning_tokens=part)


def test_a_record_makes_its_own_id_and_time() -> None:
    first, second = record(), record()
    assert first.id != second.id
    assert first.call_id == first.id
    assert first.started_at.utcoffset() == timedelta(0)
    assert first.usage_source == "unknown"
    assert record(usage=Usage()).usage_source == "reported"


@pytest.mark.parametrize(
    "changes",
    [
        {"model": ""},
        {"status": "fine"},
        {"started_at": datetime(2026, 1, 1)},
        {"cost_usd": 0.1},
        {"cost_usd": Decimal("-1")},
        {"cost_usd": Decimal("NaN")},
        {"cost_usd": Decimal(10**8)},
        {"latency_ms": -1.0},
        {"latency_ms": float("nan")},
        {"usage_source": "guessed"},
        {"tags": {"a": 1}},
    ],
)
def test_a_record_refuses_what_cannot_be_true(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidRecord):
        record(**changes)


def test_cost_is_kept_to_ten_decimals() -> None:
    assert record(cost_usd="0.00000000015").cost_usd == Decimal("0.0000000002")
    assert record(cost_usd=3).cost_usd == Decimal(3)


def test_an_aware_time_of_any_zone_is_taken() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert record(started_at=noon).started_at == datetime(2026, 1, 1, 6, 15, tzinfo=UTC)


def test_the_record_and_the_usage_are_the_columns_of_the_view() -> None:
    fields = [field.name for field in dataclasses.fields(UsageRecord) if field.name != "usage"]
    assert sorted([*fields, *USAGE_FIELDS]) == sorted(COLUMNS)


def test_a_call_wins_over_its_preset_field_by_field() -> None:
    preset = Parameters(temperature=0.2, max_tokens=100)
    assert Parameters(temperature=0.9, stop="END").over(preset) == Parameters(
        temperature=0.9, max_tokens=100, stop=("END",)
    )
    assert Parameters.of({"temperature": 0}).given() == {"temperature": 0}


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(InvalidParameters, match="temprature"):
        Parameters.of({"temprature": 1})


def test_a_model_name_may_hold_colons() -> None:
    assert split_model_id("ollama:llama3:8b") == ("ollama", "llama3:8b")
    for bad in ("gpt-6-luna", ":x", "openai:", ""):
        with pytest.raises(UnknownModel):
            split_model_id(bad)
