"""Which ids are known, by which rule, and what is told of some models whose vendor's page was read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from anthropic.types import ModelParam
from genai_prices.data_snapshot import get_snapshot
from openai.types import AllModels

from llm_core.catalog.facts import all_known, facts
from llm_core.catalog.names import fine_tuned_from

from .test_ids import names

OPENROUTER = "https://openrouter.ai/api/v1"
AZURE = "https://my-resource.openai.azure.com/openai/v1"
FIVE = ("openai", "anthropic", "google", "cohere", "huggingface")

SAME = [
    ("openai", "GPT-6-Luna", None, "gpt-6-luna"),
    ("openai", "gpt-4-1-mini", None, "gpt-4.1-mini"),
    ("openai", "gpt-6-luna-2026-10-01", None, "gpt-6-luna"),
    ("openai", "gpt-5.2-20251211", None, "gpt-5.2"),
    ("openai", "ft:gpt-4.1-mini:org::id", None, "gpt-4.1-mini"),
    ("openai", "ft:gpt-4.1:org:name:9abc", None, "gpt-4.1"),
    ("anthropic", "claude-opus-4", None, "claude-opus-4-0"),
    ("anthropic", "claude-sonnet-4.5", None, "claude-sonnet-4-5"),
    ("anthropic", "claude-opus-5@20260724", None, "claude-opus-5"),
    ("anthropic", "claude-haiku-4-5-20251001-v1:0", None, "claude-haiku-4-5"),
    ("anthropic", "claude-3-opus", None, "claude-3-opus-latest"),
    ("google", "models/gemini-2.5-pro", None, "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash-001", None, "gemini-2.5-flash"),
    ("cohere", "command-a-05-2025", None, "command-a"),
    ("huggingface", "deepseek-ai/deepseek-r1:Novita", None, "deepseek-ai/DeepSeek-R1:novita"),
    ("huggingface", "deepseek-ai/DeepSeek-R1:fastest", None, "deepseek-ai/DeepSeek-R1"),
    ("huggingface", "moonshotai/Kimi-K3", None, "moonshotai/Kimi-K3"),
    ("compatible", "openai/gpt-6-luna", OPENROUTER, "gpt-6-luna"),
    ("compatible", "anthropic/claude-sonnet-4.5", OPENROUTER, "claude-sonnet-4-5"),
    ("compatible", "gpt-35-turbo", AZURE, "gpt-3.5-turbo"),
    ("compatible", "gpt-6-luna", "https://api.openai.com/v1", "gpt-6-luna"),
    ("compatible", "zai-org/GLM-5:together", "https://router.huggingface.co/v1", "zai-org/GLM-5:together"),
]

NOBODY = [
    ("openai", "gpt-99", None),
    ("openai", "gpt-5-madeup", None),
    ("openai", "gpt-6-luna-mini", None),
    ("openai", "gpt-4o-2031-13-45", None),
    ("openai", "gpt-4o-9999", None),
    ("openai", "ft:gpt-99:org::id", None),
    ("openai", "", None),
    ("anthropic", "claude-opus-4-12", None),
    ("anthropic", "claude-opus-4-1-lite", None),
    ("anthropic", "my-claude-3-opus", None),
    ("google", "gemini-3.6-flash-lite", None),
    ("google", "gemini-2.5-pro-superfast", None),
    ("google", "gemini-2.5-pro-009-extra", None),
    ("cohere", "command-zzz", None),
    ("huggingface", "deepseek-ai/DeepSeek-R1:nowhere", None),
    ("huggingface", "nobody/nothing", None),
    ("compatible", "gpt-6-luna", None),
    ("compatible", "gpt-6-luna", "http://127.0.0.1:11434/v1"),
    ("compatible", "gpt-6-luna", OPENROUTER),
    ("compatible", "openai/gpt-6-luna", "https://evilopenrouter.ai/v1"),
    ("compatible", "openai/gpt-99", OPENROUTER),
    ("compatible", "my-chat-deployment", AZURE),
    ("local", "smollm2", None),
    ("nobody", "gpt-6-luna", None),
]


@pytest.mark.parametrize(("provider", "name", "url", "row"), SAME)
def test_an_id_is_the_model_it_spells_dates_or_routes(provider: str, name: str, url: str | None, row: str) -> None:
    found = facts(provider, name, url)
    assert found is not None
    assert found.name == row


@pytest.mark.parametrize(("provider", "name", "url"), NOBODY)
def test_an_invented_id_is_nobodys(provider: str, name: str, url: str | None) -> None:
    assert facts(provider, name, url) is None


def priced_models() -> Iterator[tuple[str, str]]:
    for seller in get_snapshot().providers:
        provider, routed, route = seller.id.partition("_")
        if provider in FIVE:
            yield from ((provider, f"{model.id}:{route}" if routed else model.id) for model in seller.models)


def test_every_model_of_the_price_list_is_known_and_listed() -> None:
    priced = list(priced_models())
    assert len(priced) > 400
    assert [each for each in priced if facts(*each) is None] == []
    listed = {(provider, name) for provider in FIVE for name in all_known(provider)}
    assert [each for each in priced if each not in listed and not fine_tuned_from(each[1])] == []


@pytest.mark.parametrize(("provider", "kind"), [("openai", AllModels), ("anthropic", ModelParam)])
def test_every_id_the_vendors_sdk_names_is_known(provider: str, kind: object) -> None:
    named = names(kind)
    assert len(named) > 15
    assert sorted(name for name in named if facts(provider, name) is None) == []


def test_what_is_listed_is_known_by_its_own_name() -> None:
    for provider in FIVE:
        assert all_known(provider)
        assert [name for name in all_known(provider) if facts(provider, name).name != name] == []  # type: ignore[union-attr]
    assert all_known("local") == all_known("compatible") == all_known("nobody") == ()


def test_a_current_model_is_described_with_the_source_of_each_fact() -> None:
    found = facts("openai", "gpt-6-luna")
    assert found is not None
    assert (found.display_name, found.context_window, found.max_output_tokens) == ("GPT-6 Luna", 1_050_000, 128_000)
    assert found.reasoning_efforts == ("none", "low", "medium", "high", "xhigh", "max")
    assert found.takes_temperature is False
    assert found.released_on == date(2026, 9, 22)
    assert found.inputs == {"text", "image", "file"}
    assert {
        "chat",
        "tools",
        "schema",
        "reasoning",
        "images",
        "files",
        "caching",
        "batch",
        "search",
    } <= found.capabilities
    assert "audio" in found.lacks
    assert found.retires_at is None
    assert found.sources["context_window"].name.startswith("langchain-openai ")
    assert found.sources["context_window"].read_on == date(2026, 11, 24)


ENDS = [
    ("openai", "whisper-1", date(2027, 2, 26), "gpt-transcribe"),
    ("openai", "gpt-audio", date(2027, 1, 20), "gpt-audio-1.5"),
    ("openai", "gpt-5", date(2026, 12, 11), "gpt-6.1-sol"),
    ("openai", "o3-2025-04-16", date(2026, 12, 11), "gpt-5.6-sol"),
    ("openai", "gpt-4.1-2025-04-14", date(2027, 1, 14), "gpt-6-luna"),
    ("openai", "ft:gpt-4.1-mini:org::id", date(2027, 1, 14), "gpt-6-luna"),
    ("openai", "davinci", date(2024, 1, 4), "davinci-002"),
    ("anthropic", "claude-sonnet-4-5-20250929", date(2026, 11, 30), "claude-sonnet-5-5"),
    ("anthropic", "claude-opus-4-1", date(2026, 8, 5), "claude-opus-4-8"),
    ("google", "gemini-3.5-flash", date(2026, 10, 8), "gemini-3.6-flash"),
    ("google", "gemini-2.5-pro", date(2026, 12, 1), "gemini-3.8-flash"),
    ("cohere", "c4ai-aya-expanse-8b", date(2026, 4, 4), "command-r7b-12-2024"),
]


@pytest.mark.parametrize(("provider", "name", "day", "replacement"), ENDS)
def test_an_announced_end_is_known_with_what_comes_after(provider: str, name: str, day: date, replacement: str) -> None:
    found = facts(provider, name)
    assert found is not None
    assert found.retires_at == datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert found.replacement == replacement
    assert found.sources["retires_at"].url is not None
    assert facts(provider, replacement) is not None


def test_an_end_does_not_pass_from_a_model_to_its_other_dates() -> None:
    model, dated = facts("openai", "gpt-5.1"), facts("openai", "gpt-5.1-2030-01-01")
    assert model is not None
    assert dated is not None
    assert model.retires_at is not None
    assert dated.context_window == model.context_window == 400_000
    assert (dated.retires_at, dated.deprecated_on, dated.replacement, dated.released_on) == (None, None, None, None)


def test_a_dated_row_tells_its_own_and_has_the_rest_from_its_model() -> None:
    dated = facts("openai", "gpt-5-2025-08-07")
    assert dated is not None
    assert dated.context_window == 400_000  # not the largest input, 272,000, which one source calls so
    assert dated.reasoning_efforts == ("minimal", "low", "medium", "high")
    assert dated.retires_at == datetime(2026, 12, 11, tzinfo=UTC)


def test_a_route_has_its_own_window_and_the_weights_licence() -> None:
    weights, route = facts("huggingface", "zai-org/GLM-5.2"), facts("huggingface", "zai-org/GLM-5.2:together")
    assert weights is not None
    assert route is not None
    assert (weights.context_window, route.context_window) == (262_144, 1_048_575)
    assert weights.licence == route.licence == "MIT"
    assert route.sources["licence"].name.startswith("gpustack ")


def test_a_package_that_says_no_of_all_its_models_does_not_take_an_ability_away() -> None:
    for name in ("claude-haiku-4-5-20251001", "claude-haiku-5-5"):
        found = facts("anthropic", name)
        assert found is not None
        assert "schema" in found.capabilities
        assert "schema" not in found.lacks


def test_what_a_kind_of_work_takes_and_gives_is_known_without_a_source_that_tells() -> None:
    found = facts("openai", "whisper-1")
    assert found is not None
    assert (found.inputs, found.outputs) == ({"audio"}, {"text"})
    assert found.sources["inputs"].name == "its name"


KINDS = [
    ("openai", "whisper-1", "transcription"),
    ("openai", "gpt-transcribe", "transcription"),
    ("openai", "tts-1", "speech"),
    ("openai", "gpt-image-2", "image_generation"),
    ("openai", "text-embedding-3-small", "embeddings"),
    ("openai", "gpt-realtime", "realtime"),
    ("openai", "omni-moderation-latest", "moderation"),
    ("openai", "gpt-audio", "chat"),
    ("google", "gemini-2.5-flash-image", "image_generation"),
    ("google", "gemini-3.8-live", "realtime"),
    ("google", "gemini-embedding-2", "embeddings"),
    ("cohere", "rerank-v3.5", "rerank"),
    ("cohere", "cohere-transcribe-03-2026", "transcription"),
    ("anthropic", "claude-fable-5-2", "chat"),
    ("google", "claude-opus-5", "chat"),
]
KIND_WORDS = {"chat", "embeddings", "transcription", "speech", "image_generation", "realtime", "rerank", "moderation"}


@pytest.mark.parametrize(("provider", "name", "kind"), KINDS)
def test_a_model_does_one_kind_of_work(provider: str, name: str, kind: str) -> None:
    found = facts(provider, name)
    assert found is not None
    assert found.capabilities & KIND_WORDS == {kind}
