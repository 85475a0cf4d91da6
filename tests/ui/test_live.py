"""Answers kept for pages: those a page waits for, and those it does without until they are there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llm_core import Workspace
from pages.components import live
from pages.components.live import Asked, _Kept
from tests.waiting import PATIENCE_S


class Question(Asked):
    """Answers when it is let."""

    def __init__(self, name: str) -> None:
        super().__init__(name, {})
        object.__setattr__(self, "begun", threading.Event())
        object.__setattr__(self, "let", threading.Event())
        object.__setattr__(self, "given", [])

    def answer(self, ws: Workspace) -> Any:
        self.begun.set()
        assert self.let.wait(PATIENCE_S)
        answer = self.given.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def ws(home: Path) -> Iterator[Workspace]:
    with Workspace.open(home) as opened:
        yield opened


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page waits, and no answer grows old: these took no time, and so would in no time."""
    monkeypatch.setattr(live, "PATIENCE_S", 0.0)
    monkeypatch.setattr(live, "_PATIENCE", 1e9)


def answered(kept: _Kept, question: Asked) -> None:
    """Wait until a worker has put its answer there."""
    coming = kept._coming.get(question.key)
    assert coming is None or coming.done.wait(PATIENCE_S)


def test_a_page_does_without_an_answer_and_is_told_when_it_is_there(ws: Workspace) -> None:
    kept, question = _Kept(), Question("slow")
    question.given.append(7)
    answer, given = kept.soon(ws, question)
    assert answer is None
    assert given is not None
    assert not kept.news({question.key: given})
    question.let.set()
    answered(kept, question)
    assert kept.news({question.key: given})
    assert kept.soon(ws, question) == (7, None)


def test_an_answer_that_is_soon_there_is_waited_for(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PATIENCE_S", PATIENCE_S)
    kept, question = _Kept(), Question("quick")
    question.given.append(7)
    threading.Timer(0.05, question.let.set).start()
    assert kept.soon(ws, question) == (7, None)


def test_an_older_answer_is_shown_until_the_new_one_is_there(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_PATIENCE", 0)
    kept, question = _Kept(), Question("changing")
    question.given += ["old", "new"]
    question.let.set()
    kept.begin(ws, [question])
    answered(kept, question)
    question.let.clear()
    answer, given = kept.soon(ws, question)
    assert answer == "old"
    assert given is not None
    question.let.set()
    answered(kept, question)
    assert kept.news({question.key: given})
    assert kept._lately[question.key][1] == "new"


def test_an_error_is_told_once_and_then_the_question_is_asked_again(ws: Workspace) -> None:
    kept, question = _Kept(), Question("failing")
    question.given += [ValueError("no"), 7]
    question.let.set()
    kept.begin(ws, [question])
    answered(kept, question)
    with pytest.raises(ValueError, match="no"):
        kept.soon(ws, question)
    kept.begin(ws, [question])
    answered(kept, question)
    assert kept.soon(ws, question) == (7, None)


def test_the_newest_of_many_questions_is_answered_first(ws: Workspace) -> None:
    kept = _Kept()
    first = [Question(f"running {number}") for number in range(live._WORKERS)]
    for question in first:
        question.given.append(1)
    kept.begin(ws, first)
    assert all(question.begun.wait(PATIENCE_S) for question in first)
    order: list[str] = []
    later = [Question(f"waiting {number}") for number in range(3)]
    for question in later:
        question.given.append(1)
        question.let.set()
        kept.begin(ws, [question])
    waiting = [kept._coming[question.key] for question in later]
    assert not any(coming.taken for coming in waiting)
    original = live._timed

    def noted(ws: Workspace, asked: Asked) -> Any:
        order.append(asked.question)
        return original(ws, asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "_timed", noted)
        first[0].let.set()
        for coming in waiting:
            assert coming.done.wait(PATIENCE_S)
    assert order == ["waiting 2", "waiting 1", "waiting 0"]
    for question in first:
        question.let.set()
        answered(kept, question)


def test_what_is_asked_together_is_answered_in_its_order_and_kept_by_token(ws: Workspace) -> None:
    kept = _Kept()
    now, late = Question("now"), Question("late")
    now.given += ["now 1", "now 2"]
    late.given += ["late 1"]
    for question in (now, late):
        question.let.set()
    assert kept.ask(ws, 1, [now], [late]) == ["now 1", "late 1"]
    assert kept.ask(ws, 1, [now], [late]) == ["now 1", "late 1"]
    assert kept.ask(ws, None, [], [late]) == ["late 1"], "asks nothing about the newest records"
    assert kept.ask(ws, 1, [now], []) == ["now 1"]
    assert kept.ask(ws, 2, [now], []) == ["now 2"]
