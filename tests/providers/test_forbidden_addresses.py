"""Nothing is ever sent to a forbidden address: not by any spelling, any name, a name that changes, or a proxy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llm_core import LLMProvider
from llm_core.errors import Unreachable
from llm_core.providers.registry import find
from tests import needs
from tests.wire.calls import KEY, WAYS, call, request

from . import forbidden_net

ROOT = Path(__file__).parents[2]
Told = dict[str, Any]


@pytest.fixture(scope="module")
def told() -> Told:
    """What happened in a network of its own, where all those addresses answer."""
    if sys.platform != "linux":
        pytest.skip("network namespaces are Linux's own")
    needs.program("ip", "Debian: apt-get install iproute2")
    command = _own_network()
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    done = subprocess.run(
        [*command, sys.executable, "-m", forbidden_net.__name__],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: Told = json.loads(done.stdout)
    return found


def _own_network() -> list[str]:
    for command in (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]):
        if shutil.which("unshare"):
            up = [*command, "ip", "link", "set", "lo", "up"]
            if subprocess.run(up, capture_output=True, check=False).returncode == 0:
                return command
    needs.lacking("no right to make a network of its own (unshare --net)")


def test_the_addresses_answer_whoever_asks_without_care(told: Told) -> None:
    assert told["control"] == dict.fromkeys(forbidden_net.FORBIDDEN, 1)


def test_no_spelling_name_or_proxy_leads_there(told: Told) -> None:
    assert told["spellings"] >= 60
    assert told["attempts"] > 6 * 60
    assert told["hits"] == {}


def test_every_spelling_is_refused_when_it_is_typed(told: Told) -> None:
    assert told["accepted"] == []


def test_a_name_whose_answers_change_is_asked_only_when_all_of_them_are_good(told: Told) -> None:
    assert told["flips"] == {"asked": 48, "answered": 16}


@pytest.mark.parametrize("way", WAYS)
def test_a_host_that_can_be_none_is_unreachable_at_once(way: str) -> None:
    """Of a connection that was saved by something that did not look."""
    connection = LLMProvider("old", "openai", base_url=f"http://{'a' * 64}.example/v1")
    adapter = find("openai").factory()(connection, KEY)
    outcome = call(adapter, request(seconds=None), way)
    adapter.close()
    assert type(outcome.error) is Unreachable
    assert "does not resolve" in outcome.error.message
