"""The rules by which a model's state is told: each row is one situation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from llm_core.catalog.states import state_of
from llm_core.types import MODEL_STATES

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PAST, FUTURE = NOW - timedelta(days=1), NOW + timedelta(days=1)

SITUATIONS: list[tuple[dict[str, Any], str]] = [
    # what the connection says
    ({"listed": True}, "available"),
    ({"listed": False}, "not_on_key"),
    ({"listed": None}, "unknown"),
    ({"listed": True, "failed": True}, "unreachable"),
    ({"listed": None, "failed": True}, "unreachable"),
    ({"listed": True, "enabled": False}, "unreachable"),
    ({"listed": False, "failed": True}, "unreachable"),
    # a model that a person added is in no list
    ({"listed": None, "own": True}, "unknown"),
    ({"listed": False, "own": True}, "unknown"),
    ({"listed": False, "own": True, "failed": True}, "unreachable"),
    # an end is announced
    ({"listed": True, "retires_at": FUTURE}, "deprecated"),
    ({"listed": None, "retires_at": FUTURE}, "deprecated"),
    ({"listed": False, "retires_at": FUTURE}, "not_on_key"),
    ({"listed": True, "lifecycle": "deprecated"}, "deprecated"),
    ({"listed": True, "deprecated": True}, "deprecated"),
    ({"listed": True, "lifecycle": "active", "retires_at": FUTURE}, "available"),
    ({"listed": True, "lifecycle": "active", "deprecated": True}, "available"),
    ({"listed": True, "retires_at": FUTURE, "failed": True}, "unreachable"),
    # an end has passed
    ({"listed": False, "retires_at": PAST}, "shut_down"),
    ({"listed": None, "retires_at": PAST}, "shut_down"),
    ({"listed": None, "retires_at": NOW}, "shut_down"),
    ({"listed": False, "retires_at": PAST, "enabled": False}, "shut_down"),
    ({"listed": False, "retires_at": PAST, "lifecycle": "deprecated"}, "shut_down"),
    ({"listed": True, "retires_at": PAST, "end_is_told": True}, "shut_down"),
    ({"listed": None, "lifecycle": "retired"}, "shut_down"),
    # the list proves it wrong, or overdue
    ({"listed": True, "retires_at": PAST}, "deprecated"),
    ({"listed": True, "retires_at": PAST, "end_is_told": True, "lifecycle": "deprecated"}, "deprecated"),
    ({"listed": True, "retires_at": PAST, "end_is_told": True, "lifecycle": "active"}, "available"),
]


@pytest.mark.parametrize(("situation", "state"), SITUATIONS, ids=repr)
def test_a_state_follows_its_rule(situation: dict[str, Any], state: str) -> None:
    assert state_of(NOW, **situation) == state


def test_every_state_is_reached() -> None:
    assert {state for _, state in SITUATIONS} == set(MODEL_STATES)
