from __future__ import annotations

from llm_core import Parameters, Workspace
from llm_core.parameters.families import specs_for
from llm_core.parameters.fitting import Change, fit
from llm_core.types import LLMModel


def fitted(model: str, parameters: Parameters, **beside) -> tuple[dict, list[tuple]]:
    provider, _, name = model.partition(":")
    taken, changes = fit(specs_for(LLMModel("c", provider, name)), parameters, Parameters(**beside))
    return taken.given(), [(change.field, change.to) for change in changes]


def test_what_a_model_lacks_is_left_out_and_a_number_past_its_range_becomes_the_nearest() -> None:
    mixed = Parameters(temperature=1.5, top_k=5, stop=("a", "b", "c", "d", "e"), seed=3)
    taken, changes = fitted("anthropic:claude-opus-4-1", mixed)
    assert taken == {"temperature": 1, "top_k": 5, "stop": ("a", "b", "c", "d", "e")}
    assert changes == [("temperature", 1), ("seed", None)]
    taken, changes = fitted("openai:gpt-4.1", mixed)
    assert taken == {"temperature": 1.5, "seed": 3}
    assert changes == [("top_k", None), ("stop", None)]


def test_a_word_the_model_does_not_know_is_left_out_with_the_words_it_knows() -> None:
    found = fit(specs_for(LLMModel("c", "openai", "gpt-5")), Parameters(reasoning_effort="max"))[1]
    assert found == (Change("reasoning_effort", "max", None, "Give one of minimal, low, medium, high."),)


def test_what_goes_only_without_reasoning_gives_way_to_it() -> None:
    assert fitted("openai:gpt-5.4", Parameters(temperature=0.2), reasoning_effort="high")[0] == {}
    assert fitted("openai:gpt-5.4", Parameters(temperature=0.2))[0] == {"temperature": 0.2}
    thinking = Parameters(thinking_budget=2_000, temperature=0.2, top_p=0.5)
    assert fitted("anthropic:claude-opus-4-1", thinking)[0] == {"thinking_budget": 2_000}


def test_the_calls_own_values_are_not_in_what_is_fitted() -> None:
    assert fitted("openai:gpt-4.1", Parameters(temperature=0.2, top_p=0.5), temperature=9.0)[0] == {"top_p": 0.5}


def test_a_workspace_fits_a_preset_to_a_model(ws: Workspace) -> None:
    taken = ws.parameters.suited("anthropic:claude-opus-5-5", Parameters(temperature=0.2, max_tokens=50))
    assert taken == Parameters(max_tokens=50)
