"""What parameters do to the chances of the next token. Against the real model: test_next_tokens."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_core import Parameters
from llm_core.parameters.distribution import Distribution, Order, reshape

HALF, QUARTER, EIGHTH = math.log(1 / 2), math.log(1 / 4), math.log(1 / 8)
WHOLE = [HALF, QUARTER, EIGHTH, EIGHTH]
ORDERS: tuple[Order, ...] = ("llama.cpp", "temperature first")


def shaped(logprobs=WHOLE, counts=None, order: Order = "llama.cpp", **parameters) -> list[float]:
    found = reshape(logprobs, Parameters(**parameters), counts=counts, order=order)
    assert found.rest + found.probabilities.sum() == pytest.approx(1)
    return found.probabilities.tolist()


def test_nothing_set_leaves_it_as_the_model_has_it() -> None:
    assert shaped() == pytest.approx([1 / 2, 1 / 4, 1 / 8, 1 / 8])
    neutral = {"temperature": 1, "top_p": 1, "top_k": 0, "min_p": 0, "frequency_penalty": 0, "repetition_penalty": 1}
    assert shaped(**neutral, counts=[3, 1, 0, 0]) == pytest.approx([1 / 2, 1 / 4, 1 / 8, 1 / 8])


def test_temperature_sharpens_flattens_and_at_zero_takes_the_likeliest() -> None:
    assert shaped(temperature=0.5) == pytest.approx([16 / 22, 4 / 22, 1 / 22, 1 / 22])
    assert shaped(temperature=2) == pytest.approx(np.sqrt([4, 2, 1, 1]) / np.sqrt([4, 2, 1, 1]).sum())
    assert shaped(temperature=0) == [1, 0, 0, 0]
    assert shaped([QUARTER] * 4, temperature=0) == [1, 0, 0, 0]


def test_each_cut_leaves_the_likeliest_that_it_names() -> None:
    assert shaped(top_k=2) == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert shaped(top_p=0.5) == [1, 0, 0, 0]
    assert shaped(top_p=0.51) == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert shaped(top_p=0) == [1, 0, 0, 0]
    assert shaped(min_p=0.5) == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert shaped(min_p=0.51) == [1, 0, 0, 0]
    assert shaped([EIGHTH, HALF, QUARTER, EIGHTH], top_k=1) == [0, 1, 0, 0]


def test_penalties_lower_what_was_used_by_the_count_or_once() -> None:
    by_e = [1 / 2 / math.e, 1 / 4, 1 / 8, 1 / 8]
    assert shaped(presence_penalty=1, counts=[3]) == pytest.approx(np.array(by_e) / sum(by_e))
    assert shaped(frequency_penalty=1, counts=[1]) == pytest.approx(np.array(by_e) / sum(by_e))
    assert shaped(frequency_penalty=0.5, counts=[2]) == pytest.approx(np.array(by_e) / sum(by_e))
    assert shaped(repetition_penalty=2, counts=[1]) == pytest.approx([1 / 3, 1 / 3, 1 / 6, 1 / 6])
    assert shaped(presence_penalty=1) == pytest.approx([1 / 2, 1 / 4, 1 / 8, 1 / 8])


def test_the_two_orders_differ_where_temperature_changes_what_a_cut_leaves() -> None:
    assert shaped(temperature=2, top_p=0.7, order="llama.cpp")[2] == 0
    assert shaped(temperature=2, top_p=0.7, order="temperature first")[2] > 0


def test_what_was_not_told_is_a_pool_of_tokens_like_the_last_one() -> None:
    told = [HALF, EIGHTH]  # the pool: three more of an eighth
    assert reshape(told, Parameters()).rest == pytest.approx(3 / 8)
    assert reshape(told, Parameters(temperature=0.5)).rest == pytest.approx(3 / 20)
    assert reshape(told, Parameters(temperature=0)).rest == 0
    assert reshape(told, Parameters(top_k=3)).rest == pytest.approx((1 / 8) / (6 / 8))
    assert reshape(told, Parameters(top_p=0.7)).rest == pytest.approx((1 / 8) / (6 / 8))
    assert reshape(told, Parameters(min_p=0.3)).rest == 0


def test_choices_tells_how_many_equally_likely_tokens_it_comes_to() -> None:
    assert reshape([QUARTER] * 4, Parameters()).choices == pytest.approx(4)
    assert Distribution(np.array([1.0, 0.0]), 0.0).choices == 1
    with pytest.raises(ValueError, match="no tokens"):
        reshape([], Parameters())


@given(
    st.lists(st.floats(-30, 0), min_size=1, max_size=30),
    st.sampled_from(ORDERS),
    st.lists(st.integers(0, 5), max_size=30),
    st.builds(
        Parameters,
        temperature=st.none() | st.floats(0, 2),
        top_p=st.none() | st.floats(0, 1),
        top_k=st.none() | st.integers(0, 100),
        min_p=st.none() | st.floats(0, 1),
        frequency_penalty=st.none() | st.floats(-2, 2),
        presence_penalty=st.none() | st.floats(-2, 2),
        repetition_penalty=st.none() | st.floats(0.01, 2),
    ),
)
def test_it_is_a_distribution_whatever_is_set(logprobs, order: Order, counts, parameters: Parameters) -> None:
    found = reshape(logprobs, parameters, counts=counts[: len(logprobs)], order=order)
    assert np.all(found.probabilities >= 0)
    assert found.rest >= 0
    assert found.probabilities.sum() + found.rest == pytest.approx(1)
    assert found.choices >= 1 - 1e-9
