"""Filters beside a model in pandas, and text that looks like SQL."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_core import UsageRecord
from llm_core.errors import InvalidInput, UnknownColumn
from llm_core.usage import UsageService
from llm_core.usage.filters import RANGED

from .rows import keep, only, project, record

Mask = Callable[[pd.DataFrame], "pd.Series[bool]"]

_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "above": lambda column, limit: column > limit,
    "at_least": lambda column, limit: column >= limit,
    "below": lambda column, limit: column < limit,
    "at_most": lambda column, limit: column <= limit,
}
_SEARCHED = ("provider", "connection", "model", "task", "app", "user", "project", "preset", "status", "error_kind")


@pytest.fixture(scope="session")
def frame(many: list[UsageRecord]) -> pd.DataFrame:
    """The records as the model sees them: one row each, None where there is nothing, costs as Decimal."""
    rows = []
    for row in many:
        used = {name: getattr(row.usage, name) if row.usage else None for name in ("input_tokens", "output_tokens")}
        names = ("id", "call_id", "attempt", "started_at", "mode", "cost_usd", "latency_ms", "tags", *_SEARCHED)
        rows.append({name: getattr(row, name) for name in names} | used)
    return pd.DataFrame(rows, dtype=object)


def one_of(column: str, values: list[Any]) -> Mask:
    return lambda frame: frame[column].map(lambda value: value in values)


def in_range(column: str, limits: dict[str, Any]) -> Mask:
    def is_in(value: Any) -> bool:
        return value is not None and all(_SIGNS[bound](value, limit) for bound, limit in limits.items())

    return lambda frame: frame[column].map(is_in)


def tagged(key: str, values: list[Any]) -> Mask:
    return lambda frame: frame["tags"].map(lambda tags: (tags or {}).get(key) in values)


def found(text: str) -> Mask:
    def has(row: Any) -> bool:
        names = [str(row[column] or "").lower() for column in _SEARCHED]
        whole = [*(row["tags"] or {}).values(), *((row["id"], row["call_id"]) if len(text) > 8 else ())]
        return any(text.lower() in name for name in names) or text in whole

    return lambda frame: frame.apply(has, axis=1)


def _choices(column: str, values: tuple[Any, ...]) -> st.SearchStrategy[tuple[dict[str, Any], Mask]]:
    several = st.lists(st.sampled_from(values), max_size=3)
    return several.map(lambda chosen: ({column: chosen}, one_of(column, chosen))) | st.sampled_from(values).map(
        lambda value: ({column: value}, one_of(column, [value]))
    )


def _limits(column: str, numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[dict[str, Any], Mask]]:
    limits = st.dictionaries(st.sampled_from(list(_SIGNS)), numbers, min_size=1, max_size=2)
    return limits.map(lambda chosen: ({column: chosen}, in_range(column, chosen)))


filters = st.one_of(
    _choices("model", ("gpt-6-luna", "Other", 'it\'s "odd"\n;--', "nobody's")),
    _choices("user", ("ann", "Ann", None)),
    _choices("app", ("", None, "chat app")),
    _choices("attempt", (1, 2)),
    _choices("status", ("ok", "error", "partial")),
    _limits("cost_usd", st.decimals(0, Decimal("0.1"), places=4) | st.just(Decimal(0))),
    _limits("latency_ms", st.floats(0.5, 1e5)),
    _limits("output_tokens", st.integers(0, 450)),
    st.booleans().map(
        lambda wanted: ({"priced": wanted}, lambda f: f["cost_usd"].map(lambda c: (c is None) != wanted))
    ),
    st.tuples(
        st.sampled_from(("team", "it's", "Team")), st.lists(st.sampled_from(("search", "ads", "=1", None)), max_size=2)
    ).map(lambda pair: ({"tags": {pair[0]: pair[1]}}, tagged(*pair))),
    st.sampled_from(("search", None)).map(lambda value: ({"tag:team": value}, tagged("team", [value]))),
    st.sampled_from(("LUNA", "ann", "odd", "search", "id-0042", "call-0042", "%", "_", "\\", "project", "é")).map(
        lambda word: ({"search": f" {word} "}, found(word))
    ),
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(filters, max_size=3, unique_by=lambda pair: next(iter(pair[0]))))
def test_filters_find_what_pandas_finds(
    asked: UsageService, frame: pd.DataFrame, chosen: list[tuple[dict[str, Any], Mask]]
) -> None:
    wanted = frame
    given_: dict[str, Any] = {}
    for filter_, mask in chosen:
        given_ |= filter_
        wanted = wanted[mask(wanted).astype(bool)] if len(wanted) else wanted
    assert sorted(asked.history(1000, columns=["id"], **given_)["id"]) == sorted(wanted["id"])
    total = only(asked.groups("provider", **given_)) if len(wanted) else only(asked.summary(**given_))
    assert total["records"] == len(wanted)
    assert (total["cost_usd"] or 0) == sum(cost for cost in wanted["cost_usd"] if cost is not None)


def hostile(count: int) -> list[str]:
    """Texts that would change a statement they were pasted into."""
    chance = random.Random(11)
    pieces = [
        *(
            "'",
            '"',
            "''",
            "\\'",
            ";",
            "--",
            "/*",
            "*/",
            "$p0",
            "$1",
            "$v0",
            ":p",
            "?",
            "%",
            "_",
            "\\",
            "{}",
            "{0}",
            "%s",
            "`",
        ),
        *(
            "\x00",
            "\n",
            "\r",
            "\t",
            "\x1b",
            "\x85",
            "\u2028",
            "\ufeff",
            "é",
            "漢",
            "🙂",
            "E'\\''",
            "U&'\\0027'",
            "$$",
            "$tag$",
        ),
        *(
            " OR 1=1",
            " OR true",
            "UNION ALL SELECT 1",
            "DROP VIEW usage",
            "); DELETE FROM usage",
            "NULL",
            "true",
            "chr(39)",
        ),
        *(
            "COPY usage TO 'x'",
            "ATTACH 'x'",
            "read_csv('/etc/passwd')",
            "pragma_version()",
            "tags['a']",
            "usage",
            "user",
            "*",
            "=",
        ),
    ]
    made: dict[str, None] = {}
    while len(made) < count:
        made["".join(chance.choices(pieces, k=chance.randint(1, 5)))] = None
    return list(made)


def test_two_thousand_hostile_texts_are_values_and_nothing_else(usage: UsageService) -> None:
    name, texts = project(), hostile(2000)
    keep(usage, [record(project=name, user=text, tags={"k": text}) for text in texts])
    keep(usage, [record(project=name, user="kind", tags={"k": "kind"})], drained=True)
    for first in range(0, len(texts), 250):
        some = texts[first : first + 250]
        for filters in ({"user": some}, {"tags": {"k": some}}):
            by_user = usage.groups("user", project=name, **filters)
            assert sorted(by_user["user"]) == sorted(some)
            assert (by_user["records"] == 1).all()
        shown = usage.sql(usage.explain("groups", "user", project=name, user=some))
        assert sorted(shown["user"]) == sorted(some)
    assert only(usage.summary(project=name))["records"] == len(texts) + 1


def test_hostile_texts_are_values_everywhere_they_can_be_given(usage: UsageService) -> None:
    name = project()
    keep(usage, [record(project=name, user=text, tags={text: "v"}) for text in hostile(16)] + [record(project=name)])
    for text in hostile(16):
        assert only(usage.summary(project=name, user=text))["records"] == 1
        assert only(usage.summary(project=name, tags={text: "v"}))["records"] == 1
        words = text.split()
        assert len(usage.history(100, project=name, search=text)) >= (1 if len(words) <= 8 else 0)
        assert usage.history(2, before=("v", record().started_at, text), sort="user", project=name) is not None
        assert usage.values("user", project=name, search=f"x{len(text)}y{text}") == []
        if text.isprintable():
            grouped = usage.groups(f"tag:{text}", sort="calls", project=name)
            assert grouped[f"tag:{text}"].tolist() == [None, "v"]
            usage.sql(usage.explain("groups", f"tag:{text}", project=name))
        else:
            with pytest.raises(InvalidInput):
                usage.groups(f"tag:{text}")


@pytest.mark.parametrize(
    "filters",
    [
        {"cost_usd": 1},
        {"cost_usd": {}},
        {"cost_usd": {"over": 1}},
        {"cost_usd": {"above": "1"}},
        {"cost_usd": {"above": True}},
        {"latency_ms": {"above": float("nan")}},
        {"latency_ms": {"above": float("inf")}},
        {"cost_usd": {"above": Decimal("1e30")}},
        {"model": {"above": 1}},
        {"tags": {"team": 3}},
        {"tags": {3: "x"}},
        {"tag:team": 3},
        {"search": None},
        {"search": ["a"]},
        {"search": "a b c d e f g h i"},
        {"user": object()},
    ],
)
def test_what_cannot_be_a_filter_is_refused(asked: UsageService, filters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        asked.summary(**filters)
    assert refused.value.hint


def test_every_number_can_be_limited(asked: UsageService) -> None:
    for column in RANGED:
        assert only(asked.summary(**{column: {"at_least": 0, "below": 1}}))["records"] >= 0
        assert only(asked.summary(**{column: {"above": 10**12}}))["records"] == 0


def test_an_empty_search_finds_everything(asked: UsageService, many: list[UsageRecord]) -> None:
    assert only(asked.summary(search="  "))["records"] == len(many)


@pytest.mark.parametrize(
    "by", ["tag:", "tags", "tag:a\nb", "tag:\x00", "Tag:team", ["tag:a", "tag:A"], ["model", None]]
)
def test_what_is_no_group_is_refused(asked: UsageService, by: Any) -> None:
    with pytest.raises((InvalidInput, UnknownColumn)):
        asked.groups(by)


def test_a_range_has_its_ends_or_not(usage: UsageService) -> None:
    name = project()
    keep(
        usage, [record(project=name, cost_usd=Decimal(cost), latency_ms=float(cost)) for cost in ("0.1", "0.3", "0.7")]
    )
    for column in ("cost_usd", "latency_ms"):
        for limits, count in (
            ({"above": 0.1}, 2),
            ({"at_least": 0.1}, 3),
            ({"below": 0.7}, 2),
            ({"at_most": 0.7}, 3),
            ({"above": 0.1, "below": 0.7}, 1),
        ):
            assert only(usage.summary(project=name, **{column: limits}))["records"] == count
