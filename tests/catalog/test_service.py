from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import delete, update

from llm_core import Workspace
from llm_core.errors import InvalidInput, NoActiveModel, NotConfigured, UnknownConnection, UnknownModel
from llm_core.store import tables
from llm_core.types import LLMModel, Usage
from tests.wire.server import WireServer

THOUSAND = Usage(input_tokens=1_000)


def offered(name: str, **known) -> LLMModel:
    return LLMModel(connection="openai", provider="openai", name=name, **known)


def test_what_a_connection_offers_is_joined_with_what_the_price_list_knows(models, offer, connect) -> None:
    connect("openai")
    offer(
        offered("gpt-4.1", max_output_tokens=32_768, capabilities=frozenset({"chat", "tools"})),
        offered("in-house-1", display_name="In-house", context_window=4_096),
    )
    known, unknown = models.list()
    assert known.id == "openai:gpt-4.1"
    assert (known.input_price, known.output_price) == (Decimal(2), Decimal(8))
    assert known.price_source.startswith("genai-prices")
    assert known.context_window == 1_047_576
    assert known.max_output_tokens == 32_768
    assert known.capabilities > {"chat", "tools"}
    assert known.available is True
    assert known.checked_at is not None
    assert (unknown.display_name, unknown.context_window) == ("In-house", 4_096)
    assert unknown.input_price is unknown.price_source is None
    assert models.list("openai") == [known, unknown]
    with pytest.raises(UnknownConnection):
        models.list("nowhere")


def test_what_the_provider_says_of_a_model_counts_before_the_price_list(models, offer, connect) -> None:
    connect("openai")
    offer(offered("gpt-4.1", display_name="Ours", context_window=8_192))
    (model,) = models.list()
    assert (model.display_name, model.context_window, model.input_price) == ("Ours", 8_192, Decimal(2))


def test_a_model_that_is_no_longer_offered_stays_and_is_told_apart(models, offer, connect) -> None:
    connect("openai")
    offer(offered("old"), offered("stays"))
    first = {model.name: model.checked_at for model in models.list()}
    offer(offered("stays"), offered("new"))
    assert {model.name: model.state for model in models.list()} == {
        "new": "available",
        "old": "not_on_key",
        "stays": "available",
    }
    assert [model.name for model in models.list(task="chat")] == ["new", "stays"]
    assert models.get("openai:stays").checked_at > first["stays"]
    gone = models.get("openai:old")
    assert gone.available is False
    assert gone.checked_at == first["old"]
    assert models.get("openai:never-seen").available is None
    assert models.get("openai:never-seen").state == "not_on_key"
    offer(offered("old"))
    assert [model.name for model in models.list(task="chat")] == ["old"]


def test_refresh_asks_the_provider_and_keeps_its_answer(ws: Workspace, wire: WireServer) -> None:
    ws.providers.connect("openai", "sk-test-0123456789abcdef", base_url=wire.base_url)
    wire.models = ["gpt-6-luna", "gpt-7-unheard-of"]
    known, unknown = ws.models.refresh("openai")
    assert (known.id, known.available) == ("openai:gpt-6-luna", True)
    assert known.input_price == Decimal("0.1")
    assert unknown.input_price is None
    wire.models = ["gpt-6-luna"]
    assert ws.models.refresh("openai") == ws.models.list()
    assert ws.models.get("openai:gpt-7-unheard-of").available is False
    with pytest.raises(UnknownConnection):
        ws.models.refresh("nowhere")


def test_models_are_told_apart_by_what_they_can_do(models, offer, connect) -> None:
    connect("openai")
    names = ("gpt-4.1", "whisper-1", "text-embedding-3-small", "gpt-4o-transcribe", "gpt-image-1", "my-own")
    offer(*map(offered, names), offered("whisper-like", capabilities=frozenset({"chat"})))
    assert {model.name for model in models.list(task="chat")} == {"gpt-4.1", "my-own", "whisper-like"}
    assert {model.name for model in models.list(task="transcribe")} == {"whisper-1", "gpt-4o-transcribe"}
    assert len(models.list()) == 7


def test_a_model_is_known_without_any_connection(models) -> None:
    assert models.list() == []
    assert models.get("anthropic:claude-opus-4-1").input_price == 15
    assert models.get("anthropic:claude-opus-4-1").available is None
    assert models.get("openai:unheard-of").context_window is None
    assert models.price("anthropic:claude-opus-4-1", THOUSAND).usd == Decimal("0.015")
    assert models.price("openai:unheard-of", THOUSAND).usd is None


def test_a_connection_comes_before_the_provider_of_that_name(models, connect) -> None:
    connect("openai", provider="compatible", base_url="http://127.0.0.1:9/v1")
    assert models.price("openai:gpt-4.1", THOUSAND).usd is None
    assert models.get("openai:gpt-4.1").provider == "compatible"


def test_a_second_connection_has_the_prices_of_its_provider(models, connect) -> None:
    connect("openai-team-b", provider="openai", base_url="https://proxy.example/v1")
    assert models.price("openai-team-b:gpt-4.1", THOUSAND).usd == Decimal("0.002")
    assert models.get("openai-team-b:gpt-4.1").id == "openai-team-b:gpt-4.1"


def test_a_model_on_this_machine_is_free_and_says_so(models, connect) -> None:
    connect("local")
    assert models.price("local:smollm2", Usage(input_tokens=10**6, images=3)).usd == 0
    assert models.price("local:smollm2", THOUSAND).source == "local"
    assert models.get("local:smollm2").input_price == 0


def test_a_record_of_a_connection_that_is_gone_is_unpriced_not_an_error(models) -> None:
    assert models.price("once-there:gpt-4.1", THOUSAND).missing == ("model",)
    with pytest.raises(UnknownConnection):
        models.get("once-there:gpt-4.1")


def test_a_price_needs_an_id_and_a_known_mode(models) -> None:
    with pytest.raises(UnknownModel):
        models.price("gpt-4.1", THOUSAND)
    with pytest.raises(InvalidInput, match="no mode"):
        models.price("openai:gpt-4.1", THOUSAND, mode="default")


def test_price_takes_the_time_of_the_call(models) -> None:
    assert models.price("openai:o3", THOUSAND, datetime(2025, 6, 1, tzinfo=UTC)).usd == Decimal("0.01")
    assert models.price("openai:o3", THOUSAND).usd == Decimal("0.002")


def test_one_model_is_active_for_each_task_until_another_is_or_none(models, connect) -> None:
    connect("openai")
    assert models.active("chat") is None
    models.activate("chat", "openai:ft:gpt-4.1:team")
    models.activate("judge", "openai:o3")
    assert (models.active("chat"), models.active("judge")) == ("openai:ft:gpt-4.1:team", "openai:o3")
    models.activate("chat", "openai:o3")
    assert models.active("chat") == "openai:o3"
    models.activate("chat", None)
    assert models.active("chat") is None


def test_only_a_task_and_a_connection_that_exist_can_be_chosen(models, connect) -> None:
    connect("openai")
    with pytest.raises(UnknownConnection, match="nowhere") as caught:
        models.activate("chat", "nowhere:m")
    assert "openai" in caught.value.hint
    with pytest.raises(UnknownModel):
        models.activate("chat", "gpt-4.1")
    for ask in (
        lambda: models.activate("cook", "openai:m"),
        lambda: models.active("cook"),
        lambda: models.list(task="x"),
    ):
        with pytest.raises(InvalidInput):
            ask()


def test_a_call_goes_to_the_named_model_else_to_the_active_one(models, connect) -> None:
    connect("openai")
    connect("backup", provider="openai")
    models.activate("chat", "openai:gpt-4.1")
    connection, name = models.resolve(None, "chat")
    assert (connection.name, name) == ("openai", "gpt-4.1")
    connection, name = models.resolve("backup:ft:a:b", "chat")
    assert (connection.name, name) == ("backup", "ft:a:b")


def test_a_call_that_names_no_model_needs_an_active_one(models, connect) -> None:
    connect("openai")
    models.activate("chat", "openai:gpt-4.1")
    with pytest.raises(NoActiveModel, match="summarize") as caught:
        models.resolve(None, "summarize")
    assert 'activate("summarize"' in caught.value.hint


def test_a_bare_name_is_not_guessed_but_its_id_is_told(models, offer, connect) -> None:
    connect("openai")
    offer(offered("gpt-4.1"), offered("gpt-4.1-mini"))
    with pytest.raises(UnknownModel) as caught:
        models.resolve("gpt-4.1", "chat")
    assert caught.value.hint == "Did you mean openai:gpt-4.1?"
    with pytest.raises(UnknownModel, match="gpt-4"):
        models.resolve("gpt-4.l-mini", "chat")
    with pytest.raises(UnknownConnection, match="qwen3"):
        models.resolve("qwen3:8b", "chat")


def test_a_connection_that_is_switched_off_takes_no_calls(models, connect) -> None:
    connect("openai", enabled=False)
    models.activate("chat", "openai:gpt-4.1")
    with pytest.raises(NotConfigured, match="switched off"):
        models.resolve(None, "chat")


def test_a_change_by_any_process_counts_from_the_next_call(models, connect, ws) -> None:
    connect("openai")
    models.activate("chat", "openai:gpt-4.1")
    assert models.resolve(None, "chat")[1] == "gpt-4.1"
    with ws.state.engine.begin() as other:
        other.execute(update(tables.active_models).values(model="o3"))
    assert models.resolve(None, "chat")[1] == "o3"
    with ws.state.write() as other:
        other.execute(delete(tables.connections))
    assert models.active("chat") is None
    with pytest.raises(NoActiveModel):
        models.resolve(None, "chat")
