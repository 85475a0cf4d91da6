from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import update

from llm_core import Parameters, Workspace
from llm_core.errors import InvalidInput, InvalidParameters, UnknownPreset
from llm_core.parameters import Preset
from llm_core.parameters.presets_built_in import BUILT_IN
from llm_core.store import tables


def mine(name: str = "mine", purpose: str = "", **parameters) -> Preset:
    return Preset(name, Parameters(**parameters), purpose)


def test_those_built_in_come_first_and_each_says_what_it_is_for(ws: Workspace) -> None:
    assert [preset.name for preset in ws.parameters.presets()] == list(BUILT_IN)
    assert set(BUILT_IN) >= {
        *("precise", "balanced", "creative", "deterministic", "JSON extraction", "summary", "code", "thorough"),
        *("transcript clean-up", "brainstorm"),
    }
    for preset in ws.parameters.presets():
        assert preset.purpose
        assert preset.built_in
        assert preset.version == 1


@pytest.mark.parametrize(
    "model_id", ["openai:gpt-4.1", "anthropic:claude-opus-4-1", "google:gemini-2.5-pro", "local:m"]
)
def test_those_built_in_fit_ordinary_models(model_id: str, ws: Workspace) -> None:
    for preset in ws.parameters.presets():
        fitting = ws.parameters.suited(model_id, preset.parameters)
        assert ws.parameters.validate(model_id, fitting).errors == (), preset.name
    assert ws.parameters.validate("openai:gpt-6-luna", BUILT_IN["thorough"].parameters)
    assert ws.parameters.validate("openai:gpt-6-luna", BUILT_IN["balanced"].parameters)


def test_a_saved_one_comes_back_whole_in_another_process_of_the_home(ws: Workspace, home: Path) -> None:
    parameters = {
        "temperature": 0.4,
        "max_tokens": 99,
        "stop": ("a", "é"),
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
        "safety_settings": [{"category": "c", "threshold": "t"}],
        "logprobs": True,
        "system": "Be kind.\nBe brief.",
    }
    saved = ws.parameters.save(mine("  Émile's  ", "For tests.", **parameters))
    assert (saved.name, saved.version, saved.built_in) == ("Émile's", 1, False)
    with Workspace.open(home) as again:
        assert again.parameters.preset("Émile's") == saved
        assert again.parameters.presets()[-1] == saved
    assert saved.parameters.given() == parameters


def test_each_change_is_a_version_and_no_change_is_none(ws: Workspace) -> None:
    assert ws.parameters.save(mine(temperature=0.1)).version == 1
    assert ws.parameters.save(mine(temperature=0.1)).version == 1
    assert ws.parameters.save(mine(temperature=0.2)).version == 2
    assert ws.parameters.save(mine(purpose="new", temperature=0.2)).version == 3
    assert ws.parameters.preset("mine").version == 3
    assert ws.parameters.preset("mine", 1).parameters.temperature == 0.1
    with pytest.raises(UnknownPreset):
        ws.parameters.preset("mine", 4)


def test_a_deleted_one_leaves_its_versions_for_the_records_that_name_them(ws: Workspace) -> None:
    ws.parameters.save(mine(temperature=0.1))
    ws.parameters.delete("mine")
    assert [preset.name for preset in ws.parameters.presets()] == list(BUILT_IN)
    with pytest.raises(UnknownPreset) as caught:
        ws.parameters.preset("mine")
    assert "precise" in caught.value.hint
    assert ws.parameters.preset("mine", 1).parameters.temperature == 0.1
    assert ws.parameters.save(mine(temperature=0.1)).version == 2


def test_a_deleted_one_is_restored_as_it_was_and_stays_a_default(ws: Workspace) -> None:
    ws.parameters.save(mine(temperature=0.1))
    last = ws.parameters.save(mine(temperature=0.2))
    ws.parameters.set_default("mine", task="code")
    ws.parameters.delete("mine")
    assert ws.parameters.deleted_presets() == [last]
    assert ws.parameters.defaults() == []
    assert ws.parameters.restore("mine") == last
    assert ws.parameters.preset("mine") == last
    assert ws.parameters.deleted_presets() == []
    assert [default.preset for default in ws.parameters.defaults()] == ["mine"]
    with pytest.raises(UnknownPreset):
        ws.parameters.restore("never there")


def test_an_earlier_version_counts_again_and_later_ones_stay(ws: Workspace) -> None:
    for temperature in (0.1, 0.2, 0.3):
        ws.parameters.save(mine(temperature=temperature))
    ws.parameters.restore("mine", 1)
    assert ws.parameters.preset("mine").version == 1
    assert [preset.version for preset in ws.parameters.versions("mine")] == [3, 2, 1]
    assert all(preset.saved_at for preset in ws.parameters.versions("mine"))
    assert ws.parameters.save(mine(temperature=0.4)).version == 4
    assert [preset.version for preset in ws.parameters.versions("precise")] == [1]
    with pytest.raises(UnknownPreset):
        ws.parameters.restore("mine", 9)
    with pytest.raises(UnknownPreset):
        ws.parameters.versions("never there")


def test_a_renamed_one_takes_its_defaults_along_and_old_records_keep_their_name(ws: Workspace) -> None:
    ws.parameters.save(mine(temperature=0.1))
    ws.parameters.save(mine(temperature=0.2))
    ws.parameters.set_default("mine", task="chat")
    moved = ws.parameters.rename("mine", "ours")
    assert (moved.name, moved.version, moved.parameters.temperature) == ("ours", 1, 0.2)
    assert ws.parameters.default_for("openai:gpt-4.1") == moved
    assert ws.parameters.preset("mine", 1).parameters.temperature == 0.1
    with pytest.raises(UnknownPreset):
        ws.parameters.preset("mine")
    ws.parameters.save(mine("third"))
    for taken in ("third", "Precise", ""):
        with pytest.raises(InvalidInput):
            ws.parameters.rename("ours", taken)
    assert ws.parameters.rename("ours", "ours").version == 1


def test_a_copy_is_ones_own_whatever_it_is_of(ws: Workspace) -> None:
    copy = ws.parameters.duplicate("summary", "my summary")
    assert (copy.parameters, copy.built_in) == (BUILT_IN["summary"].parameters, False)
    with pytest.raises(InvalidInput, match="already"):
        ws.parameters.duplicate("summary", "my summary")
    with pytest.raises(InvalidInput, match="already"):
        ws.parameters.save(mine("my summary"), new=True)
    assert ws.parameters.versions("my summary") == [copy]


def test_those_built_in_are_neither_replaced_nor_deleted(ws: Workspace) -> None:
    with pytest.raises(InvalidInput, match="built-in"):
        ws.parameters.save(mine(" Precise "))
    for change in (ws.parameters.delete, ws.parameters.restore, lambda name: ws.parameters.rename(name, "other")):
        with pytest.raises(InvalidInput, match="built in"):
            change("precise")
    with pytest.raises(UnknownPreset):
        ws.parameters.delete("never there")
    with pytest.raises(UnknownPreset):
        ws.parameters.preset("precise", 2)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "two\nlines", "bell\x07", None, 3])
def test_a_name_that_cannot_be_shown_is_refused(name, ws: Workspace) -> None:
    with pytest.raises(InvalidInput):
        ws.parameters.save(Preset(name, Parameters()))


@pytest.mark.parametrize(
    "parameters",
    [
        {"system": "half \ud83d of a letter"},
        {"temperature": 3},
        {"temperature": float("nan")},
        {"response_format": {"a": object()}},
        {"response_format": {"a": float("inf")}},
    ],
)
def test_values_no_provider_takes_are_not_saved(parameters, ws: Workspace) -> None:
    with pytest.raises(InvalidParameters):
        ws.parameters.save(mine(**parameters))
    assert len(ws.parameters.presets()) == len(BUILT_IN)


def test_what_a_newer_program_kept_is_read_as_far_as_it_is_known(ws: Workspace) -> None:
    ws.parameters.save(mine(temperature=0.1))
    with ws.state.write() as connection:
        connection.execute(update(tables.preset_versions).values(parameters={"temperature": 0.1, "mood": "good"}))
    assert ws.parameters.preset("mine").parameters == Parameters(temperature=0.1)


def test_saves_at_the_same_moment_each_get_a_version_of_their_own(ws: Workspace) -> None:
    versions: list[int] = []

    def save(temperature: float) -> None:
        versions.append(ws.parameters.save(mine(temperature=temperature)).version)

    threads = [threading.Thread(target=save, args=(number / 10,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(1, 9))
