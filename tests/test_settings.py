from __future__ import annotations

import logging
import math
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from sqlalchemy import insert, update

from llm_core import Workspace
from llm_core.errors import InvalidSetting
from llm_core.settings import SETTINGS, SettingsService
from llm_core.store import tables
from tests.waiting import PATIENCE_S

ANSWERING_PROCESS = """
import sys, threading
from llm_core import Workspace
heard = threading.Event()
with Workspace.open() as ws:
    def answer(name, value):
        if name == "ui.model":
            ws.settings.set("ui.preset", "heard " + value)
            heard.set()
    ws.settings.watch(answer)
    print("watching", flush=True)
    sys.exit(0 if heard.wait(30) else 1)
"""


@pytest.fixture
def settings(ws: Workspace) -> Iterator[SettingsService]:
    return ws.settings


def heard_by(settings: SettingsService) -> tuple[Queue[tuple[str, Any]], Callable[[], None]]:
    queue: Queue[tuple[str, Any]] = Queue()
    return queue, settings.watch(lambda name, value: queue.put((name, value)))


def test_unset_ones_have_their_default_and_every_default_is_valid(settings: SettingsService) -> None:
    assert settings.all() == {name: setting.default for name, setting in SETTINGS.items()}
    for name, setting in SETTINGS.items():
        assert setting.meaning
        settings.set(name, setting.default)


def test_a_choice_is_there_for_another_process_and_after_a_restart(settings: SettingsService, home: Path) -> None:
    settings.set("call.timeout", 30)
    settings.set("usage.time_zone", "Europe/Berlin")
    with Workspace.open(home) as again:
        assert again.settings.get("call.timeout") == 30.0
        assert type(again.settings.get("call.timeout")) is float
        assert again.settings.all()["usage.time_zone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("call.timeout", "30"),
        ("call.timeout", math.nan),
        ("call.timeout", math.inf),
        ("call.timeout", 0),
        ("call.timeout", None),
        ("call.attempts", True),
        ("call.attempts", 2.0),
        ("call.attempts", 0),
        ("usage.keep_spool_days", -1),
        ("usage.time_zone", "Mars/Olympus"),
        ("usage.time_zone", "../../etc/passwd"),
        ("usage.time_zone", 3),
        ("ui.model", "x" * 501),
        ("call.timeuot", 3),
        ("", 3),
    ],
)
def test_an_unknown_name_or_an_impossible_value_is_refused(name: str, value: object, settings: SettingsService) -> None:
    with pytest.raises(InvalidSetting) as caught:
        settings.set(name, value)
    assert caught.value.hint
    assert settings.all() == {name: setting.default for name, setting in SETTINGS.items()}


def test_a_misspelt_name_is_answered_with_the_right_one(settings: SettingsService) -> None:
    with pytest.raises(InvalidSetting, match=r"Did you mean call\.timeout"):
        settings.get("call.timeuot")


def test_what_a_newer_program_kept_does_not_disturb_this_one(ws: Workspace) -> None:
    with ws.state.write() as connection:
        for name, value in (("future.setting", 1), ("call.attempts", "many")):
            connection.execute(insert(tables.settings).values(name=name, value=value, changed_at=datetime.now(UTC)))
    assert ws.settings.all() == {name: setting.default for name, setting in SETTINGS.items()}


def test_choosing_the_same_again_writes_nothing(ws: Workspace) -> None:
    ws.settings.set("ui.model", "a:b")
    before = ws.state.version()
    ws.settings.set("ui.model", "a:b")
    assert ws.state.version() == before


def test_a_change_in_one_process_reaches_the_other_both_ways(settings: SettingsService, home: Path) -> None:
    heard, stop = heard_by(settings)
    other = subprocess.Popen([sys.executable, "-c", ANSWERING_PROCESS], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "watching\n"
    settings.set("ui.model", "openai:gpt-6-luna")
    assert heard.get(timeout=PATIENCE_S) == ("ui.model", "openai:gpt-6-luna")
    assert heard.get(timeout=PATIENCE_S) == ("ui.preset", "heard openai:gpt-6-luna")
    assert other.wait(30) == 0
    other.stdout.close()
    stop()


def test_a_watcher_that_stopped_hears_nothing_more(settings: SettingsService) -> None:
    first, stop_first = heard_by(settings)
    second, stop_second = heard_by(settings)
    stop_first()
    stop_first()
    settings.set("call.attempts", 5)
    assert second.get(timeout=PATIENCE_S) == ("call.attempts", 5)
    assert first.empty()
    stop_second()


def test_a_watcher_that_fails_is_logged_and_the_others_still_hear(settings: SettingsService, caplog) -> None:
    def fail(name: str, value: Any) -> None:
        raise RuntimeError("a page that is gone")

    settings.watch(fail)
    heard, _ = heard_by(settings)
    with caplog.at_level(logging.ERROR):
        for attempts in (4, 5):
            settings.set("call.attempts", attempts)
            assert heard.get(timeout=PATIENCE_S) == ("call.attempts", attempts)
    assert "a page that is gone" in caplog.text


def test_other_changes_of_the_state_are_not_told(ws: Workspace) -> None:
    ws.settings.set("call.attempts", 4)
    heard, _ = heard_by(ws.settings)
    with ws.state.write() as connection:
        connection.execute(update(tables.meta).values(value="1"))
    ws.settings.set("call.attempts", 5)
    assert heard.get(timeout=PATIENCE_S) == ("call.attempts", 5)
    assert heard.empty()


def test_the_watching_thread_ends_with_close_even_from_a_watcher(ws: Workspace, caplog) -> None:
    settings = ws.settings
    settings.watch(lambda name, value: settings.close())
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "llm-manager-settings"]
    settings.set("call.attempts", 5)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert caplog.text == ""
    settings.close()
