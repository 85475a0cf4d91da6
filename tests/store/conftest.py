"""The state of a fresh home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_core.store.home import Home, open_home
from llm_core.store.state import State


@pytest.fixture
def opened_home(home: Path) -> Home:
    return open_home(home)


@pytest.fixture
def state(opened_home: Home) -> Iterator[State]:
    state = State(opened_home)
    yield state
    state.close()
