"""The Parameters page: an editor made from the spec, what it says of values, and presets kept, moved and undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from llm_core import Parameters, Workspace
from llm_core.parameters import Preset
from tests.ui.conftest import failures, texts
from tests.wire.replies import Raw, Say
from tests.wire.server import WireServer

Open = Callable[..., AppTest]
FIELD = "parameters.balanced.1."


@pytest.fixture
def wired(ws: Workspace, wire: WireServer) -> WireServer:
    """A workspace whose one connection is to the replay server."""
    ws.providers.connect("compatible", base_url=wire.base_url, name="wire")
    ws.models.refresh("wire")
    return wire


def chosen(app: AppTest, entry: str) -> AppTest:
    """The page after an entry of the menu was chosen."""
    return app.menu_button(key="parameters.menu").click(entry).run()


def select(app: AppTest, preset: str) -> AppTest:
    return app.selectbox(key="parameters.preset").select(preset).run()


def test_a_preset_is_edited_checked_and_saved_under_a_name_of_ones_own(
    open_app: Open, wired: WireServer, ws: Workspace
) -> None:
    app = open_app("parameters")
    app.number_input(key=f"{FIELD}temperature").set_value(1.8).run()
    assert any("Answers tend to fall apart" in title for title in texts(app))
    assert any("answers may fall apart" in text for text in texts(app))
    app.button(key="parameters.save_as").click().run()
    app.text_input(key="preset.name").set_value("wild")
    app.button(key="preset.go").click().run()
    assert not failures(app)
    assert ws.parameters.preset("wild").parameters == Parameters(temperature=1.8)
    assert app.selectbox(key="parameters.preset").value == "wild"
    app.number_input(key="parameters.wild.1.temperature").set_value(1.2).run()
    app.button(key="parameters.save").click().run()
    assert ws.parameters.preset("wild") == Preset("wild", Parameters(temperature=1.2), "", 2)
    assert app.number_input(key="parameters.wild.2.temperature").value == 1.2
    select(app, "balanced")
    assert app.number_input(key=f"{FIELD}temperature").value is None


def test_slider_and_input_move_together_and_each_field_goes_back_by_itself(open_app: Open, wired: WireServer) -> None:
    app = open_app("parameters")
    app.slider(key=f"{FIELD}temperature.slider").set_value(0.3).run()
    assert app.number_input(key=f"{FIELD}temperature").value == 0.3
    app.number_input(key=f"{FIELD}top_p").set_value(0.5).run()
    assert app.slider(key=f"{FIELD}top_p.slider").value == 0.5
    app.button(key=f"{FIELD}top_p.reset").click().run()
    assert app.number_input(key=f"{FIELD}top_p").value is None
    assert app.number_input(key=f"{FIELD}temperature").value == 0.3
    app.button(key="parameters.reset").click().run()
    assert app.number_input(key=f"{FIELD}temperature").value is None
    assert app.button(key="parameters.reset").disabled


def test_what_the_model_lacks_is_off_with_the_reason_and_a_presets_value_for_it_is_told_and_can_go(
    open_app: Open, wired: WireServer, ws: Workspace
) -> None:
    ws.parameters.save(Preset("mine", Parameters(thinking_budget=2_000, safety_settings={"a": "b"})))
    ws.settings.set("ui.preset", "balanced")
    app = open_app("parameters")
    assert any("Thinking budget" in text and "off." in text for text in texts(app))
    select(app, "mine")
    assert any("**Thinking budget** is left out" in warning.value for warning in app.warning)
    app.session_state["parameters.mine.1.thinking_budget"] = None
    app.run()
    assert not any("Thinking budget" in warning.value for warning in app.warning)
    assert not failures(app)


def test_objects_are_typed_as_json_and_half_of_one_is_said(open_app: Open, wired: WireServer, ws: Workspace) -> None:
    app = open_app("parameters")
    app.selectbox(key=f"{FIELD}response_format").select("As JSON").run()
    app.text_area(key=f"{FIELD}response_format.json").set_value('{"type": ').run()
    assert any("Not JSON" in text for text in texts(app))
    app.text_area(key=f"{FIELD}response_format.json").set_value('{"type": "json_object"}')
    app.button(key="parameters.save_as").click().run()
    app.text_input(key="preset.name").set_value("shaped")
    app.button(key="preset.go").click().run()
    assert ws.parameters.preset("shaped").parameters.response_format == {"type": "json_object"}
    assert json.loads(app.text_area(key="parameters.shaped.1.response_format.json").value) == {"type": "json_object"}


def test_the_request_and_its_cost_are_those_of_what_is_edited(open_app: Open, wired: WireServer) -> None:
    app = open_app("parameters", show="Request")
    app.number_input(key=f"{FIELD}temperature").set_value(0.4)
    app.text_area(key="parameters.prompt").set_value("A name for a cat?").run()
    body = next(json.loads(code.value) for code in app.get("code") if code.value.startswith("{"))
    assert body["temperature"] == 0.4
    assert "A name for a cat?" in json.dumps(body)
    assert not wired.asked("/chat/completions")
    app.segmented_control(key="show").set_value("Cost").run()
    assert any("Longest answer" in text for text in texts(app))


def test_answers_at_these_settings_are_counted_compared_and_recorded(
    open_app: Open, wired: WireServer, ws: Workspace
) -> None:
    wired.script(Say(text="Salt and Flour."), Say(text="Salt and Flour."), Say(text="The Tide."))
    app = open_app("parameters", show="Try")
    select(app, "precise")
    go = app.button(key="parameters.try.go")
    assert go.label.startswith("Ask 3 times · ")
    go.click().run()
    assert any("**2 of 3**" in text for text in texts(app))
    assert sum("Salt and Flour." in text for text in texts(app)) == 2
    rows = ws.usage.history()
    assert set(zip(rows.source, rows.preset, rows.preset_version, strict=True)) == {("parameters", "precise", 1)}


def test_two_presets_are_compared_in_values_request_and_answers(
    open_app: Open, wired: WireServer, ws: Workspace
) -> None:
    wired.usual = Say(text="An answer.")
    app = open_app("parameters", more="Compare presets")
    select(app, "precise")
    app.selectbox(key="parameters.other").select("creative").run()
    assert any("| **Temperature** | 0.2 | 1.0 |" in text for text in texts(app))
    diff = next(code.value for code in app.get("code") if code.value.startswith((" ", "-")))
    assert '-  "temperature": 0.2' in diff
    assert '+  "temperature": 1.0' in diff
    app.button(key="parameters.compare.go").click().run()
    assert sum("An answer." in text for text in texts(app)) == 2
    assert sorted(ws.usage.history()["preset"]) == ["creative", "precise"]


def test_a_preset_on_other_models_says_what_each_leaves_out(open_app: Open, wired: WireServer, ws: Workspace) -> None:
    ws.parameters.save(Preset("mine", Parameters(temperature=0.5, thinking_budget=2_000)))
    ws.settings.set("ui.preset", "mine")
    app = open_app("parameters", more="On other models")
    assert any("takes 1 of 2" in text for text in texts(app))
    assert any("**Thinking budget** left out" in text for text in texts(app))


def test_versions_show_their_calls_and_an_earlier_one_can_be_used_again(
    open_app: Open, wired: WireServer, ws: Workspace
) -> None:
    ws.parameters.save(Preset("mine", Parameters(temperature=0.1)))
    ws.llm.complete("Hello?", model="wire:gpt-6-luna", preset="mine")
    ws.parameters.save(Preset("mine", Parameters(temperature=0.2)))
    ws.settings.set("ui.preset", "mine")
    app = open_app("parameters", more="Versions and calls")
    assert any("Version 1" in text and "1 calls" in text for text in texts(app))
    app.button(key="preset.version.1").click().run()
    assert ws.parameters.preset("mine").version == 1
    assert open_app("usage", preset="mine").dataframe[0].value["Model"].tolist() == ["gpt-6-luna"]


def test_presets_are_copied_renamed_made_defaults_deleted_and_brought_back(
    open_app: Open, wired: WireServer, ws: Workspace
) -> None:
    app = open_app("parameters")
    chosen(app, "Duplicate")
    app.text_input(key="preset.name").set_value("calm")
    app.button(key="preset.go").click().run()
    chosen(app, "Rename")
    app.text_input(key="preset.name").set_value("calmer")
    app.text_input(key="preset.purpose").set_value("Quiet answers.")
    app.button(key="preset.go").click().run()
    assert ws.parameters.preset("calmer").purpose == "Quiet answers."
    chosen(app, "Make default for …")
    app.multiselect(key="preset.scopes").set_value(["", "code"])
    app.button(key="preset.go").click().run()
    assert [(found.task, found.model) for found in ws.parameters.defaults()] == [
        ("code", None),
        (None, "wire:gpt-6-luna"),
    ]
    assert any("Default for" in text for text in texts(app))
    chosen(app, "Delete")
    assert app.selectbox(key="parameters.preset").value == "balanced"
    assert "calmer" not in [preset.name for preset in ws.parameters.presets()]
    app.button(key="parameters.undo").click().run()
    assert app.selectbox(key="parameters.preset").value == "calmer"
    assert len(ws.parameters.defaults()) == 2
    assert not failures(app)


def test_whoever_chose_none_begins_with_the_default_preset_and_a_version_used_again_is_as_it_was(
    open_app: Open, wired: WireServer, ws: Workspace
) -> None:
    ws.parameters.save(Preset("mine", Parameters(temperature=0.1)))
    ws.parameters.set_default("mine", task="chat")
    app = open_app("parameters", more="Versions and calls")
    assert app.selectbox(key="parameters.preset").value == "mine"
    app.number_input(key="parameters.mine.1.temperature").set_value(0.9).run()
    app.button(key="parameters.save").click().run()
    app.button(key="preset.version.1").click().run()
    assert app.number_input(key="parameters.mine.1.temperature").value == 0.1
    assert app.button(key="parameters.reset").disabled


def test_a_name_that_is_taken_and_a_file_that_is_none_are_refused_in_words(
    open_app: Open, wired: WireServer, ws: Workspace
) -> None:
    app = open_app("parameters")
    app.button(key="parameters.save_as").click().run()
    app.button(key="preset.go").click().run()
    assert failures(app) == ["A preset needs a name."]
    chosen(app, "Import")
    app.file_uploader[0].set_value(("presets.json", b'{"format": ', "application/json"))
    app.button(key="preset.go").click().run()
    assert any("The file is not JSON" in failure for failure in failures(app))
    chosen(app, "Import")
    text = ws.parameters.export_presets(["precise"]).replace("precise", "imported")
    app.file_uploader[0].set_value(("presets.json", text.encode(), "application/json"))
    app.button(key="preset.go").click().run()
    assert app.selectbox(key="parameters.preset").value == "imported"


def test_the_next_word_moves_with_the_settings_and_is_asked_of_a_model_that_tells(
    open_app: Open, wired: WireServer
) -> None:
    def choices(app: AppTest) -> str:
        return next(text for text in texts(app) if text.startswith("As free as"))

    app = open_app("parameters")
    assert app.get("plotly_chart")
    before = choices(app)
    app.number_input(key=f"{FIELD}temperature").set_value(0.1).run()
    assert choices(app) != before
    app.number_input(key=f"{FIELD}presence_penalty").set_value(1.0).run()
    assert app.multiselect(key="parameters.said").value
    top: list[dict[str, Any]] = [{"token": "Sea", "logprob": -0.1}, {"token": "Sun", "logprob": -3.0}]
    told = {"content": [{"token": "Sea", "logprob": -0.1, "top_logprobs": top}]}
    choice = {"index": 0, "message": {"role": "assistant", "content": "Sea"}, "finish_reason": "length"}
    body = {"id": "c", "object": "chat.completion", "model": "gpt-6-luna", "choices": [choice | {"logprobs": told}]}
    wired.script(Raw(status=200, body=body, headers={"content-type": "application/json"}))
    app.text_input(key="parameters.after").set_value("The bakery is called")
    app.button(key="parameters.ask").click().run()
    assert not failures(app)
    assert "The bakery is called" in str(app.selectbox(key="parameters.source").value)
    assert any("Just told by wire:gpt-6-luna" in text for text in texts(app))
