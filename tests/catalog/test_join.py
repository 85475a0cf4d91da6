"""What counts where the provider's list, the catalogue and a person disagree, and where it says it is from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from llm_core import LLMModel, Workspace
from llm_core.catalog.facts import all_known, facts
from llm_core.errors import InvalidInput
from llm_core.store import tables
from llm_core.store.listings import note_check

TODAY = datetime.now(UTC).date()


def offered(name: str, **known) -> LLMModel:
    return LLMModel(connection="openai", provider="openai", name=name, **known)


def test_limits_and_dates_of_the_list_count_before_ours_and_say_so(models, offer, connect) -> None:
    connect("openai")
    known = facts("openai", "gpt-4.1")
    end = datetime(2031, 5, 1, tzinfo=UTC)
    offer(offered("gpt-4.1", context_window=9_999, retires_at=end))
    (model,) = models.list()
    assert (model.context_window, model.retires_at) == (9_999, end)
    assert (model.sources["context_window"].name, model.sources["retires_at"].read_on) == ("openai list", TODAY)
    assert model.max_output_tokens == known.max_output_tokens
    assert model.sources["max_output_tokens"] == known.sources["max_output_tokens"]
    assert model.sources["input_price"].name == model.price_source
    assert model.cache_read_price == Decimal("0.5")


def test_abilities_of_the_list_and_ours_are_added_up(models, offer, connect) -> None:
    connect("openai")
    known = facts("openai", "gpt-4.1")
    offer(offered("gpt-4.1", capabilities=frozenset({"chat", "realtime"}), modalities=frozenset({"text", "file"})))
    (model,) = models.list()
    assert model.capabilities == known.capabilities | {"realtime"}
    assert model.inputs == known.inputs | {"text"}
    assert model.lacks == known.lacks - {"realtime"}
    assert model.sources["capabilities"].name == f"openai list, {known.sources['capabilities'].name}"


def test_a_person_has_the_last_word(models, offer, connect) -> None:
    connect("openai")
    offer(offered("gpt-4.1", context_window=9_999))
    model = models.edit_own("openai:gpt-4.1", context_window=5_000, capabilities=["chat"], retires_at=date(2020, 1, 1))
    assert (model.context_window, model.capabilities, model.state) == (5_000, {"chat"}, "shut_down")
    assert (model.own, model.sources["context_window"].name) == (False, "you")
    assert models.list() == [model]
    model = models.edit_own("openai:gpt-4.1", context_window=None, retires_at=None)
    assert (model.context_window, model.capabilities) == (9_999, {"chat"})
    models.remove_own("openai:gpt-4.1")
    assert models.get("openai:gpt-4.1").capabilities == facts("openai", "gpt-4.1").capabilities


def test_states_follow_lists_checks_and_switches(models, offer, connect, ws: Workspace) -> None:
    connect("openai")
    assert models.get("openai:stays").state == "unknown", "never asked"
    soon = datetime.now(UTC) + timedelta(days=30)
    offer(offered("stays"), offered("ends", retires_at=soon), offered("goes"))
    offer(offered("stays"), offered("ends", retires_at=soon))

    def states() -> dict[str, str]:
        return {model.name: model.state for model in models.list()}

    good = {"stays": "available", "ends": "deprecated", "goes": "not_on_key"}
    assert states() == good
    with ws.state.write() as transaction:
        note_check(transaction, "openai", datetime.now(UTC), "The provider did not answer.")
    assert states() == dict.fromkeys(good, "unreachable")
    assert models.get("openai:stays").available is True
    with ws.state.write() as transaction:
        note_check(transaction, "openai", datetime.now(UTC))
    assert states() == good
    with ws.state.write() as transaction:
        transaction.execute(update(tables.connections).values(enabled=False))
    assert states() == dict.fromkeys(good, "unreachable")


def test_an_id_that_the_list_spells_otherwise_is_offered_too(models, offer, connect) -> None:
    connect("anthropic")
    connect("huggingface")
    dated = LLMModel("anthropic", "anthropic", "claude-next-20270101", context_window=7, lifecycle="active")
    offer(dated, LLMModel("anthropic", "anthropic", "claude-other"), connection="anthropic")
    offer(LLMModel("huggingface", "huggingface", "a/b", context_window=7), connection="huggingface")
    models.list()
    for name, state, window in (
        ("anthropic:claude-next", "available", 7),
        ("anthropic:claude-next-latest", "available", 7),
        ("anthropic:claude-next-20260101", "not_on_key", None),
        ("anthropic:claude-nex", "not_on_key", None),
        ("anthropic:claude-other-20270101", "not_on_key", None),
        ("huggingface:a/b:novita", "available", None),
        ("huggingface:a/c:novita", "not_on_key", None),
    ):
        assert (models.get(name).state, models.get(name).context_window) == (state, window), name


def test_all_that_is_known_stands_beside_what_is_listed_and_each_model_once(models, offer, connect) -> None:
    assert {model.connection for model in models.known("openai")} == {"openai"}
    connect("team", provider="openai")
    connect("second", provider="openai")
    offer(offered("gpt-4.1"), offered("in-house-1"), connection="team")
    found = {model.id: model for model in models.known("openai")}
    assert set(found) == {"team:in-house-1", *(f"team:{name}" for name in all_known("openai"))}
    assert found["team:gpt-4.1"].available is True
    assert found["team:gpt-4o"].state in ("not_on_key", "shut_down")
    everything = models.known()
    assert len({model.id for model in everything}) == len(everything)
    assert {model.provider for model in everything} == {"openai", "anthropic", "google", "cohere", "huggingface"}
    assert models.list("team") == [model for model in everything if model.available]
    with pytest.raises(InvalidInput):
        models.known("acme")


def test_a_change_of_other_state_keeps_the_table_and_one_of_models_does_not(models, offer, connect, ws) -> None:
    connect("openai")
    offer(offered("gpt-4.1"))
    (before,) = models.list()
    ws.settings.set("ui.model", "a:b")
    assert models.list()[0] is before
    offer(offered("gpt-4.1"))
    assert models.list()[0] is not before
