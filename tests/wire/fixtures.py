"""The fixture `wire`: a replay server of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .server import WireServer


@pytest.fixture
def wire() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server
