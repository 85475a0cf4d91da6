"""Thinking that a model writes into its text is told apart, however the text is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_core.providers.thinking_text import ThinkingText, told_apart

PIECES = st.lists(
    st.sampled_from(["<think>", "</think>", "<", "</", "th", "ink>", ">", " ", "\n", "a", "é"]), max_size=14
)


@pytest.mark.parametrize(
    ("text", "said", "thought"),
    [
        ("", "", ""),
        ("Blue.", "Blue.", ""),
        ("  Blue. ", "  Blue. ", ""),
        ("<think>Why?</think>Blue.", "Blue.", "Why?"),
        ("\n<think>\nWhy?\n\nSo.\n</think>\n\nBlue. ", "Blue. ", "Why?\n\nSo."),
        ("<think></think>Blue.", "Blue.", ""),
        ("<think>Why? ", "", "Why?"),
        ("<think>a</thin", "", "a</thin"),
        ("<think>a <b> c</think>d</think>", "d</think>", "a <b> c"),
        ("I <think>so</think>.", "I <think>so</think>.", ""),
        ("<thinking>x", "<thinking>x", ""),
        ("<thi", "<thi", ""),
    ],
)
def test_it_is_told_apart(text: str, said: str, thought: str) -> None:
    assert told_apart(text) == (said, thought)


@given(PIECES)
def test_it_is_the_same_however_the_text_is_cut(pieces: list[str]) -> None:
    whole, cut = "".join(pieces), ThinkingText()
    parts = [cut.feed(piece) for piece in pieces]
    parts.append(cut.end())
    assert ("".join(said for said, _ in parts), "".join(thought for _, thought in parts)) == told_apart(whole)


@given(PIECES)
def test_nothing_is_lost_but_tags_and_white_space(pieces: list[str]) -> None:
    whole = "".join(pieces)
    said, thought = told_apart(whole)
    kept = "".join((thought + said).split())
    if whole.lstrip().startswith("<think>"):
        whole = whole.replace("<think>", "", 1).replace("</think>", "", 1)
    assert kept == "".join(whole.split())
