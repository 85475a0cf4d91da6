"""Fixtures with the real model: SmolLM2 135M, fetched once a machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from llm_core.errors import ModelFileError
from llm_core.providers.model_files import ensure_model
from tests import needs


@pytest.fixture(scope="session")
def model_cache() -> Path:
    """A cache folder that holds the model: $LLM_MANAGER_TEST_MODEL_CACHE, else the person's own cache.

    Tests must not write into it; give a program that runs in a test a copy by `local_model`.
    """
    needs.local_engine()
    named = os.environ.get("LLM_MANAGER_TEST_MODEL_CACHE")
    cache = Path(named) if named else platformdirs.user_cache_path("llm-manager", appauthor=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLM_MANAGER_CACHE", str(cache))
        try:
            ensure_model({})
        except ModelFileError as error:
            needs.lacking(str(error))
    return cache


@pytest.fixture
def local_model(model_cache: Path, home: Path) -> Path:
    """The model in this test's own cache, as if it had been fetched; the file, which is only linked."""
    from llm_core.store.home import cache_folder

    found = next((model_cache / "models").glob("*.gguf"))
    file = cache_folder("models") / found.name
    file.symlink_to(found)
    return file
