"""The next token's log probabilities, of the real local model: what is plotted is what the model says and does."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llm_core import Parameters, Workspace
from llm_core.errors import InvalidInput, UnreadableAnswer
from llm_core.parameters.distribution import reshape
from tests.wire.replies import Say
from tests.wire.server import WireServer

MODEL = "local:smollm2-135m"
PROMPT = "Tell me a story about a fox."


@pytest.fixture
def local(ws: Workspace, local_model: Path) -> Workspace:
    ws.providers.connect("local")
    return ws


def natively(ws: Workspace, **wanted: Any) -> list[dict[str, Any]]:
    """What llama.cpp's own completion endpoint says of the next token, past our adapter."""
    server = ws.providers.adapter("local")._engine.server  # type: ignore[attr-defined]

    def ask(path: str, body: dict[str, Any]) -> Any:
        asked = urllib.request.Request(
            server.base_url.removesuffix("/v1") + path,
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)

    prompt = ask("/apply-template", {"messages": [{"role": "user", "content": PROMPT}]})["prompt"]
    first = ask("/completion", {"prompt": prompt, "n_predict": 1, **wanted})["completion_probabilities"][0]
    found: list[dict[str, Any]] = first.get("top_logprobs") or first["top_probs"]
    return found


@pytest.mark.model
def test_what_is_plotted_is_the_models_own_at_temperature_one_and_what_it_draws_from_otherwise(
    local: Workspace,
) -> None:
    local.parameters.next_tokens(MODEL, PROMPT)  # reads the prompt: from here on all answers come from the same cache
    found = local.parameters.next_tokens(MODEL, PROMPT, top=20)
    own = {entry["token"]: entry["logprob"] for entry in natively(local, n_probs=20)}
    assert [token.text for token in found.tokens] == list(own)
    plotted = reshape([token.logprob for token in found.tokens], Parameters(temperature=1.0)).probabilities
    assert np.log(plotted) == pytest.approx(list(own.values()), abs=1e-6)
    assert 0.5 < found.told < 1

    whole = natively(local, n_probs=50_000)
    for settings in (
        {"temperature": 0.7, "top_k": 12, "top_p": 0.8, "min_p": 0.0},
        {"temperature": 1.6, "top_k": 0, "top_p": 0.6, "min_p": 0.0},
        {"temperature": 1.3, "top_k": 0, "top_p": 1.0, "min_p": 0.15},
        {"temperature": 0.5, "top_k": 40, "top_p": 0.95, "min_p": 0.05},
    ):
        drawn = natively(local, n_probs=12, post_sampling_probs=True, **settings)
        ours = reshape([entry["logprob"] for entry in whole], Parameters(**settings), order="llama.cpp")
        chance = dict(zip((entry["id"] for entry in whole), ours.probabilities, strict=True))
        assert [chance[entry["id"]] for entry in drawn] == pytest.approx([entry["prob"] for entry in drawn], abs=2e-4)

    row = local.usage.history(limit=1).iloc[0]
    assert (row.source, row.task, row.preset, row.output_tokens) == ("parameters", "chat", None, 1)


def test_the_recorded_ones_are_whole_distributions_of_a_named_model(ws: Workspace) -> None:
    for recorded in ws.parameters.recorded_next_tokens():
        assert recorded.recorded
        assert recorded.model
        assert recorded.prompt
        assert recorded.reply is None
        logprobs = [token.logprob for token in recorded.tokens]
        assert logprobs == sorted(logprobs, reverse=True)
        assert 0.6 < recorded.told <= 1


def test_a_model_that_does_not_tell_is_not_asked(ws: Workspace, wire: WireServer) -> None:
    ws.providers.connect("anthropic", "sk-ant-api03-" + "a" * 80, base_url=wire.base_url)
    with pytest.raises(InvalidInput) as caught:
        ws.parameters.next_tokens("anthropic:claude-haiku-4-5", PROMPT)
    assert caught.value.hint
    assert not wire.requests


def test_an_endpoint_that_leaves_them_out_is_an_answer_that_cannot_be_read(ws: Workspace, wire: WireServer) -> None:
    ws.providers.connect("compatible", base_url=wire.base_url, name="wire")
    wire.script(Say(text="The"))
    with pytest.raises(UnreadableAnswer):
        ws.parameters.next_tokens("wire:gpt-6-luna", [{"role": "user", "content": PROMPT}])
    assert 1 in (wire.requests[-1].body.get("max_completion_tokens"), wire.requests[-1].body.get("max_tokens"))
    assert ws.usage.history()["source"].tolist() == ["parameters"]
