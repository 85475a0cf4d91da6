"""The real local model: what its server takes at every edge, and that parameters do what their specs say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from llm_core import Workspace
from llm_core.parameters.diversity import distinct_n, self_similarity
from llm_core.types import Reply
from tests.parameters.test_edges import NEEDED, edges
from tests.wire import strict

MODEL = "local:smollm2-135m"
pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def ws(model_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLM_MANAGER_CACHE", str(model_cache))
        with Workspace.open(tmp_path_factory.mktemp("real")) as workspace:
            workspace.providers.connect("local")
            yield workspace


def ask(ws: Workspace, prompt: str, **parameters: Any) -> Reply:
    return ws.llm.complete(prompt, model=MODEL, parameters=parameters)


def test_its_server_takes_every_parameter_at_every_edge(ws: Workspace) -> None:
    for spec in ws.parameters.spec(MODEL):
        if spec.supported and spec.name != "max_tokens":
            for value in edges(spec):
                asked = {"max_tokens": 2, spec.name: value, **NEEDED.get(spec.name, {})}
                shown = ws.parameters.preview(MODEL, asked, "Hi")
                assert shown.body is not None, asked
                assert strict.problem(shown.url, shown.body, "local") is None, asked
                assert ask(ws, "Hi", **asked).status == "ok", asked
    assert ask(ws, "Hi", max_tokens=1).usage.output_tokens == 1  # type: ignore[union-attr]


def test_temperature_0_with_a_seed_repeats_exactly(ws: Workspace) -> None:
    answers = {ask(ws, "Tell me of the sea.", temperature=0, seed=7, max_tokens=40).text for _ in range(4)}
    assert len(answers) == 1


def test_a_seed_repeats_and_another_does_not(ws: Workspace) -> None:
    answers = [ask(ws, "Tell me of the sea.", temperature=1.2, seed=seed, max_tokens=30).text for seed in (1, 1, 2)]
    assert answers[0] == answers[1] != answers[2]


def test_a_higher_temperature_gives_more_diverse_answers(ws: Workspace) -> None:
    """Eight answers of equal length at each of five temperatures, with the same eight seeds."""
    settings = [0.1, 0.5, 0.9, 1.3, 1.7]
    measured = []
    for temperature in settings:
        drawn = {"temperature": temperature, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "max_tokens": 16}
        texts = [ask(ws, "Write one sentence about a garden.", seed=seed, **drawn).text for seed in range(8)]
        measured.append((distinct_n(texts, 2), self_similarity(texts)))
    distinct, similar = zip(*measured, strict=True)
    assert rank_correlation(settings, distinct) >= 0.9, distinct
    assert rank_correlation(settings, similar) <= -0.9, similar


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's, for values that differ."""
    apart = sum((sorted(one).index(a) - sorted(other).index(b)) ** 2 for a, b in zip(one, other, strict=True))
    return 1 - 6 * apart / (len(one) * (len(one) ** 2 - 1))


def test_stop_and_max_tokens_hold(ws: Workspace) -> None:
    whole = ask(ws, "Count: one, two, three, four.", temperature=0, max_tokens=40)
    assert whole.usage is not None
    assert whole.usage.output_tokens <= 40
    word = next(word for word in whole.text.split()[2:] if whole.text.index(word) > 4)
    stopped = ask(ws, "Count: one, two, three, four.", temperature=0, max_tokens=40, stop=[word])
    assert stopped.text == whole.text[: whole.text.index(word)]
    assert stopped.finish == "stop"
    lengths = [ask(ws, "Tell me of the sea.", temperature=0, max_tokens=limit).usage for limit in (1, 5, 20)]
    counts = [usage.output_tokens for usage in lengths if usage is not None]
    assert counts == [1, 5, 20]
    assert all(short < long for short, long in pairwise(counts))


def test_its_own_tokeniser_counts_what_the_answer_reports(ws: Workspace) -> None:
    prompt = "Why is the sky blue? é ü 🌧"
    counted = ws.parameters.count_tokens(MODEL, prompt, parameters={"system": "Be brief."})
    assert counted.how == "tokeniser"
    reply = ask(ws, prompt, system="Be brief.", max_tokens=1)
    assert reply.usage is not None
    assert counted.count == reply.usage.input_tokens
    at_hand = ws.parameters.preview(MODEL, {"system": "Be brief."}, prompt)
    assert at_hand.prompt_tokens == counted
    assert at_hand.url.startswith("http://127.0.0.1:")
    assert at_hand.cost is not None
    assert at_hand.cost.high_tokens == 4096 - counted.count
    assert at_hand.cost.high == at_hand.cost.low  # it is free


def test_a_prompt_longer_than_the_context_is_refused_unsent_where_it_is_counted(ws: Workspace) -> None:
    shown = ws.parameters.preview(MODEL, None, "word " * 5_000)
    assert shown.body is None
    assert [error.field for error in shown.validation.errors] == ["messages"]
