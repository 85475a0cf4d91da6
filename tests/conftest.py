"""Fixtures that all tests share: a home of their own, a workspace in it. No test may touch the person's own home."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from llm_core import Workspace
from llm_core.sample import open_sample_home

pytest_plugins = [name for name in ("tests.wire.fixtures", "tests.model") if find_spec(name)]

# No test asserts on time, and Hypothesis does by default: 200 ms for an example.
settings.register_profile("no clock", settings.default, deadline=None)
settings.load_profile("no clock")

ODD_NAME = "a b'c é"
"""Homes are named like this in tests: a space, a quote and a letter outside ASCII must work everywhere."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop running in the main thread, where asyncio.run then fails."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def _no_keys_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_API_TOKEN", "_TOKEN")) or name.startswith(("LLM_MANAGER_S", "LLM_MANAGER_KEY")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home and cache, named in the environment; made by whoever opens it."""
    path = tmp_path / ODD_NAME
    monkeypatch.setenv("LLM_MANAGER_HOME", str(path))
    monkeypatch.setenv("LLM_MANAGER_CACHE", str(tmp_path / "cache"))
    return path


@pytest.fixture(scope="session")
def made_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache with the sample data as it was made, which takes seconds: once a run, to be copied and never opened."""
    cache = run_folder(tmp_path_factory) / "made sample"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLM_MANAGER_CACHE", str(cache))
        open_sample_home()
    return cache


@pytest.fixture(scope="session")
def sample_cache(made_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the sample data, shared by the tests that look at it."""
    return shutil.copytree(made_sample, tmp_path_factory.mktemp("cache") / ODD_NAME)


@pytest.fixture
def sample_data(home: Path, sample_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`Workspace.open_sample()` finds the sample that is there."""
    monkeypatch.setenv("LLM_MANAGER_CACHE", str(sample_cache))


def run_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share; pytest-xdist gives each a folder of its own in it."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture
def ws(home: Path) -> Iterator[Workspace]:
    with Workspace.open() as workspace:
        yield workspace
