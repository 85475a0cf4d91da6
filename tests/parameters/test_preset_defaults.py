"""Calls that name no preset: which they follow, what their records say, and that other processes see it soon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llm_core import Parameters, Workspace
from llm_core.errors import InvalidInput, UnknownModel, UnknownPreset
from llm_core.parameters import Preset, PresetDefault
from tests.wire.server import WireServer

MODEL = "wire:gpt-6-luna"


@pytest.fixture
def ready(ws: Workspace, wire: WireServer) -> Workspace:
    ws.providers.connect("compatible", base_url=wire.base_url, name="wire")
    ws.parameters.save(Preset("mine", Parameters(temperature=0.4)))
    return ws


def used(ws: Workspace, wire: WireServer, **options) -> tuple[object, ...]:
    """The preset and version in the record of a call, and the temperature that was sent."""
    ws.llm.complete("Hello?", model=MODEL, **options)
    row = ws.usage.history(limit=1).iloc[0]
    version = None if row.preset is None else int(row.preset_version)
    return row.preset, version, wire.requests[-1].body.get("temperature")


def test_a_call_follows_the_default_of_its_model_then_of_its_task_and_says_so(
    ready: Workspace, wire: WireServer
) -> None:
    assert used(ready, wire) == (None, None, None)
    ready.parameters.set_default("precise", task="chat")
    assert used(ready, wire) == ("precise", 1, 0.2)
    assert used(ready, wire, task="code") == (None, None, None)
    ready.parameters.set_default("mine", model=MODEL)
    ready.parameters.save(Preset("mine", Parameters(temperature=0.5)))
    assert used(ready, wire) == ("mine", 2, 0.5)
    assert used(ready, wire, preset="creative") == ("creative", 1, 1.0)
    assert used(ready, wire, preset="") == (None, None, None)
    assert used(ready, wire, parameters={"temperature": 0.9}) == ("mine", 2, 0.9)
    ready.parameters.delete("mine")
    assert used(ready, wire) == ("precise", 1, 0.2)
    ready.parameters.set_default(None, task="chat")
    assert used(ready, wire) == (None, None, None)


def test_a_preset_gives_way_to_the_calls_own_values(ready: Workspace, wire: WireServer) -> None:
    ready.parameters.save(Preset("many", Parameters(logprobs=True, top_logprobs=5, temperature=0.3)))
    ready.parameters.set_default("many", task="chat")
    ready.llm.complete("Hello?", model=MODEL, parameters={"logprobs": False})
    sent = wire.requests[-1].body
    assert (sent["logprobs"], sent["temperature"]) == (False, 0.3)
    assert "top_logprobs" not in sent


def test_defaults_are_listed_and_what_cannot_be_one_is_refused(ready: Workspace) -> None:
    ready.parameters.set_default("precise", task="summarize")
    ready.parameters.set_default("mine", model=MODEL)
    ready.parameters.set_default("code", task="chat")
    assert ready.parameters.defaults() == [
        PresetDefault("code", task="chat"),
        PresetDefault("precise", task="summarize"),
        PresetDefault("mine", model=MODEL),
    ]
    for scope, error in (
        ({}, InvalidInput),
        ({"task": "chat", "model": MODEL}, InvalidInput),
        ({"task": "sleep"}, InvalidInput),
        ({"model": "no id"}, UnknownModel),
    ):
        with pytest.raises(error):
            ready.parameters.set_default("precise", **scope)
    with pytest.raises(UnknownPreset):
        ready.parameters.set_default("never there", task="chat")


def test_a_preset_saved_in_one_process_is_there_for_the_next_question_of_another(ws: Workspace, home: Path) -> None:
    other = """
from llm_core import Workspace
with Workspace.open() as ws:
    print(len(ws.parameters.presets()), ws.parameters.default_for("local:m"), flush=True)
    input()
    print(ws.parameters.preset("shared").parameters.temperature, ws.parameters.default_for("local:m").name)
"""
    with subprocess.Popen(
        [sys.executable, "-c", other], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().split() == [str(len(ws.parameters.presets())), "None"]
        ws.parameters.set_default("precise", task="chat")
        ws.parameters.save(Preset("shared", Parameters(temperature=0.7)))
        told, _ = process.communicate("\n", timeout=60)
    assert told.split() == ["0.7", "precise"]
