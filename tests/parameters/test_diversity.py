from __future__ import annotations

import pytest

from llm_core.parameters.diversity import distinct_n, diversity, self_similarity


def test_distinct_is_the_share_of_runs_that_are_not_said_again() -> None:
    assert distinct_n(["a b a b"], 1) == 1 / 2
    assert distinct_n(["a b a b"], 2) == pytest.approx(2 / 3)
    assert distinct_n(["One, two!", "one two"], 1) == pytest.approx(4 / 6)
    assert distinct_n(["word"], 2) is None
    assert distinct_n([], 1) is None


def test_self_similarity_is_one_for_equal_texts_and_zero_for_those_that_share_no_word() -> None:
    assert self_similarity(["the cat sat", "The cat sat"]) == 1
    assert self_similarity(["the cat sat", "a dog ran"]) == 0
    assert self_similarity(["a b", "a c"]) == pytest.approx(1 / 5)
    assert self_similarity(["", ""]) == 1
    assert self_similarity(["", "a"]) == 0
    assert self_similarity(["alone"]) is None


def test_scripts_without_spaces_are_counted_by_letters() -> None:
    assert distinct_n(["私は私"], 1) == pytest.approx(2 / 3)
    assert 0 < (self_similarity(["私は猫", "私は犬"]) or 0) < 1


def test_all_measures_at_once() -> None:
    found = diversity(["yes", "yes", "no"])
    assert (found.texts, found.different) == (3, 2)
    assert found.distinct_1 == pytest.approx(2 / 3)
    assert found.distinct_2 is None
    assert found.self_similarity == pytest.approx(1 / 3)
