"""A lane against a real server: it answers, stops while it waits and in mid-answer, and says what went wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from llm_core import Workspace
from llm_core.errors import FetchStopped, KeyRefused
from pages.components.lane import Lane
from tests.waiting import PATIENCE_S, until
from tests.wire.replies import Say, failing
from tests.wire.server import WireServer

Start = Callable[[], Lane]


@pytest.fixture
def start(ws: Workspace, wire: WireServer) -> Start:
    ws.providers.connect("compatible", base_url=wire.base_url, name="wire")
    return lambda: Lane(lambda: ws.llm.stream("Hello?", model="wire:m"), lambda progress, stop: None)


def statuses(ws: Workspace) -> list[str]:
    return ws.usage.history()["status"].tolist()


def test_a_lane_brings_the_whole_answer_and_its_figures(start: Start, wire: WireServer, ws: Workspace) -> None:
    wire.script(Say(text="One two three."))
    lane = start()
    assert lane.wait(PATIENCE_S)
    assert (lane.text, lane.stopped, lane.error) == ("One two three.", False, None)
    assert lane.reply is not None
    assert lane.reply.usage is not None
    assert statuses(ws) == ["ok"]


def test_a_stop_in_mid_answer_keeps_what_came_and_is_recorded_when_it_returns(
    start: Start, wire: WireServer, ws: Workspace
) -> None:
    wire.script(Say(text="One two three four.", hold_after=3))
    lane = start()
    until(lambda: bool(lane.text))
    lane.stop()
    assert lane.done
    assert lane.stopped
    assert "One".startswith(lane.text[:3])
    assert "four" not in lane.text
    assert lane.reply is not None
    assert statuses(ws) == ["cancelled"]


def test_a_stop_before_the_first_token_does_not_wait_for_it(start: Start, wire: WireServer, ws: Workspace) -> None:
    wire.script(Say(text="Never seen.", hold_after=0))
    lane = start()
    until(lambda: bool(wire.asked("/chat/completions")))
    lane.stop()
    assert lane.done
    assert lane.text == ""
    assert statuses(ws) == ["cancelled"]


def test_what_the_provider_refuses_is_kept_for_the_page(start: Start, wire: WireServer) -> None:
    wire.script(failing(401, code="invalid_api_key"))
    lane = start()
    assert lane.wait(PATIENCE_S)
    assert isinstance(lane.error, KeyRefused)
    assert not lane.stopped


def test_a_stop_while_the_model_is_fetched_makes_no_call(ws: Workspace, wire: WireServer) -> None:
    def fetch(progress: Callable[[int, int | None], None], stop: Callable[[], bool]) -> None:
        progress(5, 10)
        until(stop)
        raise FetchStopped("Stopped.")

    lane = Lane(lambda: ws.llm.stream("Hello?", model="wire:m"), fetch)
    until(lambda: lane.fetched == (5, 10))
    lane.stop()
    assert (lane.done, lane.error, lane.reply) == (True, None, None)
    assert wire.requests == []
