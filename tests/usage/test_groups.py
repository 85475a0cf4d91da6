"""Groups by column and tag, the rest as Other, and values to choose from: beside the same worked out in Python."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from llm_core import Usage, UsageRecord
from llm_core.usage import UsageService

from .rows import by, keep, measures, only, plain, project, record, rounded


def key_of(name: str) -> Callable[[UsageRecord], Any]:
    if name.startswith("tag:"):
        return lambda row: (row.tags or {}).get(name.removeprefix("tag:"))
    return lambda row: getattr(row, name)


def test_the_most_tokens_are_not_those_of_the_longest_prompts(usage: UsageService) -> None:
    asks = record(model="asks", usage=Usage(input_tokens=90, output_tokens=1))
    tells = record(model="tells", usage=Usage(input_tokens=10, output_tokens=200))
    keep(usage, [asks, tells, record(model="fails", usage=None)])
    found = usage.groups("model", sort="tokens")
    assert [plain(row)["tokens"] for _, row in found.iterrows()] == [210, 91, None]
    over_time = usage.series("model", sort="tokens", limit=1)
    assert set(over_time["model"]) == {"tells", "Other"}


def told(frame: pd.DataFrame, *columns: str) -> dict[Any, dict[str, Any]]:
    found = {}
    for _, row in frame.iterrows():
        values = plain(row)
        key = tuple(values.pop(column) for column in columns)
        found[key[0] if len(key) == 1 else key] = values
    return found


@pytest.mark.parametrize(
    "name",
    [
        *("connection", "provider", "model", "task", "app", "user", "project", "preset", "mode", "status", "source"),
        *("error_kind", "attempt", "tag:team", "tag:it's", "tag:nobody's"),
    ],
)
def test_groups_are_what_python_works_out(asked: UsageService, many: list[UsageRecord], name: str) -> None:
    expected = {key: rounded(values) for key, values in by(many, key_of(name)).items()}
    assert told(asked.groups(name), name) == expected


@pytest.mark.parametrize("name", ["project", "model", "user", "tag:team", "attempt"])
@pytest.mark.parametrize("sort", ["cost_usd", "calls", "tokens"])
def test_other_is_all_that_is_not_among_the_first(
    asked: UsageService, many: list[UsageRecord], name: str, sort: str
) -> None:
    every = asked.groups(name, sort=sort)
    for limit in (1, 2, 3, 50):
        found = asked.groups(name, sort=sort, limit=limit, other=True)
        first = found[found["others"] == 0].drop(columns="others")
        pd.testing.assert_frame_equal(first, every[:limit], check_dtype=False)
        rest = found[found["others"] > 0]
        assert len(rest) == (len(every) > limit)
        if len(rest):
            chosen = set(every[name][:limit].where(every[name].notna(), None))
            left = [row for row in many if key_of(name)(row) not in chosen]
            values = plain(only(rest))
            assert values.pop(name) == ("Other" if name != "attempt" else None)
            assert values.pop("others") == len(every) - limit
            assert values == rounded(measures(left))


def test_a_group_that_is_called_other_stays_apart(usage: UsageService) -> None:
    name = project()
    for model, cost in (("Other", "5"), ("a", "4"), ("b", "1"), ("c", "2")):
        keep(usage, [record(project=name, model=model, cost_usd=Decimal(cost))])
    found = usage.groups("model", limit=2, other=True, project=name)
    assert found[["model", "cost_usd", "others"]].values.tolist() == [
        ["Other", Decimal(5), 0],
        ["a", Decimal(4), 0],
        ["Other", Decimal(3), 2],
    ]
    by_day = usage.series("model", limit=2, project=name)
    assert (
        by_day[["model", "cost_usd", "others"]].values.tolist()
        == found[["model", "cost_usd", "others"]].values.tolist()
    )


@pytest.mark.parametrize("tz", ["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])
@pytest.mark.parametrize("bucket", ["hour", "day"])
def test_a_series_of_the_first_groups_adds_up_to_the_whole(
    asked: UsageService, many: list[UsageRecord], bucket: str, tz: str
) -> None:
    found = asked.series("project", bucket, tz, limit=3, sort="calls")
    total = only(asked.summary())
    for column in ("records", "calls", "unpriced", "output_tokens", "cost_usd"):
        assert found[column].dropna().sum() == total[column]
    first = asked.groups("project", sort="calls", limit=3)["project"].tolist()
    assert set(found["project"]) == {*first, "Other"}
    if bucket == "day":

        def key(row: UsageRecord) -> Any:
            return row.started_at.astimezone(ZoneInfo(tz)).date(), row.project if row.project in first else "Other"

        expected = {at: rounded(values) for at, values in by(many, key).items()}
        found["bucket"] = found["bucket"].dt.date
        assert told(found.drop(columns="others"), "bucket", "project") == expected


def test_two_columns_and_a_tag_make_one_group(asked: UsageService, many: list[UsageRecord]) -> None:
    expected = by(many, lambda row: (row.user, (row.tags or {}).get("team"), row.attempt))
    found = told(asked.groups(["user", "tag:team", "attempt"]), "user", "tag:team", "attempt")
    assert found == {key: rounded(values) for key, values in expected.items()}


def test_tags_and_their_values_are_there_to_choose_from(asked: UsageService, many: list[UsageRecord]) -> None:
    names = [name for row in many for name in row.tags or {}]
    assert asked.values("tags") == sorted(set(names), key=lambda name: (-names.count(name), name))
    teams = [(row.tags or {}).get("team") for row in many if "team" in (row.tags or {})]
    assert asked.values("tag:team") == sorted(set(teams), key=lambda team: (-teams.count(team), str(team)))
    assert asked.values("tag:nobody's") == []
