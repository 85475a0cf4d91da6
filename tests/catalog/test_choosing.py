"""Choosing a model: what it lacks for a task, a workload's cost, the best for a task, two side by side, its end."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from llm_core import LLMModel, Workspace
from llm_core.catalog import NEEDS, TYPICAL, Workload
from llm_core.errors import InvalidInput, UnknownModel
from llm_core.types import CAPABILITIES, TASKS, Usage

CHATS = frozenset({"chat", "tools", "schema"})


def offered(name: str, connection: str = "openai", **known) -> LLMModel:
    return LLMModel(connection=connection, provider=connection, name=name, **known)


def needs(models, task: str, id: str) -> list[str]:  # noqa: A002
    return [lack.need for lack in models.lacks(task, id)]


def test_what_stands_against_a_model_is_told_with_what_to_do(models, offer, connect) -> None:
    connect("openai")
    soon = datetime.now(UTC) + timedelta(days=40)
    offer(
        offered("good", capabilities=CHATS),
        offered("chats", capabilities=frozenset({"chat"})),
        offered("ends", capabilities=CHATS, retires_at=soon, replacement="good"),
        offered("my-embedding-model"),
        offered("unheard-of"),
    )
    assert needs(models, "extract", "openai:good") == []
    assert needs(models, "chat", "openai:chats") == []
    assert needs(models, "extract", "openai:chats") == ["schema"]
    assert needs(models, "transcribe", "openai:good") == ["transcription"]
    assert needs(models, "transcribe", "openai:whisper-1")[-1:] != ["transcription"]
    assert needs(models, "chat", "openai:my-embedding-model") == ["chat"]
    assert needs(models, "extract", "openai:unheard-of") == []
    assert needs(models, "chat", "openai:never-listed") == ["state"]
    assert needs(models, "chat", "anthropic:claude-next") == ["connection"]
    assert needs(models, "chat", "anthropic:claude-3-opus-20240229") == ["connection", "state"]
    (lack,) = models.lacks("chat", "openai:ends")
    assert lack.need == "future"
    assert f"{soon:%Y-%m-%d}" in lack.message
    assert "good" in lack.hint
    connect("off", provider="openai", enabled=False)
    assert needs(models, "chat", "off:good") == ["connection"]
    models.activate("transcribe", "openai:chats")
    with pytest.raises(InvalidInput):
        models.lacks("cook", "openai:good")


def test_each_task_has_needs_and_a_typical_workload() -> None:
    assert set(NEEDS) == set(TYPICAL) == set(TASKS)
    assert set().union(*NEEDS.values()) <= set(CAPABILITIES)


def test_a_month_costs_its_calls_times_one_of_them(models, connect) -> None:
    connect("openai")
    load = Workload(calls_per_month=30_000, input_tokens=2_000, output_tokens=500, cached_share=0.25)
    one = Usage(input_tokens=2_000, cache_read_tokens=500, output_tokens=500)
    cost = models.workload_cost("openai:gpt-4.1", load)
    assert cost.usd == 30_000 * models.price("openai:gpt-4.1", one).usd == Decimal("217.5")
    assert sum(cost.parts.values()) == cost.usd
    assert cost.source == models.price("openai:gpt-4.1", one).source
    assert models.workload_cost("openai:unheard-of", load).missing == ("model",)
    assert models.workload_cost("gone:gpt-4.1", load).missing == ("model",)
    assert models.workload_cost("local:smollm2", load).usd == 0
    with pytest.raises(UnknownModel):
        models.workload_cost("gpt-4.1", load)


def test_a_tier_goes_by_one_prompt_and_not_by_the_month(models) -> None:
    few, many = Workload(1, 150_000), Workload(1_000, 150_000)
    price = models.workload_cost("google:gemini-2.5-pro", few).usd
    assert models.workload_cost("google:gemini-2.5-pro", many).usd == 1_000 * price
    assert models.workload_cost("google:gemini-2.5-pro", Workload(1, 300_000)).usd > 2 * price


def test_the_mode_of_a_workload_counts(models) -> None:
    standard = models.workload_cost("openai:gpt-4.1", Workload(1_000, 1_000, 100)).usd
    assert models.workload_cost("openai:gpt-4.1", Workload(1_000, 1_000, 100, mode="batch")).usd == standard / 2


def test_audio_is_priced_by_time_or_by_tokens_where_the_vendor_says_how_many_and_else_not_at_all(models) -> None:
    spoken = Workload(100, output_tokens=200, audio_minutes=2)
    by_time = models.workload_cost("openai:whisper-1", spoken)
    assert by_time.usd == 100 * models.price("openai:whisper-1", Usage(audio_seconds=120.0)).usd
    assert set(by_time.parts) == {"audio_seconds"}
    heard = Usage(input_tokens=3_840, input_audio_tokens=3_840, output_tokens=200)
    by_tokens = models.workload_cost("google:gemini-2.5-flash", spoken)
    assert by_tokens.usd == 100 * models.price("google:gemini-2.5-flash", heard).usd
    assert models.workload_cost("openai:gpt-4.1", spoken).missing == ("audio_seconds",)
    assert models.workload_cost("openai:gpt-4.1", spoken).usd is None


def test_an_impossible_workload_is_refused() -> None:
    for wrong in (
        {"calls_per_month": -1},
        {"calls_per_month": 1.5},
        {"calls_per_month": True},
        {"calls_per_month": 1, "cached_share": 1.1},
        {"calls_per_month": 1, "audio_minutes": float("nan")},
        {"calls_per_month": 1, "mode": "fast"},
    ):
        with pytest.raises(InvalidInput):
            Workload(**wrong)


def sold(name: str, connection: str = "openai", **known) -> LLMModel:
    """Whatever becomes of it one day, its provider calls it active here."""
    return offered(name, connection, lifecycle="active", **known)


@pytest.fixture
def shop(offer, connect) -> None:
    for name in ("openai", "anthropic", "compatible"):
        connect(name, base_url="http://127.0.0.1:9/v1" if name == "compatible" else None)
    offer(*(sold(name) for name in ("gpt-4.1", "gpt-4o-mini", "gpt-4", "text-embedding-3-small", "whisper-1")))
    offer(sold("claude-opus-4-1", "anthropic"), connection="anthropic")
    offer(sold("a-mystery", "compatible", capabilities=CHATS), connection="compatible")


def test_a_suggestion_is_fit_available_and_cheap_and_an_unknown_price_comes_last(models, shop, offer) -> None:
    found = models.suggest("extract", limit=10)
    usd = models.workload_costs(TYPICAL["extract"])
    prices = [usd[one].usd for one in found.id]
    assert prices[:-1] == sorted(prices[:-1])
    assert list(found.usd_per_1k_calls) == prices
    assert (found.id.iloc[0], found.id.iloc[-1], prices[-1]) == ("openai:gpt-4o-mini", "compatible:a-mystery", None)
    assert not {"openai:gpt-4", "openai:text-embedding-3-small", "openai:whisper-1"} & set(found.id)
    assert found.why.iloc[0].startswith("The lowest known price: $")
    assert "schema" in found.why.iloc[0]
    assert "not known" in found.why.iloc[-1]
    offer(sold("gpt-4.1"))
    assert "openai:gpt-4o-mini" not in set(models.suggest("extract", limit=10).id), "no longer on the key"


def test_a_suggestion_keeps_to_what_is_asked(models, shop) -> None:
    assert list(models.suggest("chat", limit=1).id) == ["openai:gpt-4o-mini"]
    assert set(models.suggest("chat", min_context=500_000).id) <= {"openai:gpt-4.1"}
    cheap = models.suggest("chat", max_price=1)
    assert list(cheap.id) == ["openai:gpt-4o-mini"]
    assert "compatible:a-mystery" not in set(cheap.id), "an unknown price is not within a limit"
    assert "images" in models.suggest("chat", needs={"images"}).why.iloc[0]
    assert list(models.suggest("chat", needs={"video_generation"}).columns) == list(cheap.columns)
    assert models.suggest("chat", needs={"video_generation"}).empty
    assert list(models.suggest("transcribe").id) == ["openai:whisper-1"]
    for wrong in ({"needs": {"flying"}}, {"task": "cook"}):
        with pytest.raises(InvalidInput):
            models.suggest(**{"task": "chat"} | wrong)


def test_models_stand_side_by_side_and_differences_are_told(models, shop) -> None:
    frame = models.compare(["openai:gpt-4.1", "compatible:a-mystery", "anthropic:claude-opus-4-1"])
    assert list(frame.columns) == [
        "openai:gpt-4.1", "compatible:a-mystery", "anthropic:claude-opus-4-1", "differs",
    ]  # fmt: skip
    assert list(dict.fromkeys(group for group, _ in frame.index)) == [
        "Model", "Limits", "Price per million", "Takes in", "Gives", "Abilities", "Parameters", "Life",
    ]  # fmt: skip
    context = frame.loc[("Limits", "Context window")]
    assert (context["openai:gpt-4.1"], context["compatible:a-mystery"]) == (1_047_576, None)
    assert frame["differs"].dtype == bool
    assert context["differs"]
    assert type(context["openai:gpt-4.1"]) is int
    price = frame.loc[("Price per million", "Input")]
    assert (price["openai:gpt-4.1"], price["compatible:a-mystery"]) == (Decimal(2), None)
    reasoning = frame.loc[("Abilities", "reasoning")]
    assert (reasoning["openai:gpt-4.1"], reasoning["anthropic:claude-opus-4-1"]) == (False, True)
    assert reasoning["compatible:a-mystery"] is None
    assert not frame.loc[("Abilities", "chat")]["differs"]
    assert ("Abilities", "video_generation") not in frame.index
    assert type(frame.loc[("Model", "Released")]["openai:gpt-4.1"]) is date


@pytest.mark.parametrize("ids", [[], ["openai:a"], ["openai:a"] * 2, [f"openai:{n}" for n in range(5)]])
def test_two_to_four_different_models_are_compared(models, ids) -> None:
    with pytest.raises(InvalidInput):
        models.compare(ids)


def test_the_radar_shows_what_is_in_use_and_ends_the_soonest_first(models, offer, connect) -> None:
    connect("openai")
    now = datetime.now(UTC)

    def at(days: int) -> datetime:
        return now + timedelta(days=days)

    offer(
        offered("later", retires_at=at(200), replacement="stays"),
        offered("soon", retires_at=at(10)),
        offered("over", retires_at=at(-3)),
        offered("unused", retires_at=at(5)),
        offered("far", retires_at=at(900)),
        offered("some-day", lifecycle="deprecated"),
        offered("alive", lifecycle="active", retires_at=at(100)),
        offered("stays"),
    )
    models.activate("chat", "openai:soon")
    models.activate("judge", "openai:soon")
    spend = pd.DataFrame(
        [
            ("openai", "later", Decimal("12.5"), 100),
            ("openai", "over", None, 7),
            ("openai", "far", Decimal(1), 1),
            ("openai", "some-day", 0.25, 2),
            ("openai", "alive", Decimal(1), 1),
            ("openai", "stays", Decimal(1), 1),
            ("gone", "gpt-4.1", Decimal(1), 1),
        ],
        columns=["connection", "model", "cost_usd", "calls"],
    )
    found = models.radar(spend)
    assert list(found.id) == ["openai:over", "openai:soon", "openai:later", "openai:some-day"]
    assert list(found.state) == ["shut_down", "deprecated", "deprecated", "deprecated"]
    assert list(found.days_left) == [-3, 10, 200, None]
    assert list(found.spend_30d) == [None, Decimal(0), Decimal("12.5"), Decimal("0.25")]
    assert list(found.calls_30d) == [7, 0, 100, 2]
    assert list(found.replacement) == [None, None, "openai:stays", None]
    assert found.tasks.iloc[1] == ("chat", "judge")
    assert found.ends_on.iloc[0] == at(-3).date()
    assert list(models.radar().id) == ["openai:soon"]
    models.activate("chat", None)
    models.activate("judge", None)
    assert models.radar().empty
    assert list(models.radar().columns) == list(found.columns)


ANSWERING = """
import sys
from llm_core import Workspace
with Workspace.open() as ws:
    for line in sys.stdin:
        print(ws.models.active("chat"), ws.models.resolve(None, "chat")[1], flush=True)
"""


def test_a_switch_counts_from_the_next_call_of_another_process(models, connect, ws: Workspace) -> None:
    connect("openai")
    asked = subprocess.Popen([sys.executable, "-c", ANSWERING], stdin=-1, stdout=-1, text=True)
    try:
        for name in ("gpt-4.1", "o3", "gpt-4.1"):
            models.activate("chat", f"openai:{name}")
            asked.stdin.write("\n")
            asked.stdin.flush()
            assert asked.stdout.readline() == f"openai:{name} {name}\n"
    finally:
        asked.communicate()
    assert asked.returncode == 0
