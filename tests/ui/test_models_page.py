"""The Models page without a browser: filters and URL, details, comparison, workload, activation, own models, prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from llm_core import LLMModel, Usage, UsageRecord, Workspace
from llm_core.catalog import Workload, price_store
from llm_core.catalog.price_table import PriceTable
from llm_core.catalog.prices import installed
from llm_core.store.listings import keep_listing
from pages.components import model_charts, model_filters, model_workload
from pages.components.model_filters import Wanted
from tests.ui.conftest import failures, texts
from tests.wire.server import WireServer

Open = Callable[..., AppTest]
SMALL, LARGE, EAR = "compatible:small-1", "compatible:large-1", "compatible:whisper-ear"
SOON = datetime.now(UTC) + timedelta(days=40)


@pytest.fixture
def listed(ws: Workspace, wire: WireServer) -> Workspace:
    """A workspace with three models that the tests know all about, and calls of one of them."""
    ws.providers.connect("compatible", base_url=wire.base_url)
    chats = frozenset({"chat", "tools", "schema"})
    offered = [
        LLMModel("compatible", "compatible", "small-1", context_window=32_000, capabilities=chats, retires_at=SOON),
        LLMModel(
            "compatible",
            "compatible",
            "large-1",
            context_window=1_000_000,
            capabilities=chats | {"images", "reasoning"},
            modalities=frozenset({"text", "image"}),
        ),
        LLMModel("compatible", "compatible", "whisper-ear", capabilities=frozenset({"transcription"})),
    ]
    with ws.state.write() as transaction:
        keep_listing(transaction, "compatible", offered, datetime.now(UTC))
    ws.models.prices.set_own(SMALL, {"input_tokens": Decimal("0.5"), "output_tokens": Decimal(2)})
    for _ in range(4):
        ws.usage.record(
            UsageRecord(
                provider="compatible",
                connection="compatible",
                model="small-1",
                usage=Usage(input_tokens=1_000, cache_read_tokens=0, output_tokens=101),
                latency_ms=1_500.0,
                ttft_ms=500.0,
                cost_usd=Decimal("0.25"),
            )
        )
    ws.models.activate("chat", SMALL)
    return ws


def choose(app: AppTest, *ids: str) -> AppTest:
    app.session_state["models.open"] = list(ids)
    return app.run()


def facts(app: AppTest) -> dict[str, str]:
    """Small figures on the page: label -> value."""
    found = {}
    for text in app.markdown:
        label, line, value = text.value.partition("]]  \n**")
        if line and label.startswith(":small[:gray["):
            found[label.removeprefix(":small[:gray[")] = value.removesuffix("**")
    return found


def names(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["Model"])


def test_filters_narrow_the_table_and_come_from_the_url(open_app: Open, listed: Workspace) -> None:
    app = open_app("models")
    assert names(app) == ["small-1", "large-1", "whisper-ear"]
    assert app.dataframe[0].value["Calls here"].tolist()[0] == 4
    app.multiselect(key="can").select("Vision").run()
    assert names(app) == ["large-1"]
    app.text_input(key="search").set_value("no such model").run()
    assert any("No model matches" in text for text in texts(app))
    app.button(key="models.clear").click().run()
    assert len(names(app)) == 3

    linked = open_app("models", search="1", context="≥ 128 k", sort="Name")
    assert names(linked) == ["large-1"]
    assert linked.text_input(key="search").value == "1"


def test_a_filter_leaves_what_is_known_to_meet_it_and_unknown_sorts_last() -> None:
    frame = pd.DataFrame(
        {
            "model": ["b", "a", "c"],
            "connection": ["x", "x", "y"],
            "state": ["available"] * 3,
            "context": pd.array([100_000, None, 300_000], dtype="Int64"),
            "output_price": [1.0, 9.0, float("nan")],
            "text": ["b x", "a x", "c y"],
            "can tools": [True, False, True],
        }
    )
    found = {
        "words": model_filters.matching(frame, Wanted(words=("x",), sort="Name")),
        "context": model_filters.matching(frame, Wanted(context=64_000, sort="Name")),
        "price": model_filters.matching(frame, Wanted(price=5.0, sort="Name")),
        "flags": model_filters.matching(frame, Wanted(flags=("can tools",), connection="y", sort="Name")),
        "sort": model_filters.matching(frame, Wanted(sort="Cheapest answer")),
    }
    assert {name: "".join(rows["model"]) for name, rows in found.items()} == {
        "words": "ab",
        "context": "bc",
        "price": "b",
        "flags": "c",
        "sort": "bac",
    }


def test_one_chosen_model_shows_what_it_is_what_it_costs_and_how_it_did_here(open_app: Open, listed: Workspace) -> None:
    app = choose(open_app("models"), SMALL)
    assert not failures(app)
    shown = facts(app)
    assert shown["Context"] == "32.0 k"
    assert (shown["Calls"], shown["Spend"], shown["p50 latency"]) == ("4", "$1.00", "1.5 s")
    assert (shown["First token"], shown["Speed"]) == ("502 ms", "100 tok/s")  # the quantile is off by 0.8 % at most
    assert shown["Prompt, per M"] == "$0.50"
    assert any("Shuts down on" in text and "in 40 days" in text for text in texts(app))
    assert any("by you" in text.lower() or "you" in text for text in texts(app))


def test_a_model_without_calls_or_price_says_so_and_shows_no_zero(open_app: Open, listed: Workspace) -> None:
    app = choose(open_app("models"), LARGE)
    assert "Spend" not in facts(app)
    assert any("Not called in the last 30 days" in text for text in texts(app))
    assert any("stays unknown" in text for text in texts(app))
    assert any("does not" in text or "No price list knows" in text for text in texts(app))


def test_two_to_four_are_compared_and_more_are_refused_in_words(open_app: Open, listed: Workspace) -> None:
    app = choose(open_app("models"), SMALL, LARGE)
    table = app.table[0].value
    assert table.loc["Context window ≠"].tolist() == ["32.0 k", "1.0 M"]
    assert table.loc["Connection"].tolist() == ["compatible", "compatible"]
    app.toggle(key="models.only_differences").set_value(True).run()
    assert all(fact.endswith("≠") for fact in app.table[0].value.index)
    assert any("price for" in text and "not known" in text for text in texts(app))
    app = choose(app, SMALL, LARGE, EAR, "openai:gpt-6-luna", "openai:gpt-6.1-sol")
    assert any("At most 4 models" in text for text in texts(app) + [info.value for info in app.info])


def test_the_workload_begins_with_own_records_and_what_is_typed_is_kept(open_app: Open, listed: Workspace) -> None:
    app = choose(open_app("models"), SMALL, LARGE)
    assert app.number_input(key="models.load.calls_per_month").value == 4
    assert app.number_input(key="models.load.input_tokens").value == 1_000
    app.number_input(key="models.load.calls_per_month").set_value(1_000_000).run()
    cost = listed.models.workload_cost(SMALL, Workload(1_000_000, 1_000, 101)).usd
    assert cost == Decimal("702")
    assert facts(app)["small-1"] == "$702.00"
    again = choose(open_app("models"), SMALL, LARGE)
    assert again.number_input(key="models.load.calls_per_month").value == 1_000_000
    again.button(key="models.load_own").click().run()
    assert again.number_input(key="models.load.calls_per_month").value == 4


def test_without_records_the_workload_is_an_example_and_says_so() -> None:
    nothing = pd.DataFrame(
        {name: [] for name in ("calls", "input_tokens", "cache_read_tokens", "output_tokens", "audio_seconds")}
    )
    assert model_workload.of_records(nothing) is None
    assert model_workload.MADE_UP == "an example"


def test_a_click_makes_it_active_and_what_it_lacks_is_said_where_one_clicks(open_app: Open, listed: Workspace) -> None:
    app = choose(open_app("models"), EAR)
    assert any("For chat, " in text and "No source says that whisper-ear can chat" in text for text in texts(app))
    assert app.button(key="models.activate.transcribe").help in ("", None)
    app.button(key="models.activate.transcribe").click().run()
    assert listed.models.active("transcribe") == EAR
    app.button(key="models.activate.chat").click().run()
    assert listed.models.active("chat") == EAR
    assert any("whisper-ear" in text.value for text in app.sidebar.markdown)


def test_a_task_s_tile_switches_its_model_and_names_the_cheapest_that_can(open_app: Open, listed: Workspace) -> None:
    app = open_app("models")
    app.session_state["models.active.chat.open"] = True
    app.run()
    assert app.selectbox(key="models.active.chat").value == SMALL
    app.selectbox(key="models.active.chat").select(LARGE).run()
    assert listed.models.active("chat") == LARGE

    listed.models.activate("chat", SMALL)
    listed.models.prices.set_own(LARGE, {"input_tokens": 1, "output_tokens": 1})
    app = open_app("models")
    app.session_state["models.active.chat.open"] = True
    app.run()
    app.button(key="models.active.chat.suggested").click().run()
    assert listed.models.active("chat") == LARGE


def test_the_radar_names_the_end_the_spend_and_switches_to_the_replacement(open_app: Open, listed: Workspace) -> None:
    listed.models.edit_own(SMALL, replacement="large-1")
    app = open_app("models")
    assert any("1 model in use here will be shut down" in box.label and "$1.00" in box.label for box in app.expander)
    app.session_state["models.radar"] = True
    app.run()
    app.button(key=f"radar.replace.{SMALL}").click().run()
    assert listed.models.active("chat") == LARGE


def test_an_own_model_and_its_price_are_added_changed_and_taken_back(open_app: Open, listed: Workspace) -> None:
    app = open_app("models")
    app.button(key="models.add").click().run()
    app.text_input(key="own.model.name").set_value("mine-7b")
    app.number_input(key="own.model.context_window").set_value(8_192)
    app.button(key="own.model.save").click().run()
    assert not failures(app)
    assert listed.models.get("compatible:mine-7b").context_window == 8_192
    assert facts(app)["Context"] == "8,192"

    app.button(key="models.set_price").click().run()
    app.number_input(key="own.price.input_tokens").set_value(0.25)
    app.number_input(key="own.price.output_tokens").set_value(1.5)
    app.button(key="own.price.save").click().run()
    assert not failures(app)
    assert listed.models.get("compatible:mine-7b").output_price == Decimal("1.5")

    app.button(key="models.edit").click().run()
    app.text_input(key="own.model.display_name").set_value("My own 7B")
    app.button(key="own.model.save").click().run()
    assert listed.models.get("compatible:mine-7b").display_name == "My own 7B"
    app.button(key="models.edit").click().run()
    app.button(key="own.model.remove").click().run()
    assert "compatible:mine-7b" not in [model.id for model in listed.models.list()]


def test_refreshing_asks_every_connection_and_tells_which_did_not_answer(
    open_app: Open, listed: Workspace, wire: WireServer
) -> None:
    app = open_app("models")
    app.button(key="models.refresh").click().run()
    assert not failures(app)
    assert any(model.name == "gpt-6-luna-mini" for model in listed.models.list())
    assert any(state == "Not on this key" for state in app.dataframe[0].value["State"])


def test_a_newer_price_list_is_shown_as_a_difference_and_used_once_accepted(open_app: Open, listed: Workspace) -> None:
    listed.providers.connect("openai", "sk-not-a-key-that-works-0001")
    before = listed.models.price("openai:o3", Usage(input_tokens=1_000_000)).usd
    content = orjson.loads(installed().to_json()) | {"source": "genai-prices 9.9.9"}
    o3 = next(model for seller in content["sellers"] for model in seller["models"] if model["id"] == "o3")
    for period in o3["modes"]["standard"]:
        period["rates"]["input_tokens"] = "123"
    with listed.state.write() as transaction:
        price_store.keep(transaction, PriceTable(content), "genai-prices 9.9.9", accepted=False)

    app = open_app("models")
    assert any("A new price list is there" in text for text in texts(app))
    shown = app.dataframe[0].value
    assert set(shown["Price of"]) == {"Prompt, million tokens"}
    assert "openai:o3" in shown["Model"].tolist()
    assert shown["Then"].tolist()[0] == 123
    app.button(key="models.update_later_button").click().run()
    assert not any("A new price list is there" in text for text in texts(app))
    assert listed.models.price("openai:o3", Usage(input_tokens=1_000_000)).usd == before

    app = open_app("models")
    app.button(key="models.update_accept").click().run()
    assert listed.models.price("openai:o3", Usage(input_tokens=1_000_000)).usd == 123
    assert not any("A new price list is there" in text for text in texts(app))


def test_price_lists_that_disagree_are_flagged_with_both_figures(open_app: Open, ws: Workspace) -> None:
    ws.providers.connect("openai", "sk-not-a-key-that-works-0001")
    doubtful = next(model.id for model in ws.models.known("openai") if ws.models.prices.disagreements(model.id))
    found = ws.models.prices.disagreements(doubtful)[0]
    app = choose(open_app("models", scope="All known"), doubtful)
    assert not failures(app)
    told = [text.replace("\\", "") for text in texts(app)]
    assert "Price lists disagree" in told
    assert any(found.ours_source.name in text and found.theirs_source.name in text for text in told)


def test_a_link_opens_its_models_and_an_old_one_is_no_error(open_app: Open, listed: Workspace) -> None:
    app = open_app("models", open=SMALL)
    assert facts(app)["Context"] == "32.0 k"
    gone = open_app("models", open="nowhere:model")
    assert not failures(gone)
    assert any("Choose a row" in text for text in texts(gone))


def test_three_thousand_models_are_drawn_and_filtered(open_app: Open, listed: Workspace) -> None:
    many = [
        LLMModel("compatible", "compatible", f"vendor-{number % 40}/model-{number}", context_window=4_000 + number)
        for number in range(3_000)
    ]
    with listed.state.write() as transaction:
        keep_listing(transaction, "compatible", many, datetime.now(UTC))
    app = open_app("models", state="Available")
    assert len(app.dataframe[0].value) == 3_000
    app.text_input(key="search").set_value("vendor-7/ 2967").run()
    assert names(app) == ["vendor-7/model-2967"]


def test_price_steps_end_where_a_price_ends_and_what_is_announced_is_dotted() -> None:
    today, change = datetime(2026, 11, 24).date(), datetime(2027, 1, 1).date()
    history = pd.DataFrame(
        {
            "effective_from": [None, change],
            "effective_to": [change, None],
            "rate": ["input_tokens"] * 2,
            "usd": [Decimal(1), Decimal(2)],
            "per": [1_000_000] * 2,
            "announced": [False, True],
        }
    )
    now, coming = model_charts.price_steps(history, today, theme="light").data
    assert list(now.y) == [1, 1]
    assert now.x[-1] == change
    assert list(coming.y) == [1, 2, 2]
    assert coming.line.dash == "dot"
    assert coming.line.shape == "hv"
