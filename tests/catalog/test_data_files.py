"""The data files that ship: every word, date, number and source in them is one that the rest of the code knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from typing import Any

import orjson
import pytest

from llm_core.catalog.cost import RateCard, cost_of
from llm_core.catalog.facts import all_known, facts
from llm_core.catalog.witnesses import witness_rates
from llm_core.types import CAPABILITIES, MODALITIES, Usage

EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
RATES = {
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "audio_seconds",
}


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads((files("llm_core.catalog") / "data" / name).read_bytes())
    return content


def rows() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for provider, models in read("models.json")["models"].items():
        for name, row in models.items():
            yield provider, name, row


@pytest.mark.parametrize("name", ["models.json", "price_witnesses.json"])
def test_each_source_has_a_name_and_the_day_it_was_read(name: str) -> None:
    for key, source in read(name)["sources"].items():
        assert source["name"], key
        if key != "name":  # what a model's own name gives away was read nowhere
            assert source["url"].startswith("https://"), key
            assert date.fromisoformat(source["read_on"]) <= date.today(), key


def test_each_row_names_sources_that_exist_for_fields_it_has() -> None:
    sources = read("models.json")["sources"]
    for provider, name, row in rows():
        assert row["source"] in sources, (provider, name)
        for field, key in row.get("other", {}).items():
            assert field in row, (provider, name, field)
            assert key in sources, (provider, name, key)


def test_each_word_is_of_its_vocabulary() -> None:
    for provider, name, row in rows():
        here = (provider, name)
        assert set(row.get("capabilities", ())) <= set(CAPABILITIES), here
        assert set(row.get("lacks", ())) <= set(CAPABILITIES), here
        assert not set(row.get("lacks", ())) & set(row.get("capabilities", ())), here
        assert set(row.get("inputs", ())) | set(row.get("outputs", ())) <= set(MODALITIES), here
        efforts = row.get("reasoning_efforts", [])
        assert efforts == [each for each in EFFORTS if each in efforts], here  # known words, least first
        assert row.get("lifecycle", "deprecated") == "deprecated", here


def test_each_date_and_limit_is_sound() -> None:
    for provider, name, row in rows():
        for field in ("released_on", "deprecated_on", "retires_on"):
            if field in row:
                assert date(2020, 1, 1) < date.fromisoformat(row[field]) < date(2030, 1, 1), (provider, name, field)
        if "retires_on" in row and "deprecated_on" in row:
            assert row["deprecated_on"] <= row["retires_on"], (provider, name)
        window, longest = row.get("context_window"), row.get("max_output_tokens")
        assert window is None or 0 < window <= 20_000_000, (provider, name)
        assert longest is None or 0 < longest <= 2_000_000, (provider, name)


def test_each_row_that_leans_on_another_finds_it() -> None:
    models = read("models.json")["models"]
    for provider, name, row in rows():
        if "of" in row:
            assert row["of"] in models[provider], (provider, name)
            assert row["of"] != name


def test_each_replacement_is_a_known_model_of_its_provider() -> None:
    for provider, name, row in rows():
        if "replacement" in row:
            assert facts(provider, row["replacement"]) is not None, (provider, name, row["replacement"])


def test_each_witness_speaks_of_rates_that_cost_counts() -> None:
    told = [
        rate
        for provider, models in read("price_witnesses.json")["models"].items()
        for name in models
        for rate in witness_rates(provider, name)
    ]
    assert len(told) > 500
    assert {rate.rate for rate in told} <= RATES
    assert all(rate.usd_per_million > 0 and rate.source.read_on for rate in told)
    cached = Usage(input_tokens=9, cache_read_tokens=1, cache_write_tokens=2, cache_write_1h_tokens=1, output_tokens=3)
    heard = Usage(input_tokens=9, input_audio_tokens=4, output_tokens=3, output_audio_tokens=1)
    counted = {
        name for used in (cached, heard, Usage(audio_seconds=1.0)) for name in cost_of(used, RateCard("none")).missing
    }
    assert counted == RATES


def test_witnesses_give_their_figures_as_published() -> None:
    by_source = {
        (rate.source.name.split()[0], rate.rate): str(rate.usd_per_million)
        for rate in witness_rates("anthropic", "claude-sonnet-5-5")
    }
    assert by_source["litellm", "cache_read_tokens"] == "0.1"
    assert by_source["model-prices", "output_tokens"] == "10"
    assert by_source["metergraph-core", "cache_write_1h_tokens"] == "4"
    assert {rate.rate for rate in witness_rates("openai", "whisper-1")} == {"audio_seconds"}
    assert witness_rates("openai", "gpt-99") == ()


def test_lookup_knows_hundreds_of_models_and_the_files_stay_small() -> None:
    assert sum(len(all_known(provider)) for provider in read("models.json")["models"]) > 700
    folder = files("llm_core.catalog") / "data"
    assert sum(len((folder / name).read_bytes()) for name in ("models.json", "price_witnesses.json")) < 600_000
