from __future__ import annotations

import dataclasses

import pytest

from llm_core import Workspace
from llm_core.errors import UnknownConnection, UnknownModel
from llm_core.parameters import ParameterSpec
from llm_core.parameters.families import specs_for
from llm_core.parameters.specs import GROUPS, KINDS, WIDEST
from llm_core.providers import REGISTRY
from llm_core.types import PARAMETER_NAMES, PROVIDERS, LLMModel
from tests.parameters.test_edges import LOCAL, SENT

SAMPLING = {"temperature", "top_p", "frequency_penalty", "presence_penalty"}


def specs(model_id: str, **known) -> dict[str, ParameterSpec]:
    provider, _, name = model_id.partition(":")
    return {spec.name: spec for spec in specs_for(LLMModel(provider, provider, name, **known))}


def taken(model_id: str) -> set[str]:
    return {spec.name for spec in specs(model_id).values() if spec.supported}


def test_every_parameter_there_is_has_a_spec_with_a_meaning() -> None:
    assert set(WIDEST) == PARAMETER_NAMES
    for spec in WIDEST.values():
        assert spec.meaning
        assert spec.group in GROUPS
        assert spec.kind in KINDS


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", ["gpt-4.1", "gpt-6-luna", "claude-opus-5-5", "gemini-4-argon", "command-a", "own"])
def test_each_spec_of_any_model_makes_sense(provider: str, name: str) -> None:
    found = specs(f"{provider}:{name}")
    assert list(found) == list(WIDEST)
    for spec in found.values():
        assert spec.supported or spec.reason, spec
        assert spec.min is None or spec.max is None or spec.min <= spec.max
        widest = WIDEST[spec.name]
        assert widest.min is None or spec.min >= widest.min
        assert widest.max is None or spec.max <= widest.max


@pytest.mark.parametrize(
    "name", ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5.6-sol", "gpt-6-luna", "gpt-12"]
)
def test_openais_reasoning_models_take_effort_and_no_sampling(name: str) -> None:
    assert not taken(f"openai:{name}") & (SAMPLING | {"stop", "logprobs"})
    assert {"reasoning_effort", "max_tokens"} <= taken(f"openai:{name}")


@pytest.mark.parametrize(
    "name", ["gpt-4.1", "gpt-4o-mini", "gpt-3.5-turbo", "gpt-5-chat-latest", "ft:gpt-4o-2024-08-06:me"]
)
def test_openais_chat_models_take_sampling_and_no_effort(name: str) -> None:
    assert SAMPLING | {"seed", "stop", "n", "logprobs"} <= taken(f"openai:{name}")
    assert "reasoning_effort" not in taken(f"openai:{name}")


def test_a_local_model_takes_what_llama_cpp_takes() -> None:
    llama = SAMPLING | {"top_k", "min_p", "repetition_penalty", "seed", "stop", "max_tokens", "system"}
    assert llama <= taken("local:smollm2")
    assert not taken("local:smollm2") & {"service_tier", "safety_settings", "verbosity"}


def test_a_model_of_no_known_family_is_allowed_everything_its_api_has_and_told_to_be_unsure() -> None:
    found = specs("openai:brand-new")
    assert taken("openai:brand-new") == REGISTRY["openai"].capabilities.parameters
    assert "not known" in found["temperature"].reason
    assert "not known" in specs("compatible:any")["top_k"].reason


def test_claude_and_gemini_follow_their_generation() -> None:
    assert specs("anthropic:claude-opus-4-1")["temperature"].max == 1
    assert specs("anthropic:claude-haiku-4-5")["thinking_budget"].min == 1024
    assert not taken("anthropic:claude-sonnet-5-5") & {"temperature", "top_p", "top_k", "thinking_budget"}
    assert not taken("anthropic:claude-haiku-5-5") & {"temperature", "top_p", "top_k", "thinking_budget"}
    assert "thinking_budget" in taken("google:gemini-2.5-pro")
    assert "thinking_budget" not in taken("google:gemini-4-argon")
    assert specs("google:gemini-3.6-flash")["temperature"].caution
    assert not specs("google:gemini-2.5-pro")["temperature"].caution
    assert specs("google:gemini-3.6-flash")["service_tier"].choices == ("standard", "flex", "priority")


@pytest.mark.parametrize("row", REGISTRY.values(), ids=REGISTRY)
def test_nothing_is_offered_that_the_adapter_cannot_send(row) -> None:
    for name in ("own", "gpt-4.1", "gpt-6-luna"):
        assert taken(f"{row.name}:{name}") <= row.capabilities.parameters


def test_the_longest_answer_is_the_models_own_limit() -> None:
    assert specs("openai:m", max_output_tokens=4_096, context_window=8_192)["max_tokens"].max == 4_096
    assert specs("openai:m", context_window=8_192)["max_tokens"].max == 8_192
    assert specs("openai:m")["max_tokens"].max is None


def test_a_spec_needs_no_connection_but_an_id_of_something_known(ws: Workspace) -> None:
    assert {spec.name for spec in ws.parameters.spec("google:gemini-2.5-pro")} == PARAMETER_NAMES
    assert all(dataclasses.is_dataclass(spec) for spec in ws.parameters.spec("openai:gpt-4.1"))
    with pytest.raises(UnknownModel):
        ws.parameters.spec("gpt-4.1")
    with pytest.raises(UnknownConnection):
        ws.parameters.spec("nowhere:gpt-4.1")


def test_what_the_catalogue_knows_of_one_model_sharpens_its_family() -> None:
    without_none = specs("openai:gpt-6.1-sol", reasoning_efforts=("low", "medium", "high", "xhigh", "max"))
    assert without_none["reasoning_effort"].choices == ("low", "medium", "high", "xhigh", "max")
    assert without_none["reasoning_effort"].default == "medium"
    claude = specs("anthropic:claude-haiku-5-5", reasoning_efforts=("low", "high"))
    assert claude["reasoning_effort"].choices == ("none", "low", "high")  # none is our word: thinking turned off
    assert not specs("openai:gpt-daybreak", takes_temperature=False)["temperature"].supported
    assert specs("openai:gpt-5.4", takes_temperature=False)["temperature"].supported  # its family says when
    assert specs("google:gemini-4-argon", takes_temperature=False)["temperature"].caution


def test_each_family_says_when_its_models_sample() -> None:
    assert "temperature" in taken("openai:gpt-5.4")
    assert "none" in specs("openai:gpt-5.4")["temperature"].reason
    assert not taken("openai:gpt-5.5") & SAMPLING
    assert specs("openai:gpt-5.2-pro")["reasoning_effort"].choices == ("medium", "high", "xhigh")
    assert specs("anthropic:claude-opus-4-5")["reasoning_effort"].choices == ("none", "low", "medium", "high")
    assert "none" not in specs("anthropic:claude-opus-5-5")["reasoning_effort"].choices
    assert specs("google:gemini-2.5-pro")["thinking_budget"].min == 128
    assert specs("google:gemini-2.5-flash-lite")["thinking_budget"].besides == (0, -1)
    assert "frequency_penalty" not in taken("google:gemini-4-argon")


@pytest.mark.parametrize("model", [*SENT, LOCAL])
def test_each_limit_names_the_document_it_is_from(model: str) -> None:
    for spec in specs(model).values():
        assert spec.source.startswith("https://") or not spec.supported, spec.name


def test_a_model_that_is_not_known_is_given_the_widest_specs_and_told_so() -> None:
    found = {spec.name: spec for spec in specs_for(None)}
    assert all(spec.supported for spec in found.values())
    assert all("not known" in spec.reason for spec in found.values())
    assert "not known" in specs("anthropic:claude-next")["temperature"].reason
