from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_core import Parameters, Workspace
from llm_core.parameters import next_tokens
from llm_core.parameters.expectation import expectation
from llm_core.parameters.specs import WIDEST

LOCAL, OPENAI, FIXED = "local:smollm2-135m", "openai:gpt-4.1", "openai:gpt-6-luna"


def test_it_says_what_each_value_does_and_leaves_out_what_the_model_does_not_take(ws: Workspace) -> None:
    def told(id: str, **values) -> str:  # noqa: A002
        return ws.parameters.expectation(id, Parameters(**values))

    assert told(OPENAI) == "Varies as the model does by default (1)."
    assert "nearly the same answer" in told(OPENAI, temperature=0)
    assert "fall apart" in told(OPENAI, temperature=2)
    assert "those that together have 50 % of the chance" in told(OPENAI, top_p=0.5)
    assert "the 5 likeliest words, of these those at least 10 %" in told(LOCAL, top_k=5, min_p=0.1)
    assert "300 tokens at the latest, about 220 words" in told(OPENAI, max_tokens=300)
    assert "'END'" in told(OPENAI, stop=["END"])
    assert "Avoids words" in told(OPENAI, presence_penalty=0.5)
    assert "JSON" in told(OPENAI, response_format="json_object")
    assert "fixed by the model" in told(FIXED, temperature=0.2)
    assert "high effort" in told(FIXED, reasoning_effort="high")


def test_the_models_defaults_and_its_samplers_order_reshape_the_distribution(ws: Workspace) -> None:
    tokens = ws.parameters.recorded_next_tokens()[0]
    own = [2.718281828459045**token.logprob for token in tokens.tokens]
    plain = ws.parameters.reshaped(OPENAI, tokens, Parameters())
    assert abs(plain.probabilities - own).max() < 1e-6
    at_defaults = ws.parameters.reshaped(LOCAL, tokens, Parameters())
    assert (at_defaults.probabilities > 0).sum() <= 40
    assert at_defaults.rest == 0
    fixed = ws.parameters.reshaped(FIXED, tokens, Parameters(temperature=0))
    assert abs(fixed.probabilities - own).max() < 1e-6
    used = ws.parameters.reshaped(OPENAI, tokens, Parameters(presence_penalty=2), counts=[1])
    assert used.probabilities[0] < own[0]
    assert isinstance(tokens, next_tokens.NextTokens)


def test_what_a_preset_loses_on_a_model_is_told_with_the_reason(ws: Workspace) -> None:
    (lost,) = ws.parameters.changes("anthropic:claude-haiku-4-5", Parameters(seed=7, max_tokens=50))
    assert (lost.field, lost.to) == ("seed", None)
    assert lost.why


@given(
    st.builds(
        Parameters,
        temperature=st.none() | st.floats(0, 2),
        n=st.none() | st.integers(1, 9),
        seed=st.none() | st.integers(),
    )
)
def test_it_is_always_a_text(parameters: Parameters) -> None:
    assert expectation(WIDEST.values(), parameters).endswith(".")
