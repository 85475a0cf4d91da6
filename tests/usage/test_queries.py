"""Named questions, each compared with the same thing worked out in Python."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_core import Usage, UsageRecord
from llm_core.errors import InvalidInput, UnknownColumn
from llm_core.store.home import open_home
from llm_core.types import STATUSES
from llm_core.usage import UsageService
from llm_core.usage import history as history_module
from llm_core.usage.filters import FILTERABLE, GROUPABLE

from .rows import NOON, at_rank, by, keep, measures, only, plain, project, record, rounded

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",  # +05:30
    "Asia/Kathmandu",  # +05:45
    "Australia/Lord_Howe",  # moves its clocks by half an hour
    "America/Havana",  # moves them at midnight
    "Africa/Cairo",
    "Pacific/Chatham",  # +12:45, and daylight saving
    "America/St_Johns",
)
CLOCK_CHANGES = (
    datetime(2025, 3, 30, 1, tzinfo=UTC),  # Berlin forward
    datetime(2025, 10, 26, 1, tzinfo=UTC),  # Berlin back
    datetime(2025, 4, 5, 15, tzinfo=UTC),  # Lord Howe back
    datetime(2025, 10, 4, 15, 30, tzinfo=UTC),  # Lord Howe forward
    datetime(2025, 3, 9, 7, tzinfo=UTC),  # New York forward
    datetime(2025, 11, 2, 6, tzinfo=UTC),  # New York back
    datetime(2025, 3, 9, 5, tzinfo=UTC),  # Havana forward
    datetime(2025, 11, 2, 5, tzinfo=UTC),  # Havana back
    datetime(2025, 4, 24, 22, tzinfo=UTC),  # Cairo forward
    datetime(2026, 1, 1, tzinfo=UTC),
)
HOSTILE = (
    "' OR 1=1 --",
    "'; DROP TABLE usage; --",
    '"user"',
    "$p0",
    "?",
    "{}",
    "%",
    "\\",
    "null",
    "",
    " ",
    "é 漢字 🙂",
    "a\x00b",
    "x" * 5000,
    "tags['a']",
)


@pytest.fixture
def fresh(home: Path) -> Iterator[UsageService]:
    service = UsageService(open_home(home))
    yield service
    service.close()


costs = st.none() | st.decimals(0, 1000, places=10, allow_nan=False)
usages = st.none() | st.builds(
    lambda a, b, c, d: Usage(
        input_tokens=a + b, cache_read_tokens=a, output_tokens=c + d, reasoning_tokens=c, audio_seconds=d / 4
    ),
    *[st.integers(0, 10**9)] * 4,
)
times = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)) | st.builds(
    lambda at, seconds: at + timedelta(seconds=seconds), st.sampled_from(CLOCK_CHANGES), st.integers(-7200, 7200)
)
fields = st.fixed_dictionaries(
    {
        "started_at": times,
        "model": st.sampled_from(("luna", "sol")),
        "user": st.none() | st.sampled_from(("ann", "bo")),
        "attempt": st.integers(1, 3),
        "part": st.integers(0, 1),
        "status": st.sampled_from(STATUSES),
        "usage": usages,
        "cost_usd": costs,
        "latency_ms": st.none() | st.floats(1, 1e6),
    }
)
examples = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@examples
@given(st.lists(fields, max_size=25), st.booleans())
def test_summary_is_what_python_works_out(usage: UsageService, rows: list[dict[str, Any]], drained: bool) -> None:
    name = project()
    records = keep(usage, [record(**row, project=name) for row in rows], drained=drained)
    found = plain(only(usage.summary(project=name)))
    expected = rounded(measures(records))
    assert {key: found[key] for key in expected} == expected
    latencies = [row.latency_ms for row in records if row.latency_ms is not None]
    for quantile, column in ((0.5, "latency_p50_ms"), (0.95, "latency_p95_ms")):
        if latencies:
            assert found[column] == pytest.approx(at_rank(latencies, quantile), rel=0.008)
        else:
            assert found[column] is None


@examples
@given(
    st.lists(fields, max_size=25),
    st.sampled_from(ZONES),
    st.sampled_from(("day", "week", "month")),
    st.sampled_from((None, "model", "user", ("model", "status"))),
    st.booleans(),
)
def test_series_is_what_python_works_out_in_every_zone(
    usage: UsageService, rows: list[dict[str, Any]], tz: str, bucket: str, by_: Any, drained: bool
) -> None:
    name = project()
    records = keep(usage, [record(**row, project=name) for row in rows], drained=drained)
    columns = () if by_ is None else (by_,) if isinstance(by_, str) else by_

    def key(row: UsageRecord) -> tuple[Any, ...]:
        day = row.started_at.astimezone(ZoneInfo(tz)).date()
        if bucket == "week":
            day -= timedelta(days=day.weekday())
        if bucket == "month":
            day = day.replace(day=1)
        return (day, *(getattr(row, column) for column in columns))

    expected = {group: rounded(values) for group, values in by(records, key).items()}
    frame = usage.series(by=by_, bucket=bucket, tz=tz, project=name)
    found = {}
    for _, series_row in frame.iterrows():
        values = plain(series_row)
        start = values.pop("bucket")
        assert str(start.tzinfo) == tz
        found[(start.date(), *(values.pop(column) for column in columns))] = values
    assert found == expected
    assert frame["records"].sum() == len(records)
    assert sum(cost for cost in frame["cost_usd"] if cost) == sum(row.cost_usd or Decimal(0) for row in records)


@pytest.mark.parametrize("tz", ZONES)
def test_buckets_add_up_to_the_total_across_each_clock_change(usage: UsageService, tz: str) -> None:
    name = project()
    moments = [change + timedelta(minutes=15 * step) for change in CLOCK_CHANGES for step in range(-110, 110)]
    keep(usage, [record(started_at=at, project=name, cost_usd=Decimal("0.01")) for at in moments])
    for bucket in ("hour", "day", "week", "month"):
        frame = usage.series(bucket=bucket, tz=tz, project=name)
        assert frame["records"].sum() == len(moments)
        assert frame["cost_usd"].sum() == Decimal("0.01") * len(moments)
        assert frame["bucket"].is_monotonic_increasing
        assert frame["bucket"].is_unique


BOTH_CHANGES = {
    "Asia/Kolkata": (datetime(2025, 3, 30), datetime(2025, 10, 26)),  # +05:30 all year
    "Asia/Kathmandu": (datetime(2025, 3, 30), datetime(2025, 10, 26)),  # +05:45 all year
    "Australia/Lord_Howe": (datetime(2025, 4, 5, 15), datetime(2025, 10, 4, 15, 30)),
    "America/New_York": (datetime(2025, 3, 9, 7), datetime(2025, 11, 2, 6)),
    "Europe/Berlin": (datetime(2025, 3, 30, 1), datetime(2025, 10, 26, 1)),
}


@pytest.mark.parametrize("tz", BOTH_CHANGES)
@settings(examples, max_examples=4)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(-3 * 86_400 * 10**6, 3 * 86_400 * 10**6), costs), max_size=40),
    st.booleans(),
)
def test_whatever_falls_around_both_clock_changes_is_counted_once(
    usage: UsageService, tz: str, calls: list[tuple[int, int, Decimal | None]], drained: bool
) -> None:
    name = project()
    rows = [
        record(
            started_at=BOTH_CHANGES[tz][change].replace(tzinfo=UTC) + timedelta(microseconds=away),
            cost_usd=cost,
            project=name,
            model=f"m{number % 4}",
        )
        for number, (change, away, cost) in enumerate(calls)
    ]
    keep(usage, rows, drained=drained)
    total = only(usage.summary(project=name))
    for bucket in ("hour", "day", "week", "month"):
        for frame in (
            usage.series(bucket=bucket, tz=tz, project=name),
            usage.series("model", bucket, tz, limit=2, project=name),
        ):
            assert frame["records"].sum() == total["records"] == len(rows)
            assert sum(cost for cost in frame["cost_usd"] if cost is not None) == (total["cost_usd"] or 0)
            local = frame["bucket"].dt.tz_convert(tz)
            assert (local.dt.minute == 0).all() if tz != "Australia/Lord_Howe" else (local.dt.minute % 30 == 0).all()
        assert usage.series(bucket=bucket, tz=tz, project=name)["bucket"].is_unique
    if rows:
        assert usage.heatmap("calls", tz, project=name)["records"].sum() == len(rows)


def test_a_day_with_a_clock_change_has_23_or_25_hours(usage: UsageService) -> None:
    name = project()
    start = datetime(2025, 3, 29, tzinfo=UTC)
    keep(usage, [record(started_at=start + timedelta(hours=hour), project=name) for hour in range(24 * 4)])
    spring = usage.series(tz="Europe/Berlin", project=name).set_index("bucket")["records"]
    assert spring[pd.Timestamp("2025-03-30", tz="Europe/Berlin")] == 23
    assert spring[pd.Timestamp("2025-03-31", tz="Europe/Berlin")] == 24
    name = project()
    start = datetime(2025, 10, 25, tzinfo=UTC)
    keep(usage, [record(started_at=start + timedelta(hours=hour), project=name) for hour in range(24 * 4)])
    autumn = usage.series(tz="Europe/Berlin", project=name).set_index("bucket")["records"]
    assert autumn[pd.Timestamp("2025-10-26", tz="Europe/Berlin")] == 25


def test_a_day_begins_at_its_first_midnight_or_after_a_skipped_one(usage: UsageService) -> None:
    name = project()
    keep(usage, [record(project=name, started_at=datetime(2025, 11, 2, 12, tzinfo=UTC))])
    (start,) = usage.series(tz="America/Havana", project=name)["bucket"]
    assert str(start) == "2025-11-02 00:00:00-04:00"
    name = project()
    keep(usage, [record(project=name, started_at=datetime(2025, 4, 25, 12, tzinfo=UTC))])
    (start,) = usage.series(tz="Africa/Cairo", project=name)["bucket"]
    assert str(start) == "2025-04-25 01:00:00+03:00"


def test_an_hour_that_a_clock_change_repeats_stays_two_hours(usage: UsageService) -> None:
    name = project()
    back = datetime(2025, 10, 26, 0, tzinfo=UTC)
    keep(usage, [record(started_at=back + timedelta(minutes=30 * half), project=name) for half in range(4)])
    frame = usage.series(bucket="hour", tz="Europe/Berlin", project=name)
    assert [str(start) for start in frame["bucket"]] == ["2025-10-26 02:00:00+02:00", "2025-10-26 02:00:00+01:00"]
    assert frame["records"].tolist() == [2, 2]


def test_hours_begin_on_the_hour_where_the_zone_is_off_by_half_an_hour(usage: UsageService) -> None:
    name = project()
    keep(usage, [record(started_at=NOON, project=name)])
    (start,) = usage.series(bucket="hour", tz="Asia/Kathmandu", project=name)["bucket"]
    assert str(start) == "2026-03-10 17:00:00+05:45"


def test_a_call_with_several_attempts_and_parts_is_one_call(usage: UsageService) -> None:
    name = project()
    attempts = [
        record(call_id="c", attempt=1, status="error", error_kind="rate_limited", project=name),
        record(call_id="c", attempt=2, status="error", error_kind="overloaded", project=name),
        record(call_id="c", attempt=3, project=name),
        record(call_id="c", attempt=3, part=1, model="helper", project=name),
    ]
    keep(usage, attempts)
    found = only(usage.summary(project=name))
    assert (found["calls"], found["attempts"], found["records"], found["errors"]) == (1, 3, 4, 2)


def test_unknown_cost_is_none_and_never_zero(usage: UsageService) -> None:
    name = project()
    keep(usage, [record(project=name, model="unpriced"), record(project=name, model="unpriced")])
    found = only(usage.summary(project=name))
    assert found["cost_usd"] is None
    assert (found["priced"], found["unpriced"]) == (0.0, 2)
    keep(usage, [record(project=name, model="free", cost_usd=Decimal(0))])
    found = only(usage.summary(project=name))
    assert found["cost_usd"] == Decimal(0)
    assert (found["priced"], found["unpriced"]) == (pytest.approx(1 / 3), 2)
    costs_by_model = usage.groups("model", project=name).set_index("model")["cost_usd"]
    assert costs_by_model["free"] == Decimal(0)
    assert costs_by_model["unpriced"] is None


def test_nothing_recorded_is_no_calls_and_an_unknown_cost(usage: UsageService) -> None:
    found = plain(only(usage.summary(project="nobody's")))
    assert (found["calls"], found["unpriced"], found["cost_usd"], found["priced"]) == (0, 0, None, None)
    assert usage.series(project="nobody's").empty
    assert usage.groups("model", project="nobody's").empty
    assert usage.history(project="nobody's").empty


def test_money_stays_exact_to_ten_decimals(usage: UsageService) -> None:
    name = project()
    cost = Decimal("0.1234567891")
    keep(usage, [record(project=name, cost_usd=cost) for _ in range(1000)], drained=True)
    assert only(usage.summary(project=name))["cost_usd"] == cost * 1000
    assert only(usage.series(project=name))["cost_usd"] == cost * 1000
    assert usage.history(1, project=name)["cost_usd"][0] == cost


def test_spans_include_their_start_and_exclude_their_end(usage: UsageService) -> None:
    name = project()
    keep(usage, [record(project=name, started_at=NOON + timedelta(hours=hour)) for hour in range(5)])
    span = {"start": NOON + timedelta(hours=1), "end": NOON + timedelta(hours=3)}
    assert only(usage.summary(**span, project=name))["records"] == 2
    berlin = {key: at.astimezone(ZoneInfo("Europe/Berlin")) for key, at in span.items()}
    assert only(usage.summary(**berlin, project=name))["records"] == 2
    assert len(usage.history(**span, project=name)) == 2


def test_groups_come_largest_first_and_unknown_last(usage: UsageService) -> None:
    name = project()
    spent = {"b": "2", "a": "2", "c": "5", "d": None}
    keep(
        usage,
        [
            record(project=name, user=user, cost_usd=None if usd is None else Decimal(usd))
            for user, usd in spent.items()
        ],
    )
    assert usage.groups("user", project=name)["user"].tolist() == ["c", "a", "b", "d"]
    assert usage.groups("user", limit=2, project=name)["user"].tolist() == ["c", "a"]
    keep(usage, [record(project=name, user="d"), record(project=name, user="d")])
    assert usage.groups("user", sort="calls", limit=1, project=name)["user"].tolist() == ["d"]


def test_records_without_a_user_are_a_group_of_their_own(usage: UsageService) -> None:
    name = project()
    keep(usage, [record(project=name, user="ann"), record(project=name), record(project=name)])
    found = usage.groups("user", sort="calls", project=name)
    assert found["user"].isna().tolist() == [True, False]
    assert only(usage.summary(project=name, user=None))["records"] == 2


@examples
@given(st.lists(st.floats(0.01, 1e8), min_size=1, max_size=200))
def test_quantiles_are_off_by_less_than_one_percent(usage: UsageService, latencies: list[float]) -> None:
    name = project()
    keep(usage, [record(project=name, latency_ms=value) for value in latencies])
    found = only(usage.latency(project=name))
    at_least_one = [max(1.0, value) for value in latencies]
    assert found["p50_ms"] == pytest.approx(at_rank(at_least_one, 0.5), rel=0.008)
    assert found["p95_ms"] == pytest.approx(at_rank(at_least_one, 0.95), rel=0.008)


def test_quantiles_by_model_and_of_the_time_to_the_first_token(usage: UsageService) -> None:
    name = project()
    keep(usage, [record(project=name, model=model, ttft_ms=10.0 * n) for n in range(1, 101) for model in ("a", "b")])
    keep(usage, [record(project=name, model="silent")])
    found = usage.latency("model", column="ttft_ms", project=name)
    assert found["model"].tolist() == ["a", "b"]
    assert found["p95_ms"].tolist() == pytest.approx([950.0, 950.0], rel=0.008)


def test_quantiles_by_day_are_those_of_the_day_in_the_zone_asked_for(usage: UsageService) -> None:
    name = project()
    evening = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    keep(usage, [record(project=name, started_at=evening, latency_ms=500.0)])
    keep(usage, [record(project=name, started_at=evening - timedelta(hours=2), latency_ms=100.0)])
    found = usage.latency(bucket="day", tz="Europe/Berlin", project=name)
    assert [str(day.date()) for day in found["bucket"]] == ["2026-03-01", "2026-03-02"]
    assert found["p95_ms"].tolist() == pytest.approx([100.0, 500.0], rel=0.008)
    assert usage.latency(bucket="day", project=name)["p95_ms"].tolist() == pytest.approx([500.0], rel=0.008)


def test_values_lists_what_a_filter_can_be_set_to(usage: UsageService) -> None:
    name = project()
    keep(usage, [record(project=name, user=user) for user in ("bo", "ann", "ann", None)])
    assert usage.values("user", project=name) == ["ann", "bo"]
    assert usage.values("user", limit=1, project=name) == ["ann"]
    assert usage.values("attempt", project=name) == [1]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_filter_s_text_is_a_value_whatever_it_looks_like(usage: UsageService, text: str) -> None:
    name = project()
    keep(usage, [record(project=name, user=text, tags={text: text}), record(project=name, user="other")])
    assert only(usage.summary(project=name, user=text))["records"] == 1
    assert usage.history(project=name, user=[text])["user"].tolist() == [text]
    assert only(usage.summary(project=name, tags={text: text}))["records"] == 1
    assert only(usage.summary(project=name))["records"] == 2


@examples
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_found_again_and_nothing_else_is(usage: UsageService, mine: str, other: str) -> None:
    name = project()
    keep(usage, [record(project=name, app=mine), record(project=name, app=other)])
    assert only(usage.summary(project=name, app=mine))["records"] == 1 + (mine == other)


def test_a_filter_takes_several_values_and_none(usage: UsageService) -> None:
    name = project()
    keep(usage, [record(project=name, user=user) for user in ("ann", "bo", "cy", None)])
    assert only(usage.summary(project=name, user=["ann", "cy"]))["records"] == 2
    assert only(usage.summary(project=name, user=["ann", None]))["records"] == 2
    assert only(usage.summary(project=name, user=[]))["records"] == 0
    assert only(usage.summary(project=name, attempt=1))["records"] == 4
    assert only(usage.summary(project=name, attempt=[2, 3]))["records"] == 0


def test_records_are_filtered_by_tags_and_by_whether_they_are_priced(usage: UsageService) -> None:
    name = project()
    keep(
        usage,
        [
            record(project=name, tags={"team": "search", "env": "live"}, cost_usd=Decimal(1)),
            record(project=name, tags={"team": "search"}),
            record(project=name, tags={"team": "ads"}),
            record(project=name),
        ],
    )
    assert only(usage.summary(project=name, tags={"team": "search"}))["records"] == 2
    assert only(usage.summary(project=name, tags={"team": "search", "env": "live"}))["records"] == 1
    assert only(usage.summary(project=name, priced=True))["records"] == 1
    assert only(usage.summary(project=name, priced=False))["records"] == 3


@pytest.mark.parametrize("name", ["nope", "raw_usage", "started_at", 'user" OR 1=1', "rowid", "User", "", "tag"])
def test_a_column_that_is_not_listed_is_refused(usage: UsageService, name: str) -> None:
    with pytest.raises(UnknownColumn, match="Use one of"):
        usage.summary(**{name: "x"})
    with pytest.raises(UnknownColumn):
        usage.series(by=name)
    with pytest.raises(UnknownColumn):
        usage.groups(["model", name])
    with pytest.raises(UnknownColumn):
        usage.values(name)


@pytest.mark.parametrize(
    "question",
    [
        lambda usage: usage.summary(user=3),
        lambda usage: usage.summary(attempt="1"),
        lambda usage: usage.summary(attempt=True),
        lambda usage: usage.summary(attempt=2**70),
        lambda usage: usage.summary(user=b"ann"),
        lambda usage: usage.summary(tags="team"),
        lambda usage: usage.summary(tags={"team": 1}),
        lambda usage: usage.summary(priced="yes"),
        lambda usage: usage.summary(start=datetime(2026, 1, 1)),
        lambda usage: usage.summary(end="2026-01-01"),
        lambda usage: usage.series(bucket="minute"),
        lambda usage: usage.series(tz="Mars/Olympus"),
        lambda usage: usage.series(tz="'; DROP VIEW usage"),
        lambda usage: usage.groups([]),
        lambda usage: usage.groups("model", sort="model"),
        lambda usage: usage.groups("model", limit=-1),
        lambda usage: usage.latency(column="attempt"),
        lambda usage: usage.history(0),
        lambda usage: usage.history(1_000_000),
        lambda usage: usage.history(before=(datetime(2026, 1, 1), "x")),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_hint(usage: UsageService, question: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        question(usage)
    assert refused.value.hint


def test_every_listed_column_can_be_filtered_and_grouped(usage: UsageService) -> None:
    for column in FILTERABLE:
        usage.summary(**{column: None})
    for column in GROUPABLE:
        usage.groups(column, limit=1)


@pytest.mark.parametrize(("first_rows", "ranges"), [(200_000, 40), (1, 40), (15, 2)])
def test_history_is_newest_first_from_all_segments_and_the_tail(
    fresh: UsageService, monkeypatch: pytest.MonkeyPatch, first_rows: int, ranges: int
) -> None:
    monkeypatch.setattr(history_module, "_FIRST_ROWS", first_rows)
    monkeypatch.setattr(history_module, "_MOST_RANGES", ranges)
    monkeypatch.setattr(history_module, "_NEAR", 1)
    starts = [NOON + timedelta(minutes=minute % 7, seconds=minute) for minute in range(60)]
    records = [record(started_at=at, id=f"id-{number:02d}") for number, at in enumerate(starts)]
    for number in range(0, 60, 10):
        keep(fresh, records[number : number + 10], drained=number < 50)
    expected = sorted(records, key=lambda row: (row.started_at, row.id), reverse=True)
    for limit in (1, 7, 25, 60, 200):
        assert fresh.history(limit)["id"].tolist() == [row.id for row in expected[:limit]]
    some = [row.id for row in expected if row.id.endswith("3")]
    assert fresh.history(200, id=some)["id"].tolist() == some


def test_history_shows_a_record_as_it_was_kept(usage: UsageService) -> None:
    name = project()
    kept = record(
        project=name,
        usage=Usage(input_tokens=7, output_tokens=3),
        cost_usd=Decimal("0.0021"),
        tags={"team": "a'b"},
        raw_usage={"prompt_tokens": 7},
        latency_ms=12.5,
    )
    keep(usage, [kept], drained=True)
    found = only(usage.history(project=name))
    assert found["started_at"] == pd.Timestamp(kept.started_at)
    assert (found["input_tokens"], found["output_tokens"], found["latency_ms"]) == (7, 3, 12.5)
    assert found["cost_usd"] == Decimal("0.0021")
    assert found["tags"] == {"team": "a'b"}
    assert "raw_usage" not in found
    assert only(usage.history(project=name, columns=["raw_usage"]))["raw_usage"] == '{"prompt_tokens":7}'


def test_paging_shows_each_record_once_while_others_arrive(fresh: UsageService) -> None:
    records = [record(started_at=NOON + timedelta(seconds=number // 4), id=f"old-{number:03d}") for number in range(90)]
    keep(fresh, records[:50], drained=True)
    keep(fresh, records[50:])
    seen: list[str] = []
    before = None
    for page_number in range(20):
        page = fresh.history(13, before=before)
        if page.empty:
            break
        seen += page["id"].tolist()
        last = page.iloc[-1]
        before = (last["started_at"], last["id"])
        keep(
            fresh,
            [record(started_at=NOON + timedelta(hours=1, seconds=page_number), id=f"new-{page_number}")],
            drained=page_number % 3 == 0,
        )
    assert seen == [row.id for row in sorted(records, key=lambda row: (row.started_at, row.id), reverse=True)]


@settings(examples, max_examples=6)
@given(st.lists(st.integers(0, 6), max_size=30), st.integers(3, 9))
def test_paging_with_equal_times_shows_each_record_once(usage: UsageService, seconds: list[int], size: int) -> None:
    name = project()
    records = keep(usage, [record(project=name, started_at=NOON + timedelta(seconds=second)) for second in seconds])
    seen: list[str] = []
    before = None
    while len(page := usage.history(size, before=before, project=name, columns=["id", "started_at"])):
        seen += page["id"].tolist()
        before = (page["started_at"].iloc[-1].to_pydatetime(), page["id"].iloc[-1])
    assert seen == [row.id for row in sorted(records, key=lambda row: (row.started_at, row.id), reverse=True)]
