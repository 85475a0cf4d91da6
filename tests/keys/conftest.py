from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_core.keys import APIKeyManager
from llm_core.store.home import Home, open_home

from .vaults import with_key_file


@pytest.fixture
def opened_home(home: Path) -> Home:
    return open_home(home)


@pytest.fixture
def keys(opened_home: Home) -> Iterator[APIKeyManager]:
    """No vault yet, and no keyring."""
    manager = APIKeyManager(opened_home)
    yield manager
    manager.close()


@pytest.fixture
def vault(opened_home: Home) -> Iterator[APIKeyManager]:
    """A vault that opens with a key file, and nothing in it."""
    manager = with_key_file(opened_home)
    yield manager
    manager.close()
