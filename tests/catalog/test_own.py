from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from llm_core.catalog import OWN_FACTS
from llm_core.errors import InvalidInput, UnknownConnection, UnknownModel
from llm_core.types import LLMModel

SAID = {
    "display_name": "Ours",
    "context_window": 32_000,
    "max_output_tokens": 4_000,
    "capabilities": ["chat", "tools", "schema"],
    "inputs": {"text", "image"},
    "outputs": ("text",),
    "reasoning_efforts": ["low", "high"],
    "takes_temperature": False,
    "knowledge_until": "2026-03",
    "released_on": "2026-04-01",
    "deprecated_on": date(2030, 1, 1),
    "retires_at": "2031-01-01",
    "replacement": "ours-2",
    "licence": "Apache-2.0",
}


def test_an_own_model_is_listed_with_what_was_said_of_it(models, connect) -> None:
    connect("azure", provider="compatible", base_url="http://127.0.0.1:9/v1")
    model = models.add_own("azure", "prod-4.1:eu", **SAID)
    assert set(SAID) == set(OWN_FACTS)
    assert (model.id, model.own, model.available, model.state) == ("azure:prod-4.1:eu", True, None, "deprecated")
    assert (model.context_window, model.takes_temperature) == (32_000, False)
    assert (model.capabilities, model.inputs) == ({"chat", "tools", "schema"}, {"text", "image"})
    assert (model.reasoning_efforts, model.released_on) == (("low", "high"), date(2026, 4, 1))
    assert model.retires_at == datetime(2031, 1, 1, tzinfo=UTC)
    assert {source.name for source in model.sources.values()} == {"you"}
    assert models.list("azure", task="extract") == [model]
    assert models.get(model.id) == model
    models.activate("chat", model.id)
    models.remove_own(model.id)
    assert models.list() == []
    with pytest.raises(UnknownModel):
        models.remove_own(model.id)


def test_an_own_model_that_the_list_names_later_keeps_what_was_said(models, offer, connect) -> None:
    connect("openai")
    assert models.add_own("openai", "new-one", context_window=1_000).state == "unknown"
    offer(LLMModel("openai", "openai", "new-one", context_window=2_000))
    (model,) = models.list()
    assert (model.own, model.available, model.state, model.context_window) == (False, True, "available", 1_000)


def test_what_a_model_cannot_be_is_refused_with_a_hint(models, offer, connect) -> None:
    connect("openai")
    offer(LLMModel("openai", "openai", "gpt-4.1"))
    with pytest.raises(UnknownConnection):
        models.add_own("nowhere", "m")
    with pytest.raises(UnknownModel, match="has no model"):
        models.edit_own("openai:never-seen", context_window=1)
    for name in ("", " m", "m\n", "x" * 201, None):
        with pytest.raises(InvalidInput, match="cannot be named"):
            models.add_own("openai", name)
    with pytest.raises(InvalidInput, match="already has"):
        models.add_own("openai", "gpt-4.1")
    for wrong in (
        {"price": 1},
        {"context_window": 0},
        {"context_window": True},
        {"max_output_tokens": 1.5},
        {"capabilities": ["flying"]},
        {"inputs": "smell"},
        {"outputs": [1]},
        {"knowledge_until": "March"},
        {"released_on": "soon"},
        {"retires_at": datetime(2030, 1, 1)},
        {"takes_temperature": "yes"},
        {"licence": "a\nb"},
        {"reasoning_efforts": [""]},
    ):
        with pytest.raises(InvalidInput) as caught:
            models.add_own("openai", "m", **wrong)
        assert caught.value.hint
    assert [model.name for model in models.list()] == ["gpt-4.1"]
